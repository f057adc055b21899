"""A study that was made before says what will be otherwise, and by which key it stays."""

import numpy as np
import pandas as pd
import pytest
from deep_images import tiff

from retention.common.parquet_tables import write_parquet
from retention.data.splits import split_samples
from retention.workflow.earlier import changes

OLD = {"strategy": "stratified_group", "search": False}
CSV = {"adapter": "csv", "table": "t.csv"}
FOLDER = {"adapter": "imagefolder", "folder": "images"}
PLACE = "dataset_definitions.own: "


def index(ids, groups=None, words="", width=8, names=None):
    """Return an index as version 0.1.0 made it."""
    table = pd.DataFrame({"sample_id": ids, "group": groups or ids, "official_split": words})
    table["path"] = ids
    table["class_name"] = names or [f"c{row % 2}" for row in range(len(ids))]
    table["split"] = split_samples(table, OLD, "own")
    return table.assign(width=width, height=8)


def told(folder, table, definition, split=None):
    write_parquet(folder / "own/index.parquet", table)
    study = {"datasets": {"own": definition}, "splits": {"own": split or {}}}
    return list(changes(study, folder, ["own"]))


IDS = [f"{row:03d}" for row in range(40)]


def test_nothing_is_said_of_a_study_that_stays_as_it_is(tmp_path):
    for definition in (CSV, FOLDER, {"adapter": "package", "loader": "digits"}):
        assert told(tmp_path, index(IDS), definition) == []
    assert (
        list(changes({"datasets": {"own": CSV}, "splits": {"own": {}}}, tmp_path / "x", ["own"]))
        == []
    )


def test_a_split_that_is_now_used_is_said(tmp_path):
    words = ["train"] * 30 + ["test"] * 10
    (line,) = told(tmp_path, index(IDS, words=words), CSV)
    assert (
        line.startswith(PLACE)
        and "images change sides, since the split that comes with them" in line
    )
    assert line.endswith("; split: {strategy: stratified_group} keeps what there is")
    assert told(tmp_path, index(IDS, words=words), CSV, {"strategy": "stratified_group"}) == []
    (tmp_path / "own/notes.txt").write_text("")
    assert told(tmp_path, index(IDS, words=words), CSV) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_share_that_is_now_searched_is_said(tmp_path, seed):
    table = index([f"{row:03d}" for row in range(200)])
    table["group"] = np.where(
        table["class_name"] == "c0", [f"g{row // 20}" for row in range(200)], table["group"]
    )
    big = table["class_name"].eq("c0") & table["sample_id"].lt("120")
    table.loc[big, "group"] = "big"
    split = {"strategy": "stratified_group", "seed": seed}
    table["split"] = split_samples(table, {**split, "search": False}, "own")
    found = told(tmp_path, table, CSV, split)
    missed = abs((table["split"] == "test")[table["class_name"] == "c0"].mean() - 0.2) > 0.02
    assert len(found) == missed
    if found:
        assert found[0].endswith(
            "a share was missed by more than 2 points; split: {search: false} keeps what there is"
        )
        assert told(tmp_path, table, CSV, {**split, "search": False}) == []


def test_missing_groups_that_now_are_their_own_are_said(tmp_path):
    table = index(IDS, groups=["NA"] * 20 + IDS[20:])
    (line,) = told(tmp_path, table, CSV)
    assert line == (
        f"{PLACE}images whose group is missing are now each their own; missing_groups: [] keeps what there is"
    )
    assert told(tmp_path, table, CSV | {"missing_groups": []}, {"search": False}) == []
    official = table.assign(official_split=table["split"])  # no image changes sides, intervals do
    assert "missing_groups: []" in told(tmp_path, official, CSV)[0]


