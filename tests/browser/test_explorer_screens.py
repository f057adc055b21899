"""The explorer on every screen, with names that would break a page, and with little to show."""

import json

import pandas as pd
import pytest
from conftest import PHONE, WIDE
from explored import PLOT, build, column, cut, download, drawn, opened, written
from explorer_study import HOSTILE, write_explorer_study
from playwright.sync_api import Page, expect

from retention.common.parquet_tables import read_metadata, write_parquet
from retention.reporting.look import PALETTE


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    return write_explorer_study(tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="session")
def path(study):
    return build(study.index.parent / "explorer.html", study.words())


@pytest.fixture
def page(open_page, path) -> Page:
    return opened(open_page, path)


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_its_window_and_the_plot_has_its_colours(
    open_page, path, viewport, scheme
):
    page = opened(open_page, path, viewport, color_scheme=scheme)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= viewport["width"]
    paper = {"light": "#ffffff", "dark": "#14171a"}
    assert page.evaluate(f"() => {PLOT}.background_fill_color") == paper[scheme]
    width = page.evaluate("() => document.getElementById('plot').getBoundingClientRect().width")
    assert 300 < width < viewport["width"]
    other = {"light": "dark", "dark": "light"}[scheme]
    page.emulate_media(color_scheme=other)
    page.wait_for_function(f"() => {PLOT}.background_fill_color === '{paper[other]}'")
    assert page.evaluate("() => document.documentElement.classList.contains('dark')") == (
        other == "dark"
    )


def test_on_a_phone_the_table_alone_scrolls_and_its_pager_is_whole(open_page, path):
    page = opened(open_page, path, PHONE)
    for selector in (
        ".dt-length",
        ".dt-length label",
        ".dt-info",
        ".dt-paging",
        ".dt-paging .last",
    ):
        box = page.locator(selector).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"], selector
    place = page.locator(".dt-layout-table > div")
    assert place.evaluate("one => one.scrollWidth > one.clientWidth")
    split = page.locator("#table thead th").nth(3).bounding_box()
    assert split["x"] + 50 <= PHONE["width"]  # its name is read without scrolling
    page = opened(open_page, path, WIDE)
    select, label = (
        page.locator(f".dt-length {one}").bounding_box() for one in ("select", "label")
    )
    assert label["x"] > select["x"] and abs(label["y"] - select["y"]) < select["height"]


def test_a_finger_scrolls_over_the_plot(open_page, path):
    page = opened(open_page, path, PHONE, has_touch=True)
    assert page.evaluate("() => [...document.querySelectorAll('#plot *')].length") > 0
    tools = f"() => {PLOT}.toolbar.tools.filter((tool) => tool.active).map((tool) => tool.type)"
    assert page.evaluate(tools) == ["TapTool"]


def test_names_are_text_and_readable(page):
    page.get_by_role("combobox", name="rows a page").select_option("100")
    ids, classes = column(page, 2), column(page, 3)
    for name in HOSTILE[:-1]:
        assert cut(written(name)) in {text.strip() for text in classes}, name
        assert any(cut(written(name)) in text for text in ids), name
    assert "(no name)" in classes
    assert page.locator("main img, main i, main iframe").count() == 0
    for box in page.locator("#table tbody input").all()[:12]:
        box.focus()
    assert page.evaluate("() => document.querySelectorAll('script').length") == 4
    for name in HOSTILE:
        assert page.locator("#class option").filter(has_text=written(name)[:150]).count() >= 1


def test_long_ids_are_told_apart_by_their_ends_and_whole_in_the_panel(open_page, tmp_path):
    study = write_explorer_study(tmp_path, 12, ["only"], [("one", 3)], held_out=False)
    index = pd.read_parquet(study.index)
    ids = [f"{'scan_of_the_left_eye_' * 9}{number:04d}" for number in range(12)]
    for path in (study.index, *study.samples):
        table = pd.read_parquet(path)
        names = table["sample_index"].map(dict(zip(index["sample_index"], ids, strict=True)))
        write_parquet(path, table.assign(sample_id=names), read_metadata(path))
    page = opened(open_page, build(tmp_path / "long.html", study.words()))
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        shown = column(page, 2)
        assert len({*shown}) == len(shown) == 10 and all("…" in text for text in shown)
        inner = "all => all.filter((one) => one.scrollHeight > one.clientHeight + 1 && one.clientHeight).length"
        assert page.eval_on_selector_all("#table tbody td.text span", inner) == 0
        for box in page.locator("#table tbody input").all()[:3]:
            box.focus()
            title = page.locator("#details h2")
            assert title.inner_text() == ids[int(box.get_attribute("data-row"))]
            assert title.evaluate("one => one.scrollHeight <= one.clientHeight + 1")


def test_names_that_a_sample_was_taken_for_turn_each_other_not(page):
    taken = page.evaluate(
        "() => JSON.parse(document.getElementById('data').textContent).traces.taken"
    )
    shown = {}
    page.get_by_role("combobox", name="rows a page").select_option("100")
    for box in page.locator("#table tbody input").all():
        box.focus()
        cells = page.locator("#details td:last-child span").all()
        shown[box.get_attribute("data-row")] = [
            cell.locator("bdi").all_text_contents() for cell in cells
        ]
    for row, cells in shown.items():
        for run, names in enumerate(cells):
            of_run = taken.get(row, {}).get(str(run), [])
            assert names == [written(name) or "(no name)" for name, _ in of_run]
    assert sum(len(names) > 1 for cells in shown.values() for names in cells) > 3


