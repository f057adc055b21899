"""Labels reviewed in the explorer, by keyboard and by mouse, and the file of it, which the adapter csv reads back."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import PHONE, WIDE
from explored import cut, opened
from explorer_study import write_explorer_study
from PIL import Image
from playwright.sync_api import expect

from retention.commands import build_explorer, build_gallery, rank_suspects
from retention.common.csv_tables import read_csv
from retention.common.parquet_tables import read_parquet, write_parquet
from retention.data.adapters.csv import read_index
from retention.pages.suspected import WORDS

CLASSES = ["<img src=x onerror=alert(1)>", '=cmd|"x",y', "שלום עולם", "x" * 120]
FILES = ["=1+1, {}.png", 'quo"te {}.png', "ünder_{}.png", "<b>{}.png", "plain {}.png"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of image files with odd names, which lie in the folder that the reviewed file will be saved to."""
    folder = tmp_path_factory.mktemp("reviewed")
    made = write_explorer_study(folder, classes=CLASSES)
    index = read_parquet(made.index)
    index["path"] = [f"images/{FILES[i % 5].format(i)}" for i in index["sample_index"]]
    write_parquet(made.index, index)
    (folder / "images").mkdir()
    for path in index["path"]:
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(folder / path)
    ranked = [folder / "suspects.csv", folder / "held_out.csv"]
    words = [*made.words(cache=False), "--output", str(ranked[0]), "--held-out", str(ranked[1])]
    rank_suspects.main(words)
    shown = [*made.words(), "--suspects", *map(str, ranked)]
    build_explorer.main([*shown, "--output", str(folder / "explorer.html")])
    build_gallery.main([*shown, "--output", str(folder / "gallery")])
    tables = [read_csv(path, WORDS) for path in ranked]
    return SimpleNamespace(folder=folder, index=index.set_index("sample_index"), tables=tables)


@pytest.fixture
def page(open_page, study):
    page = opened(open_page, study.folder / "explorer.html")
    page.select_option("#rows", "review")
    return page


def rows_of(page):
    return page.locator("#table tbody tr")


def decided(page):
    return page.locator("#table tbody button[aria-pressed=true]").all_inner_texts()


def reviewed(page, study):
    """Download the file; return what the adapter reads of it, and the table itself."""
    with page.expect_download() as found:
        page.locator("#reviewed").click()
    assert found.value.suggested_filename == "odd_b_set_b__reviewed.csv"
    path = study.folder / "reviewed.csv"
    found.value.save_as(path)
    back = read_index({"adapter": "csv", "table": str(path)}, study.folder)
    return back.set_index("sample_id"), pd.read_csv(path, dtype=str, keep_default_na=False)


def test_the_view_has_the_ranking_in_its_order(page, study):
    for view, table in (("review", study.tables[0]), ("held_out", study.tables[1])):
        page.select_option("#rows", view)
        first = table.head(10)
        assert rows_of(page).count() == len(first)
        cells = [row.locator("td").all_inner_texts() for row in rows_of(page).all()]
        assert [int(cell[3]) for cell in cells] == first["rank"].tolist()
        agree = [
            f"{k} of {n}" for k, n in zip(first["runs_in_worst_share"], first["runs"], strict=True)
        ]
        assert [cell[4] for cell in cells] == agree
        taken = [cut(name) for name in first["suggested_class_name"].fillna("")]
        assert [cell[5].strip() for cell in cells] == taken
        classes = [cell[2].strip() for cell in cells]
        assert classes == [cut(name) for name in first["class_name"]]
    page.select_option("#rows", "found")
    assert page.locator("#table tbody button").count() == 0
    assert len(rows_of(page).first.locator("td").all()) == 7


def test_keys_decide_for_the_focused_row_and_take_it_back(page):
    boxes = page.locator("#table tbody input")
    boxes.first.focus()
    for key in ("k", "ArrowDown", "r", "ArrowDown", "d", "ArrowDown", "d", "d", "ArrowUp", "k"):
        page.keyboard.press(key)
    assert decided(page) == ["keep", "relabel", "keep"]
    expect(page.locator("#reviewed")).to_have_text(
        "Download the data set as reviewed: 2 keep, 1 relabel, 0 drop"
    )
    page.keyboard.press("Control+d")  # the browser's own
    assert decided(page) == ["keep", "relabel", "keep"]
    rows_of(page).nth(4).get_by_role("button", name="drop").click()
    assert decided(page) == ["keep", "relabel", "keep", "drop"]
    page.locator("input[type=search]").fill("r")
    assert len(page.locator("#table tbody button[aria-pressed=true]").all()) <= 4
    page.locator("input[type=search]").fill("")
    assert decided(page) == ["keep", "relabel", "keep", "drop"]
    page.select_option("#rows", "found")
    page.locator("#table tbody input").first.focus()
    page.keyboard.press("d")  # no review, no decision
    expect(page.locator("#reviewed")).to_contain_text("1 drop")


def test_leaving_is_asked_about_until_decisions_are_downloaded(page, study):
    leave = "() => void setTimeout(() => location.reload())"
    expect(page.locator(".review")).to_contain_text("Decisions are kept in this page alone")
    boxes = page.locator("#table tbody input")
    boxes.first.click()  # browsers ask of pages that somebody used
    for key in ("k", "ArrowDown", "d"):
        page.keyboard.press(key)
    with page.expect_event("dialog") as asked:
        page.evaluate(leave)
    assert asked.value.type == "beforeunload"
    assert decided(page) == ["keep", "drop"]
    reviewed(page, study)
    page.reload()  # would not come back if it were asked
    page.wait_for_selector("#table tbody input")
    page.select_option("#rows", "review")
    assert decided(page) == []
    boxes.first.click()
    for key in ("k", "k"):
        page.keyboard.press(key)
    page.reload()  # nothing is decided
    page.wait_for_selector("#table tbody input")