def test_rows_of_systems_that_now_are_passed_over_are_said(tmp_path):
    table = index([f"img/{'@eaDir/' if row < 3 else ''}{row:03d}.png" for row in range(40)])
    (line,) = told(tmp_path, table, CSV)
    assert line == (
        f"{PLACE}files that systems leave are now passed over; system_files: read keeps what there is"
    )
    assert told(tmp_path, table, CSV | {"system_files": "read"}) == []
    own = table.assign(sample_id=[f"s{row}~" for row in range(40)])  # ids of one's own are no paths
    assert len(told(tmp_path, own, CSV)) == 1
    assert told(tmp_path, own.assign(path=[f"img/{row}.png" for row in range(40)]), CSV) == []
    below = table.assign(
        sample_id=[f"{'ab'[row % 2]}/{'@eaDir/' if row < 3 else ''}{row}.png" for row in range(40)]
    )
    (line,) = told(tmp_path, below, {"adapter": "imagefolder", "folder": str(tmp_path)})
    assert "files that systems leave are now passed over; system_files: read" in line


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (["train", "val"], ["cat", "dog"], "its first folders are now the parts of a split"),
        (["train2017", "val2017"], ["a", "b"], "its first folders are now the parts of a split"),
        (
            ["cat", "dog"],
            ["s/train", "s/val"],
            "the folders in its classes are now the parts of a split",
        ),
        (
            ["cat", "dog"],
            ["train", "val"],
            "the folders in its classes are now the parts of a split",
        ),
    ],
)
def test_folders_that_now_are_parts_are_said(tmp_path, first, second, said):
    ids = [f"{a}/{b}/{number}.jpg" for a in first for b in second for number in range(5)]
    table = index(ids, names=[name.split("/")[0] for name in ids])
    (line,) = told(tmp_path, table, FOLDER)
    assert line.startswith(PLACE + said) and line.endswith(
        "; part_folders: false keeps what there is"
    )
    assert told(tmp_path, table, FOLDER | {"part_folders": False}) == []


def test_images_behind_links_that_now_are_read_are_said(tmp_path):
    for place in ("images/a", "images/b", "store"):
        (tmp_path / place).mkdir(parents=True)
        for number in range(5):
            (tmp_path / place / f"{number}.jpg").write_bytes(b"x")
    ids = [f"{name}/{number}.jpg" for name in "ab" for number in range(5)]
    definition = FOLDER | {"folder": str(tmp_path / "images")}
    assert told(tmp_path, index(ids), definition) == []
    (tmp_path / "images/a/more").symlink_to(tmp_path / "store")
    (line,) = told(tmp_path, index(ids), definition)
    assert line == (
        f"{PLACE}5 images behind links to folders are now read; taking the links away keeps what there is"
    )


def test_images_that_now_are_squeezed_are_said(tmp_path):
    table = index(IDS, width=200)
    (line,) = told(tmp_path, table, CSV)
    assert line == (
        f"{PLACE}images longer than 16 short sides are now squeezed to that; max_aspect: 26 keeps what there is"
    )
    assert told(tmp_path, table, CSV | {"max_aspect": 26}) == []


def test_parts_of_torchvision_that_now_are_read_are_said(tmp_path):
    flowers = {"adapter": "torchvision", "name": "Flowers102"}
    (line,) = told(tmp_path, index(IDS), flowers)
    assert line.startswith(
        PLACE + "all parts of the set are now read; parts: {train: {split: train}, "
    )
    assert told(tmp_path, index(IDS), flowers | {"parts": {"train": {}}}) == []


def test_16_bit_tiffs_that_are_now_inverted_are_said(tmp_path):
    tiff(tmp_path / "0.tif", np.zeros((8, 8), dtype="<u2"), 0)
    tiff(tmp_path / "1.tif", np.zeros((8, 8), dtype="<u2"), 1)
    said = f"{PLACE}16-bit TIFFs whose header says that 0 is white are now inverted; white_is_zero: keep keeps what there is"
    for number, lines in (("0", [said]), ("1", [])):
        table = index(IDS).assign(path=f"{tmp_path}/{number}.tif")
        assert told(tmp_path, table, CSV) == lines
        assert told(tmp_path, table, CSV | {"white_is_zero": "keep"}) == []