def test_a_page_of_samples_alone_works(open_page, study, tmp_path):
    words = study.words(traces=False, cache=False)
    page = opened(open_page, build(tmp_path / "bare.html", words))
    page.locator("#table tbody input").first.focus()
    expect(page.locator("#details dl")).to_contain_text("Confidence")
    assert page.locator("#details svg").count() == page.locator(".thumbnail").count() == 0
    assert len(download(page, page.locator("#download").click)) == 40


def test_one_sample_of_one_run_works(open_page, tmp_path):
    study = write_explorer_study(tmp_path, 1, ["only"], [("one", 3)], held_out=False)
    page = opened(open_page, build(tmp_path / "one.html", study.words()))
    expect(page.locator("#told")).to_have_text("1 of 1 samples shown, 0 selected.")
    assert len(drawn(page)["row"]) == 1
    page.select_option("#x_statistic", "hazard")
    expect(page.locator("#caption")).to_have_text("No sample has a place in this plot.")


def test_it_opens_with_the_most_forgotten_sample_its_image_and_its_traces(page):
    details = page.locator("#details")
    data = json.loads(page.locator("#data").text_content())
    first = data["sample_id"][data["order_of_forgetting"].index(0)]
    expect(details.locator("h2")).to_have_text(written(first))
    expect(details.locator("p").first).to_contain_text(
        "The most forgotten of these samples, by hazard, training first."
    )
    assert details.locator(".thumbnail").count() == 1
    assert details.locator("svg.raster").count() == 3  # a run each
    marked = page.evaluate("() => Bokeh.documents[0].get_model_by_name('here').data.x.length")
    assert marked == 1
    assert (
        page.evaluate("() => Bokeh.documents[0].get_model_by_name('source').selected.indices") == []
    )


def test_a_filter_shows_the_most_forgotten_of_what_is_left_or_nothing(page):
    data = json.loads(page.locator("#data").text_content())
    order, of_class = data["order_of_forgetting"], data["class_of"]
    shown = page.locator("#details h2").inner_text()
    for label, name in enumerate(data["classes"]):
        page.select_option("#class", index=label + 1)
        listed = [text.strip() for text in column(page, 2)]
        most = min((i for i, one in enumerate(of_class) if one == label), key=order.__getitem__)
        expected = shown if cut(shown) in listed else written(data["sample_id"][most])
        assert page.locator("#details h2").inner_text() == expected, name
        shown = page.locator("#details h2").inner_text()
    page.select_option("#status_0", label="never learned")
    page.select_option("#split", label="test")
    if not page.locator("#table tbody input").count():
        expect(page.locator("#details")).to_have_text("The table lists no sample.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_statuses_have_no_colour_of_an_architecture_and_differ_in_lightness(
    open_page, path, scheme
):
    page = opened(open_page, path, color_scheme=scheme)
    names = ["--paper", "--held", "--lost", "--never"]
    inks = page.evaluate(
        "(names) => names.map((name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim())",
        names,
    )
    assert not {ink.lower() for ink in inks} & {colour.lower() for colour in PALETTE}
    assert set(drawn(page)["colour"]) <= set(inks[1:])
    paper, held, lost, never = map(luminance, inks)
    for one, other in ((paper, held), (paper, lost), (paper, never), (held, lost), (lost, never)):
        least = 3.0 if one == paper else 1.6
        assert (max(one, other) + 0.05) / (min(one, other) + 0.05) >= least


def luminance(colour):
    """Return the relative luminance of #rrggbb, as WCAG 2 defines it."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_window_s_width_is_used_and_a_phone_has_one_column(open_page, path):
    box = "(id) => { const { x, y, width } = document.getElementById(id).getBoundingClientRect(); return [x, y, width]; }"
    page = opened(open_page, path, WIDE)
    plot, card = (page.evaluate(box, name) for name in ("plot", "details"))
    assert card[0] > plot[0] + plot[2] and abs(card[1] - plot[1]) < 60
    assert card[0] + card[2] - plot[0] > 0.9 * WIDE["width"]
    page = opened(open_page, path, PHONE)
    plot, card = (page.evaluate(box, name) for name in ("plot", "details"))
    assert card[1] > plot[1] and abs(card[0] - plot[0]) < 2


def test_small_numbers_are_powers_of_ten(page):
    text = page.evaluate(
        "() => document.querySelector('script[type=module]:last-of-type').textContent"
    )
    lines = [
        line for line in text.split("\n") if line.startswith(("const raised", "const shortNumber"))
    ]
    found = page.evaluate(
        f"() => {{ {' '.join(lines)} return [-6.25e-8, 1e21, 0.5, -3].map(shortNumber); }}"
    )
    assert found == ["−6.25 × 10⁻⁸", "1 × 10²¹", "0.5", "−3"]
