"""The explorer's page: its data are those of the tables, whatever names it holds, and little runs in it."""

import base64
import gzip
import hashlib
import json
import re
from collections import Counter
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from explorer_study import EPOCHS, HOSTILE, RUNS, SIDE, write_explorer_study
from page_elements import Elements, data_of
from PIL import Image
from sources import ROOT

from retention.commands import build_explorer
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, write_parquet
from retention.data.thumbnails import thumbnails_of
from retention.pages import inlined, sprites
from retention.pages.explorer import known_statistics
from retention.pages.packing import as_json, packed
from retention.pages.rendering import TEMPLATES
from retention.pages.sheet import read_sheet
from retention.pages.thinning import representatives

WHOLE = {"b<i>ig</i>, mean of 2 seeds": [0, 1], "$$net$$, seed 4": [2]}
SINGLE = {"b<i>ig</i>, seed 1": [0], "b<i>ig</i>, seed 0": [1]}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_explorer_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def page(study):
    return built(study.cache[0].parent / "explorer.html", study.words())


@pytest.fixture(scope="module")
def tables(study):
    """Return samples.parquet of the runs, in the order of the page's samples."""
    keys = ["split", "sample_index"]
    return [pd.read_parquet(path).sort_values(keys, ignore_index=True) for path in study.samples]


def built(path, words):
    build_explorer.main([*words, "--output", str(path)])
    return path.read_text(encoding="utf-8")


def unpacked(text, kind):
    return np.frombuffer(gzip.decompress(base64.b64decode(text)), kind)


def test_every_number_is_that_of_the_tables(page, tables):
    data = data_of(page)
    choices = {choice["title"]: choice for choice in data["choices"]}
    assert {*choices} == {*WHOLE, *SINGLE}
    assert {name for name, choice in choices.items() if choice["whole"]} == {*WHOLE}
    assert {*data["statistics"]} == {*known_statistics()}
    for name, places in (WHOLE | SINGLE).items():
        for statistic, text in choices[name]["values"].items():
            drawn = unpacked(text, "<f8")
            for row, value in enumerate(drawn):
                known = [float(tables[place][statistic][row]) for place in places]
                finite = [number for number in known if np.isfinite(number)]
                naive = sum(finite) / len(finite) if finite else known[0]
                assert value == pytest.approx(naive, rel=1e-15, nan_ok=True), (name, statistic)
    lost = sum(table["forgetting_events"] for table in tables)
    assert data["times_lost"] == lost.tolist()
    hazard, confidence = (
        np.nanmean([table[name] for table in tables], axis=0) for name in ("hazard", "confidence")
    )
    seldom = 2 * sum(table["never_learned"].astype(int) for table in tables) >= len(tables)
    held_out = [data["splits"][place] != "train" for place in data["split_of"]]
    expected = sorted(
        np.flatnonzero(lost > 0),
        key=lambda i: (held_out[i], seldom[i], -round(hazard[i], 9), -lost[i], confidence[i]),
    )
    assert np.argsort(data["order_of_forgetting"])[: len(expected)].tolist() == expected
    assert np.isinf(unpacked(choices["$$net$$, seed 4"]["values"]["loss_0"], "<f8")).sum() == 1


def test_texts_come_back_whatever_they_are(page, study, tables):
    data, index = data_of(page), pd.read_parquet(study.index).set_index("sample_index")
    of = index.loc[data["sample_index"]]
    ids = [name or str(place) for place, name in of["sample_id"].items()]
    assert data["sample_id"] == ids
    assert data["path"] == of["path"].tolist()
    assert [data["classes"][k] for k in data["class_of"]] == of["class_name"].tolist()
    assert [data["labels"][k] for k in data["class_of"]] == of["label"].tolist()
    assert [data["splits"][k] for k in data["split_of"]] == of["split"].tolist()
    assert data["splits"] == ["train", "test"]


