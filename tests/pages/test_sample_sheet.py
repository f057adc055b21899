"""What pages show of samples: rows of all runs side by side, statuses, means, histories, thumbnails."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, write_parquet
from retention.data.thumbnails import thumbnails_of
from retention.pages.rendering import TEMPLATES, digest_of_templates, render
from retention.pages.sheet import NEEDED, read_sheet

HOSTILE = "<img src=x onerror=alert(1)>\"'</script>\u202e{{ 7 * 7 }}"
CORRECT = {  # [N, E] of three training samples and a held-out one, by run
    ("resnet", 0): [[0, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]],
    ("resnet", 1): [[1, 1, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]],
    ("vit", 0): [[1, 1, 1, 1], [0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 1, 1]],
}


def written(folder: Path, name: str, seed: int, correct) -> tuple[Path, Path]:
    """Write samples.parquet and traces.parquet of a run, the rows in an order of their own."""
    correct = np.array(correct)
    drops = ((correct[:, :-1] == 1) & (correct[:, 1:] == 0)).sum(axis=1)
    samples = pd.DataFrame(
        {
            "split": ["train", "train", "train", "test"],
            "sample_index": [3, 1, 4, 0],
            "sample_id": ["d", "b", "e", "a"],
            "label": [0, 1, 1, 0],
            "class_name": [HOSTILE, "one", "one", HOSTILE],
            "forgetting_events": drops,
            "never_learned": ~correct.any(axis=1),
            "hazard": np.where(correct.any(axis=1), drops / 4, np.nan),
        }
    )
    traces = pd.concat(
        samples[["split", "sample_index"]].assign(
            epoch=epoch, correct=correct[:, epoch] == 1, predicted=1 - correct[:, epoch]
        )
        for epoch in range(4)
    )
    identity = {"dataset": "odd", "architecture": name, "seed": seed}
    paths = folder / f"{name}{seed}.parquet", folder / f"traces_{name}{seed}.parquet"
    write_parquet(paths[0], samples.sample(frac=1, random_state=seed), identity)
    write_parquet(paths[1], traces.sample(frac=1, random_state=seed), identity)
    return paths


@pytest.fixture
def files(tmp_path):
    """Return samples.parquet and traces.parquet files of the three runs, the last run first."""
    pairs = [written(tmp_path, *run, correct) for run, correct in reversed(CORRECT.items())]
    return [list(paths) for paths in zip(*pairs, strict=True)]


def test_runs_stand_side_by_side(files):
    sheet = read_sheet(files[0])
    assert [(run.architecture, run.seed) for run in sheet.runs] == list(CORRECT)
    assert sheet.architectures == ["resnet", "vit"]
    assert sheet.samples["sample_id"].tolist() == ["a", "b", "d", "e"]  # by split and sample_index
    assert sheet.status().tolist() == [
        ["never forgotten", "forgotten", "never forgotten", "never learned"],
        ["forgotten", "never forgotten", "forgotten", "never learned"],
        ["never forgotten", "never forgotten", "never forgotten", "forgotten"],
    ]
    assert sheet.statistic("forgetting_events", "vit").tolist() == [[0, 0, 0, 1]]
    np.testing.assert_array_equal(sheet.mean("hazard", "resnet"), [1 / 8, 1 / 4, 1 / 8, np.nan])
    assert sheet.only(np.array([2])).status()[:, 0].tolist() == [
        "never forgotten",
        "forgotten",
        "never forgotten",
    ]


def test_histories_are_the_traces_of_the_samples(files):
    order = [3, 1, 0, 2]  # of the sheet's rows in CORRECT
    sheet = read_sheet(*files[:1], traces=files[1])
    expected = np.array([CORRECT[run.architecture, run.seed] for run in sheet.runs])[:, order]
    np.testing.assert_array_equal(sheet.histories.correct, expected)
    np.testing.assert_array_equal(sheet.histories.predicted, 1 - expected)
    some = sheet.only(np.array([False, True, False, True])).histories
    np.testing.assert_array_equal(some.correct, expected[:, [1, 3]])
    assert sheet.histories.epochs.tolist() == [0, 1, 2, 3]
    assert read_sheet(files[0]).histories is None


def index_of(folder, **columns):
    """Write an index of the four samples, in the order of CORRECT, with more columns; return its path."""
    table = pd.DataFrame({"sample_index": [3, 1, 4, 0], "path": ["d.png", "b.png", HOSTILE, None]})
    write_parquet(folder / "index.parquet", table.assign(**columns))
    return folder / "index.parquet"


def test_paths_come_from_the_index(files, tmp_path):
    assert set(read_sheet(files[0]).samples["path"]) == {""}
    paths = read_sheet(files[0], index_of(tmp_path)).samples["path"]
    assert paths.tolist() == ["", "b.png", "d.png", HOSTILE]


def test_paths_of_an_index_that_numbers_each_split_anew(files, tmp_path):
    """Sample 0 of the split test is another than sample 0 of train."""
    table = pd.DataFrame(
        {
            "split": ["train"] * 4 + ["test"],
            "sample_index": [0, 4, 1, 3, 0],
            "path": ["none", "e.png", "b.png", "d.png", "a.png"],
        }
    )
    write_parquet(tmp_path / "index.parquet", table)
    assert read_sheet(files[0], tmp_path / "index.parquet").samples["path"].tolist() == [
        "a.png",
        "b.png",
        "d.png",
        "e.png",
    ]


def test_paths_of_an_index_that_goes_by_names_or_has_none(files, tmp_path):
    index = pd.DataFrame({"sample_id": list("ebda"), "label": [1, 1, 0, 0]})
    index["path"] = index["sample_id"] + ".png"
    for kind in (int, float):  # a column that had missing values once
        write_parquet(tmp_path / "index.parquet", index.astype({"label": kind}))
        paths = read_sheet(files[0], tmp_path / "index.parquet").samples["path"]
        assert paths.tolist() == ["a.png", "b.png", "d.png", "e.png"]
    write_parquet(tmp_path / "index.parquet", index.drop(columns="path"))
    assert set(read_sheet(files[0], tmp_path / "index.parquet").samples["path"]) == {""}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"sample_id": ["d", "b", "e", "z"]}, "another sample_id of 1 of 4 samples, the first is sample_index 0: 'z'"),
        ({"label": [0, 1, 0, 1]}, "another label of 2 of 4 samples, the first is sample_index 0: '1' in place of '0'"),
        ({"class_name": "two"}, "another class_name of 4 of 4 samples"),
        ({"sample_index": [3, 1, 4, 9]}, "lacks 1 of 4 samples, the first is sample_index 0"),
        ({"forgetting_events": 0}, "is a table of a run, as it has forgetting_events"),
    ],
)  # fmt: skip
def test_an_index_of_another_data_set_is_refused(files, tmp_path, columns, said):
    with pytest.raises(UserError, match=rf"index\.parquet: .*{said}.*; name index\.parquet of the"):
        read_sheet(files[0], index_of(tmp_path, **columns))


def test_other_tables_are_no_index(files, tmp_path):
    with pytest.raises(UserError, match=r"vit0\.parquet: is a table"):
        read_sheet(files[0], files[0][0])
    layout = pd.DataFrame({"sample_index": [0, 1, 3, 4], "offset": 0})
    write_parquet(tmp_path / "layout.parquet", layout)
    with pytest.raises(UserError, match=r"layout\.parquet: is no index of samples, it has"):
        read_sheet(files[0], tmp_path / "layout.parquet")


def test_a_class_without_a_name_is_empty(files):
    for path in files[0]:
        table = pd.read_parquet(path)
        identity = read_metadata(path)
        write_parquet(
            path, table.assign(class_name=table["class_name"].replace("one", None)), identity
        )
    assert read_sheet(files[0]).samples["class_name"].tolist() == [HOSTILE, "", HOSTILE, ""]


def test_of_some_statistics_no_other_is_kept(files):
    whole, some = read_sheet(files[0]), read_sheet(files[0], statistics=["confidence"])
    assert some.samples.equals(whole.samples)
    np.testing.assert_array_equal(some.status(), whole.status())
    assert {*some.runs[0].described} | {*some.runs[1].described} <= {*NEEDED, "sample_id"}
    assert "sample_id" in whole.runs[0].described


@pytest.mark.parametrize(
    "fault",
    [
        "twice",
        "copied",
        "lengths",
        "data set",
        "treatment",
        "samples",
        "labels",
        "traces",
        "epochs",
    ],
)
def test_what_does_not_fit_is_refused(files, tmp_path, fault):
    samples, traces = files
    table = pd.read_parquet(samples[0])
    identity = {"dataset": "odd", "architecture": "vit", "seed": 7}
    other = tmp_path / "other.parquet"
    if fault == "twice":
        samples, expected = (
            [*samples, samples[0]],
            "vit0.parquet is there twice, vit, seed 0; name",
        )
    elif fault == "copied":
        write_parquet(other, table, {**identity, "seed": 0})
        samples, traces = [*samples, other], []
        expected = (
            r"--samples: .*vit0\.parquet and .*other\.parquet are both vit, seed 0; name each"
        )
    elif fault == "lengths":
        traces, expected = traces[:2], "names 2 files, --samples 3"
    elif fault == "data set":
        write_parquet(other, table, {**identity, "dataset": "even"})
        samples, traces, expected = [*samples, other], [], "of the data set even"
    elif fault == "treatment":
        write_parquet(other, table, {**identity, "treatment": "spaced"})
        samples, traces, expected = [*samples, other], [], "of the treatment spaced"
    elif fault == "labels":
        write_parquet(other, table.drop(columns="label"), identity)
        samples, traces, expected = [*samples, other], [], "describe the run with --index"
    elif fault == "samples":
        write_parquet(other, table.iloc[1:], identity)
        samples, traces, expected = [*samples, other], [], "has other samples than"
    else:
        table = pd.read_parquet(traces[0])
        lacking = table["sample_index"] != 4 if fault == "traces" else table["epoch"] < 3
        write_parquet(traces[0], table[lacking], read_metadata(traces[0]))
        expected = "the first is e" if fault == "traces" else "runs of equally many"
    with pytest.raises(UserError, match=expected):
        _ = read_sheet(samples, traces=traces if fault != "twice" else []).histories


def test_thumbnails_are_the_cached_images(tmp_path):
    images = [np.full((20, 30, 3), 200, np.uint8), np.zeros((400, 200, 3), np.uint8)]
    np.save(tmp_path / "pixels.npy", np.concatenate([image.ravel() for image in images]))
    layout = pd.DataFrame(
        {"sample_index": [5, 2], "offset": [0, 1800], "height": [20, 400], "width": [30, 200]}
    )
    write_parquet(tmp_path / "layout.parquet", layout)
    found = thumbnails_of([tmp_path / "pixels.npy", tmp_path / "layout.parquet"], side=96)
    small, large = (Image.open(BytesIO(found.jpeg(index))) for index in (5, 2))
    assert (small.size, large.size) == ((30, 20), (48, 96))
    assert np.abs(np.asarray(small).astype(int) - 200).max() <= 3
    assert found.uri(5).startswith("data:image/jpeg;base64,")
    assert thumbnails_of([]) is None
    for index in (0, 9):  # below and above the samples that the cache has
        with pytest.raises(
            UserError, match=rf"layout\.parquet: has no image of sample_index {index}"
        ):
            found.jpeg(index)


def test_names_are_text_in_pages(tmp_path):
    page = render("base.html.j2", title=HOSTILE)
    assert "<img" not in page and "</script>" not in page and "\u202e" not in page
    assert "{{ 7 * 7 }}" in page and "&lt;img src=x onerror=alert(1)&gt;" in page
    assert not re.search("https?:", page), "pages are read without a network"


def test_another_template_is_another_digest(monkeypatch, tmp_path):
    before = digest_of_templates()
    for file in TEMPLATES.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr("retention.pages.rendering.TEMPLATES", tmp_path)
    assert digest_of_templates() == before
    (tmp_path / "look.css").write_text("a {}")
    assert digest_of_templates() != before
