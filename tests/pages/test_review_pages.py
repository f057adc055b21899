"""The pages of suspects: what the gallery shows first, and what the explorer's script is given to review."""

import re
from html import unescape
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from page_elements import data_of
from shown_runs import HOSTILE, drawn_study, options, write_cache, write_study

from retention.commands import build_explorer, build_gallery, rank_suspects
from retention.common.csv_tables import read_csv, write_csv
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, read_parquet, write_parquet
from retention.pages import review
from retention.pages.reviewing import review_data, with_first
from retention.pages.sheet import read_sheet
from retention.pages.suspected import WORDS, read_suspected


def study_of(folder, cache=True, traces=True, **drawn):
    """Write a study, rank it, and return the options of the commands that build pages, with the rankings."""
    study = drawn_study(**drawn)
    paths = write_study(study, folder)
    for path in paths["samples"]:
        table = read_parquet(path)
        error = np.round(np.random.default_rng(len(str(path))).random(len(table)), 2)
        write_parquet(path, table.assign(error_norm=error), read_metadata(path))
    if not traces:
        del paths["traces"]
    ranked = [folder / "suspects.csv", folder / "held_out.csv"]
    words = [*options(paths), "--output", str(ranked[0]), "--held-out", str(ranked[1])]
    rank_suspects.main([word for word in words])
    paths["cache"] = write_cache(study, folder) if cache else []
    paths["suspects"] = ranked
    return SimpleNamespace(paths=paths, tables=[read_csv(path, WORDS) for path in ranked])


def gallery_of(folder, **how):
    found = study_of(folder, **how)
    build_gallery.main([*options(found.paths), "--output", str(folder / "gallery")])
    return found, folder / "gallery"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return gallery_of(tmp_path_factory.mktemp("built"), each=40)


def cards_of(html):
    """Return by ranking the cards, as the text of each."""
    parts = html.split('<h2 id="held-out">')
    return [
        re.findall(r"<li>(?:<img|<div class=\"about\").*?</li>", part, re.DOTALL) for part in parts
    ]


def text_of(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_the_first_of_both_rankings_stand_in_their_order(built, monkeypatch):
    found, folder = built
    html = (folder / "review.html").read_text()
    for cards, table in zip(cards_of(html), found.tables, strict=True):
        assert len(cards) == min(review.FIRST, len(table)) > 0
        for card, row in zip(cards, table.to_dict("records"), strict=False):
            text = text_of(card)
            k_of_n = f"{row['runs_in_worst_share']} of {row['runs']} runs"
            assert text.startswith(f"{row['rank']} {k_of_n} label {row['class_name']} ")
            if pd.isna(row["suggested_label"]):
                assert "taken for no other class" in text
            else:
                share = f"{round(100 * row['suggested_share'])} % of evaluations"
                assert f"taken for {row['suggested_class_name']} {share}" in text
            assert f"rank {row['rank_in_class']} of {row['samples_of_class']} in its class" in text
            assert f" {row['sample_id']} " in text
            assert f"thumbnails/{row['sample_index']}.jpg" in card
            for name in ("resnet", "vit"):
                assert re.search(rf"{name} score {row[f'score_{name}']:.2f}", text)


def test_the_composition_on_the_page_is_that_of_the_first(built):
    found, folder = built
    html = (folder / "review.html").read_text().partition('<h2 id="held-out">')[0]
    table, top = found.tables[0], found.tables[0].head(review.FIRST)
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>", html)
    assert len(rows) == top["class_name"].nunique()
    for name, first, every in rows:
        of = text_of(name)
        assert int(first.split()[0]) == (top["class_name"] == of).sum()
        assert int(every.split()[0]) == (table["class_name"] == of).sum()
    assert f"The first {len(top)} of {len(table)} are shown." in text_of(html)


def test_traces_say_where_each_seed_was_right(built):
    found, folder = built
    card = cards_of((folder / "review.html").read_text())[0][0]
    index = found.tables[0]["sample_index"].iloc[0]
    told = re.findall(r"right evaluations: ([\d, ]+)\"", card)
    counts = []
    for path in found.paths["traces"]:
        traces = read_parquet(path)
        counts.append(int(traces.loc[traces["sample_index"] == index, "correct"].sum()))
    assert [int(n) for text in told for n in text.split(", ")] == counts  # resnet 0 1 2, vit 0 1 2


def test_every_page_links_to_it_and_the_overview_says_what_it_is(built):
    _, folder = built
    for path in folder.glob("*.html"):
        assert '<a href="review.html">Review these first</a>' in path.read_text()
    assert "Labels that may be wrong" in (folder / "index.html").read_text()


def test_without_rankings_there_is_no_such_page(tmp_path):
    found = study_of(tmp_path)
    del found.paths["suspects"]
    build_gallery.main([*options(found.paths), "--output", str(tmp_path / "gallery")])
    assert not (tmp_path / "gallery/review.html").exists()
    assert "review.html" not in (tmp_path / "gallery/index.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"cache": False, "traces": False},
        {"runs": [("net", 0)], "classes": ("only",), "held_out": 0},
        {"held_out": 20},  # all of them
    ],
    ids=["bare", "one class and run", "held out alone"],
)
def test_little_to_show_is_shown(tmp_path, how):
    if how.get("held_out") == 20:
        found = study_of(tmp_path, **how)
        with pytest.raises(UserError, match="has no sample of the split train"):
            build_gallery.main([*options(found.paths), "--output", str(tmp_path / "gallery")])
        assert not len(found.tables[0]) and len(found.tables[1])
        return
    found, folder = gallery_of(tmp_path, **how)
    html = (folder / "review.html").read_text()
    training, held_out = cards_of(html)
    assert len(training) == min(50, len(found.tables[0]))
    assert ("There is no such sample." in html) == (not held_out) == (how.get("held_out") == 0)
    assert ("<img" in html) == how.get("cache", True)
    assert ("right evaluations" in html) == how.get("traces", True)
    assert ("No pictures are at hand" in html) != how.get("cache", True)