def matrices(study, data):
    """Return correct and predicted of the traces by run, by place of the sample and epoch."""
    for path in study.traces:
        table = pd.read_parquet(path).set_index(["sample_index", "epoch"])
        yield [
            [tuple(table.loc[(index, epoch), ["correct", "predicted"]]) for epoch in range(EPOCHS)]
            for index in data["sample_index"]
        ]


def test_histories_are_the_traces(page, study):
    data = data_of(page)
    order = [0, 1, 2]
    order.sort(key=lambda place: RUNS[place])  # as the page has the runs: by name, then seed
    naive = [list(matrices(study, data))[place] for place in order]
    bits = np.unpackbits(unpacked(data["traces"]["correct"], np.uint8), bitorder="little")
    correct = bits[: len(naive) * len(naive[0]) * EPOCHS].reshape(len(naive), -1, EPOCHS)
    status = {choice["title"]: unpacked(choice["status"], np.uint8) for choice in data["choices"]}
    names = [f"{RUNS[place][0]}, seed {RUNS[place][1]}" for place in order]
    for r, run in enumerate(naive):
        for i, epochs in enumerate(run):
            right = [bool(found) for found, _ in epochs]
            assert correct[r, i].tolist() == right
            losses = [e for e in range(1, EPOCHS) if right[e - 1] and not right[e]]
            is_named = (
                "forgotten" if losses else "never forgotten" if any(right) else "never learned"
            )
            assert data["statuses"][status[names[r]][i]] == is_named
            taken = Counter(data["classes"][epochs[e][1]] for e in losses)
            parts = data["traces"]["taken"].get(str(i), {}).get(str(r), [])
            told = "".join(name + after for name, after in parts)
            assert {name for name, _ in parts} == {*taken}
            texts = [f"{name} ({times}×)" if times > 1 else name for name, times in taken.items()]
            assert len(told) == len(", ".join(texts)) and all(text in told for text in texts)
    assert data["traces"]["epochs"] == list(range(EPOCHS))
    assert [f"{run['title']}, seed {run['seed']}" for run in data["runs"]] == names


def test_a_sample_is_forgotten_if_any_seed_forgets_it(page, tables):
    data = data_of(page)
    found = {choice["title"]: unpacked(choice["status"], np.uint8) for choice in data["choices"]}
    for i, code in enumerate(found["b<i>ig</i>, mean of 2 seeds"]):
        events = [table["forgetting_events"][i] for table in tables[:2]]
        never = [table["never_learned"][i] for table in tables[:2]]
        expected = (
            "never learned" if all(never) else "forgotten" if any(events) else "never forgotten"
        )
        assert data["statuses"][code] == expected
    assert {*found["b<i>ig</i>, mean of 2 seeds"]} == {0, 1, 2}


def test_no_name_is_part_of_the_page(page):
    elements = Elements(page)
    kinds = Counter(tag for tag, _ in elements.found)
    assert kinds["script"] == 4 and not {"img", "iframe", "link", "i", "object"} & {*kinds}
    attributes = {name for _, found in elements.found for name in found}
    assert not {name for name in attributes if name.startswith("on")}
    assert not {"src", "action", "style"} & attributes
    assert not [
        found for tag, found in elements.found if tag == "a" and found["href"] != "#content"
    ]
    assert "\u202e" not in page.replace(elements.scripts[0], "")
    assert len(elements.scripts) == 4


def test_the_policy_lets_these_scripts_run_alone(page):
    elements = Elements(page)
    (policy,) = [
        found["content"]
        for tag, found in elements.found
        if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy"
    ]
    digests = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in elements.scripts[1:]
    ]
    rules = dict(part.split(" ", 1) for part in policy.split("; "))
    assert rules["script-src"] == " ".join(f"'sha256-{digest}'" for digest in digests)
    assert rules["default-src"] == "'none'" and "connect-src" not in rules
    assert "\r" not in page


def test_the_own_script_is_short_and_reads_no_text_as_html():
    script = (TEMPLATES / "explorer.js").read_text(encoding="utf-8")
    assert len(script.splitlines()) <= 300
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|fetch\(", script
    )