def test_arrows_go_on_to_the_next_page_of_the_table_and_back(page, study):
    ranks = study.tables[0]["rank"].tolist()
    page.locator("#table tbody input").nth(8).focus()
    rank = page.locator("#table tbody tr:focus-within td:nth-child(4)")
    for expected in (ranks[9], ranks[10], ranks[11]):
        page.keyboard.press("ArrowDown")
        expect(rank).to_have_text(str(expected))
    expect(page.locator(".dt-info")).to_contain_text("11 to 20")
    page.keyboard.press("d")
    for expected in (ranks[10], ranks[9]):
        page.keyboard.press("ArrowUp")
        expect(rank).to_have_text(str(expected))
    expect(page.locator("#reviewed")).to_contain_text("1 drop")
    for _ in range(len(ranks)):
        page.keyboard.press("ArrowDown")
    expect(rank).to_have_text(str(ranks[-1]))  # there it ends
    for _ in range(len(ranks)):
        page.keyboard.press("ArrowUp")
    expect(rank).to_have_text(str(ranks[0]))


def test_the_reviewed_file_is_read_back_by_the_adapter(page, study):
    table = study.tables[0]
    page.locator("#table tbody input").first.focus()
    for key in ("r", "ArrowDown", "d", "ArrowDown", "k", "ArrowDown"):
        page.keyboard.press(key)
    page.select_option("#new_label", label=CLASSES[3])
    page.locator("#table tbody input").nth(3).focus()
    page.keyboard.press("r")
    back, written = reviewed(page, study)
    ids = table["sample_id"].head(4).tolist()
    index = study.index.reset_index()
    names = index["sample_id"].where(index["sample_id"] != "", index["sample_index"].astype(str))
    expected = index.set_index(names)
    assert set(back.index) == set(expected.index) - {ids[1]}
    wanted = expected["class_name"].drop(ids[1])
    wanted[ids[0]] = table["suggested_class_name"].iloc[0]
    wanted[ids[3]] = CLASSES[3]
    assert wanted[ids[0]] != expected["class_name"][ids[0]]
    pd.testing.assert_series_equal(
        back["class_name"].sort_index(), wanted.sort_index(), check_names=False, check_dtype=False
    )
    for sample_id, row in back.iterrows():
        assert row["path"] == (study.folder / expected["path"][sample_id]).as_posix()
        assert row["official_split"] == expected["split"][sample_id]
        assert row["group"] == expected["group"][sample_id]
    assert written["decision"].value_counts().to_dict() == {"": 36, "relabel": 2, "keep": 1}
    before = written.set_index("sample_id")["label_before"]
    assert before.to_dict() == expected["class_name"].drop(ids[1]).to_dict()


def test_a_sample_that_nobody_takes_for_another_needs_a_class(open_page, study, tmp_path):
    table = study.tables[0].assign(suggested_label=np.nan, suggested_class_name="")
    table.to_csv(tmp_path / "s.csv", index=False)
    words = ["--samples", *map(str, sorted(study.folder.glob("samples_*.parquet")))]
    words += ["--index", str(study.folder / "index.parquet"), "--suspects", str(tmp_path / "s.csv")]
    build_explorer.main([*words, "--output", str(tmp_path / "e.html")])
    page = opened(open_page, tmp_path / "e.html")
    page.select_option("#rows", "review")
    page.locator("#table tbody input").first.focus()
    page.keyboard.press("r")
    assert decided(page) == []
    expect(rows_of(page).first).to_contain_text("the runs suggest no class: choose one under")
    page.select_option("#new_label", label=CLASSES[0])
    page.locator("#table tbody input").first.focus()
    page.keyboard.press("r")
    assert decided(page) == ["relabel"]
    expect(rows_of(page).first.locator("td").last).to_contain_text(f"→ {CLASSES[0]}")


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_its_window(open_page, study, viewport, scheme):
    page = opened(open_page, study.folder / "explorer.html", viewport, color_scheme=scheme)
    page.select_option("#rows", "review")
    width = "() => document.documentElement.scrollWidth"
    assert page.evaluate(width) <= viewport["width"]
    gallery = open_page(study.folder / "gallery/review.html", viewport, color_scheme=scheme)
    assert gallery.evaluate(width) <= viewport["width"]
    assert gallery.locator(".cards > li").count() == 40
    assert gallery.locator("main img:not(.small), main i, main b i").count() == 0


def test_a_page_of_some_samples_says_what_its_file_lacks(open_page, study, tmp_path):
    words = ["--samples", *map(str, sorted(study.folder.glob("samples_*.parquet")))]
    words += ["--suspects", str(study.folder / "suspects.csv"), "--at-most", "20"]
    build_explorer.main([*words, "--output", str(tmp_path / "e.html")])
    page = opened(open_page, tmp_path / "e.html")
    expect(page.locator(".review")).to_contain_text(
        "It holds the 20 samples of this page alone, not all 40"
    )
    expect(page.locator(".review")).to_contain_text("The paths of the images are unknown")
    page.select_option("#rows", "review")
    expect(rows_of(page).first.locator("td").nth(3)).to_have_text("1")