@pytest.mark.slow
def test_hostile_names_are_text(tmp_path):
    _, folder = gallery_of(tmp_path, classes=HOSTILE, each=8)
    html = (folder / "review.html").read_text()
    assert "<img src=x" not in html and "<script" not in html and "\u202e" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html and "(no name, label 8)" in html


@pytest.mark.slow
def test_duplicates_are_marked(tmp_path):
    found = study_of(tmp_path)
    table = found.tables[0]
    table["duplicates_with_other_label"] = ["other <b>one</b>", *[""] * (len(table) - 1)]
    write_csv(found.paths["suspects"][0], table)
    build_gallery.main([*options(found.paths), "--output", str(tmp_path / "gallery")])
    card = cards_of((tmp_path / "gallery/review.html").read_text())[0][0]
    assert "same image, another label: other <b>one</b>" in unescape(re.sub(r"</?bdi>", "", card))


def test_rankings_of_other_samples_and_other_tables_are_refused(tmp_path):
    found = study_of(tmp_path)
    sheet = read_sheet(found.paths["samples"])
    write_csv(
        tmp_path / "other.csv", found.tables[0].assign(sample_index=lambda t: t["rank"] + 999)
    )
    with pytest.raises(UserError, match=r"ranks 48 samples that samples.parquet lacks; rank the"):
        read_suspected([tmp_path / "other.csv"], sheet)
    write_csv(tmp_path / "none.csv", pd.DataFrame({"rank": [1]}))
    with pytest.raises(UserError, match=r"expected a table of scripts/rank_suspects.py"):
        read_suspected([tmp_path / "none.csv"], sheet)


def test_the_explorer_has_rank_agreement_suggestion_and_group_of_each_sample(tmp_path):
    found = study_of(tmp_path, each=10)
    build_explorer.main([*options(found.paths), "--output", str(tmp_path / "e.html")])
    data = data_of((tmp_path / "e.html").read_text(encoding="utf-8"))
    ranked = pd.concat(found.tables).set_index("sample_index")
    shown = data["review"]
    assert len(shown["rank"]) == len(ranked)
    for i, index in enumerate(data["sample_index"]):
        row = ranked.loc[index]
        assert shown["rank"][i] == row["rank"]
        assert shown["agree"][i] == f"{row['runs_in_worst_share']} of {row['runs']}"
        place = shown["suggested"][i]
        named = "" if place < 0 else data["classes"][place]
        assert named == ("" if pd.isna(row["suggested_label"]) else row["suggested_class_name"])
        assert place < 0 or data["labels"][place] == row["suggested_label"]
    del found.paths["suspects"]
    build_explorer.main([*options(found.paths), "--output", str(tmp_path / "bare.html")])
    bare = (tmp_path / "bare.html").read_text(encoding="utf-8")
    assert data_of(bare)["review"] is None and 'id="reviewed"' not in bare


def test_a_suggested_class_that_no_sample_has_is_named(tmp_path):
    samples = pd.DataFrame({"split": ["train"], "sample_index": [3], "group": ["g"]})
    row = {"rank": 1, "runs_in_worst_share": 1, "runs": 2, "suggested_label": 7.0}
    suspected = samples.assign(**row, suggested_class_name="seven")
    data = {"labels": [0, 1], "classes": ["a", "b"]}
    found = review_data(samples, suspected, data)
    assert (found["labels"], found["classes"]) == ([0, 1, 7], ["a", "b", "seven"])
    assert found["review"] == {"rank": [1], "agree": ["1 of 2"], "suggested": [2], "group": ["g"]}
    assert data["labels"] == [0, 1]


def test_a_page_of_few_samples_shows_the_first_of_the_rankings():
    suspected = pd.DataFrame({"rank": np.arange(1, 1001), "place": np.arange(999, -1, -1)})
    places = np.arange(0, 1000, 2)
    found = with_first(places, suspected, 500)
    assert len(found) == 500 and np.unique(found).size == 500 and (np.diff(found) > 0).all()
    assert set(range(800, 1000)) <= set(found)  # of rank 200 and less
    assert set(found) - set(range(800, 1000)) <= set(places)
    assert with_first(places[:50], suspected, 50).tolist() == list(range(950, 1000))
    everything = np.arange(1000)
    assert with_first(everything, suspected, 1000).tolist() == everything.tolist()