def test_thumbnails_are_tiles_of_sheets(page, study):
    data, layout = data_of(page), pd.read_parquet(study.cache[1]).set_index("sample_index")
    found, pixels = data["sprites"], np.load(study.cache[0])
    sheets = [np.asarray(Image.open(BytesIO(base64.b64decode(text)))) for text in found["sheets"]]
    per_sheet = found["columns"] ** 2
    for i, index in enumerate(data["sample_index"]):
        row = layout.loc[index]
        assert found["sizes"][i] == [SIDE, row["height"]]
        top, left = (place * found["side"] for place in divmod(i % per_sheet, found["columns"]))
        tile = sheets[i // per_sheet][top : top + row["height"], left : left + SIDE].astype(int)
        off = np.abs(tile - pixels[row["offset"] : row["offset"] + 3])
        assert off[1:-1, 1:-1].max() <= 3  # JPEG blends colours at the edge of a neighbour


def test_many_thumbnails_are_smaller_and_stay_in_their_budget(study):
    found = thumbnails_of(study.cache, side=96)
    large = sprites.sprites_of(found, range(40))
    assert large.side == 96 and len(large.sheets) == 1
    size = sum(map(len, large.sheets))
    small = sprites.sprites_of(found, range(40), budget=size - 1)
    assert small.side < 96 and sum(map(len, small.sheets)) < size
    assert sprites.sprites_of(found, range(40), budget=1).side == 48
    many = sprites.sprites_of(found, [index % 40 for index in range(300)])
    assert len(many.sheets) == 2 and len(many.sizes) == 300


def test_a_sample_without_an_image_is_told(study, tmp_path):
    layout = pd.read_parquet(study.cache[1])
    write_parquet(tmp_path / "layout.parquet", layout[layout["sample_index"] < 30])
    words = [*study.words(cache=False), "--cache", str(study.cache[0])]
    with pytest.raises(UserError, match=r"layout.parquet: has no image of sample_index 3\d; give"):
        built(tmp_path / "explorer.html", [*words, str(tmp_path / "layout.parquet")])


def test_a_page_of_samples_alone_says_what_it_lacks(study, tmp_path):
    for path in study.samples:
        table = pd.read_parquet(path).drop(columns=["confidence", "variability"])
        write_parquet(tmp_path / path.name, table, read_metadata(path))
    words = ["--samples", *(str(tmp_path / path.name) for path in study.samples)]
    page = built(tmp_path / "explorer.html", words)
    data = data_of(page)
    assert data["traces"] is None and data["sprites"] is None
    assert set(data["path"]) == {""}
    assert "built without traces" in page
    assert "left out: Confidence, Variability of the confidence." in page
    assert "Not every run records" in page and "confidence" not in data["statistics"]


@pytest.mark.parametrize("count", [1, 12])
def test_little_data_make_a_page(tmp_path, count):
    study = write_explorer_study(tmp_path, count, ["only"], [("one", 3)], held_out=False)
    page = built(tmp_path / "explorer.html", study.words())
    data = data_of(page)
    assert [choice["title"] for choice in data["choices"]] == ["one, seed 3"]
    assert (data["splits"], data["classes"], len(data["sample_id"])) == (["train"], ["only"], count)
    assert f"{count} samples and what 1 run says of each" in re.sub(r"\s+", " ", page)


def test_titles_and_order_are_the_studys(study, tmp_path):
    words = ["--architectures", "b<i>ig</i>", "$$net$$", "--titles", '{"$$net$$": "Net <2>"}']
    data = data_of(built(tmp_path / "explorer.html", study.words() + words))
    titles = [(run["title"], run["seed"]) for run in data["runs"]]
    assert titles == [("b<i>ig</i>", 0), ("b<i>ig</i>", 1), ("Net <2>", 4)]
    assert [choice["title"] for choice in data["choices"]] == [
        "b<i>ig</i>, mean of 2 seeds",
        "Net <2>, seed 4",
        "b<i>ig</i>, seed 0",
        "b<i>ig</i>, seed 1",
    ]


def test_of_many_samples_every_kind_keeps_its_share(study, tmp_path, capsys):
    page = built(tmp_path / "explorer.html", [*study.words(), "--at-most", "16"])
    data = data_of(page)
    assert len(data["sample_id"]) == len(data["class_of"]) == len(data["sprites"]["sizes"]) == 16
    assert "Shown are 16 of 40 samples" in page
    assert "shows 16 of 40 samples" in capsys.readouterr().out
    with pytest.raises(UserError, match="--at-most: is 0, expected at least 1"):
        built(tmp_path / "explorer.html", [*study.words(), "--at-most", "0"])


def test_representatives_are_the_same_ones_and_proportional(tmp_path):
    study = write_explorer_study(tmp_path, 600, ["a", "b", "c"], [("one", 0)])
    sheet = read_sheet(study.samples)
    places = representatives(sheet, 150)
    assert len(set(places.tolist())) == 150 and (np.diff(places) > 0).all()
    np.testing.assert_array_equal(places, representatives(sheet, 150))
    np.testing.assert_array_equal(representatives(sheet, 600), np.arange(600))
    kinds = (
        sheet.samples[["split", "class_name"]]
        .assign(status=sheet.status()[0])
        .agg("/".join, axis=1)
    )
    shares, drawn = kinds.value_counts() / 4, kinds[places].value_counts()
    assert len(shares) == 18
    assert ((drawn.reindex(shares.index, fill_value=0) - shares).abs() <= 1).all()
    among = [np.flatnonzero(kinds == kind) for kind in shares.index]
    assert any(not np.array_equal(np.intersect1d(places, of), of[::4]) for of in among)  # by lot


def test_definitions_are_those_of_the_columns():
    text = (ROOT / "docs/samples.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| (.*?) \| .*\|$", text, re.MULTILINE))
    for name, found in known_statistics().items():
        assert told[name] == found["definition"], name
        shown = found.get("shown", found["definition"])
        assert not re.search(r"[`→]|NaN|correct\b", shown), name  # no names of columns and options


def test_packed_values_are_the_same_text_for_the_same_values():
    values = np.array([1.5, -0.0, np.nan, np.inf])
    assert packed(values) == packed(values.astype(">f8"))
    np.testing.assert_array_equal(unpacked(packed(values), "<f8"), values)
    text = as_json({"names": HOSTILE})
    assert json.loads(text) == {"names": HOSTILE} and not {"<", ">", "&"} & {*text}
    with pytest.raises(ValueError, match="JSON"):
        as_json([float("nan")])


def test_a_script_ends_no_element():
    script = inlined.inline("a = '</script>' + \"<!--\" + '<SCRIPT>';\r\nb = 1 < 2;\r")
    assert script == "a = '\\x3c/script>' + \"\\x3c!--\" + '\\x3cSCRIPT>';\nb = 1 < 2;\n"


@pytest.mark.parametrize("exports", ["", "export{a as b};", "export{a as default};export{c as d};"])
def test_another_bundle_of_tables_is_refused(monkeypatch, tmp_path, exports):
    (tmp_path / "html").mkdir()
    (tmp_path / "html/dt_bundle.js").write_text(f"var a=1;{exports}")
    (tmp_path / "html/dt_bundle.css").write_text("")
    monkeypatch.setattr("itables.__file__", str(tmp_path / "__init__.py"))
    inlined.table_library.cache_clear()
    with pytest.raises(ValueError, match="expected"):
        inlined.table_library()
    inlined.table_library.cache_clear()


def test_libraries_are_named_with_versions_and_licences(page):
    from importlib.metadata import version

    footer = re.sub(r"\s+", " ", page.split("<footer>")[1])
    assert f"Bokeh {version('bokeh')} (BSD-3-Clause, bokeh.org)" in footer
    assert f"itables {version('itables')} (MIT," in footer
    assert re.search(r"DataTables 2\.\d+\.\d+ \(MIT", footer)
    assert re.search(r"jQuery \d+\.\d+\.\d+ \(MIT.*JSZip \d+\.\d+\.\d+ \(MIT", footer)
