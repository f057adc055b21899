"""OCTDL and CUB-200-2011: read as they are published, held to what they promise."""

import pandas as pd
import pytest
import yaml
from image_sets import OCTDL_CLASSES, TWO_CLASS_PATIENT, write_cub, write_octdl
from sources import ROOT

from retention.common.errors import UserError
from retention.data.archives import unpack
from retention.data.catalogue import COLUMNS, index_images
from retention.data.splits import split_samples

OCTDL = {"adapter": "octdl", "class_counts": OCTDL_CLASSES, "group_column": "patient_id"}
BY_GROUP = {"strategy": "stratified_group", "test_fraction": 0.25, "seed": 0}


@pytest.fixture
def octdl(tmp_path):
    write_octdl(tmp_path)
    unpack(tmp_path / "OCTDL.zip", tmp_path)
    return tmp_path


def test_octdl_is_joined_by_file_name(octdl):
    table, _ = index_images("octdl", OCTDL, octdl)
    assert list(table.columns) == COLUMNS
    assert table["class_name"].value_counts().to_dict() == OCTDL_CLASSES
    for row in table.itertuples():
        assert row.sample_id.startswith(row.class_name.lower() + "_")
        assert row.path.endswith(f"/{row.class_name}/{row.sample_id}.jpg")
    assert table["sample_id"].is_monotonic_increasing
    two = table[table["group"] == TWO_CLASS_PATIENT]
    assert set(two["class_name"]) == {"AMD", "VID"}


def test_octdl_splits_by_patient_with_every_class_on_both_sides(octdl):
    table, _ = index_images("octdl", OCTDL, octdl)
    for seed in range(20):
        split = split_samples(table, {**BY_GROUP, "seed": seed}, "octdl")
        assert split.index.equals(table.index)
        assert 0.24 < (split == "test").mean() < 0.29
        assert split.groupby(table["group"]).nunique().max() == 1
        for name in OCTDL_CLASSES:
            assert set(split[table["class_name"] == name]) == {"train", "test"}, (seed, name)


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda f: write_octdl(f, skip=3), r"3 of 88 images of OCTDL_labels\.csv are missing"),
        (lambda f: (f / "OCTDL_labels.csv").unlink(), "is missing"),
    ],
)
def test_octdl_is_held_to_what_its_labels_promise(tmp_path, break_it, said):
    write_octdl(tmp_path)
    break_it(tmp_path)
    unpack(tmp_path / "OCTDL.zip", tmp_path)
    with pytest.raises(UserError, match=said):
        index_images("octdl", OCTDL, tmp_path)


def test_octdl_with_other_class_counts_is_refused(octdl):
    definition = {**OCTDL, "class_counts": {**OCTDL_CLASSES, "AMD": 25}}
    with pytest.raises(UserError, match="class counts"):
        index_images("octdl", definition, octdl)


def test_cub_is_joined_on_the_image_id_and_keeps_its_official_split(tmp_path):
    write_cub(tmp_path)
    unpack(tmp_path / "CUB_200_2011.tgz", tmp_path)
    table, _ = index_images("cub200", {"adapter": "cub200"}, tmp_path)
    assert len(table) == 18
    for row in table.itertuples():
        assert row.sample_id.startswith(row.class_name + "/")
        number = int(row.class_name[:3]) * 6 - 6 + int(row.sample_id[-8:-4]) + 1
        assert row.official_split == ("train" if number % 2 else "test")
    split = split_samples(table, {"strategy": "official"}, "cub200")
    assert split.tolist() == table["official_split"].tolist()


@pytest.mark.slow
def test_octdl_and_cub_go_through_the_workflow_from_a_server(clone, tmp_path_factory, server):
    served = tmp_path_factory.mktemp("served")
    write_octdl(served)
    write_cub(served)
    for file in served.iterdir():
        server.bodies[f"/{file.name}"] = file.read_bytes()
    registry = yaml.safe_load((ROOT / "scripts/retention/resources/datasets.yaml").read_text())
    definitions = {}
    for name in ("octdl", "cub200"):
        files = {file: {"urls": [server.url(f"/{file}")]} for file in registry[name]["files"]}
        definitions[name] = {**registry[name], "files": files}
    definitions["octdl"]["class_counts"] = OCTDL_CLASSES
    (clone.folder / "served.yaml").write_text(yaml.safe_dump({"dataset_definitions": definitions}))
    targets = [
        f"{place}/{name}/{file}"
        for name in definitions
        for place, file in (("results/paper", "index.parquet"), ("data/cache", "256/pixels.npy"))
    ]
    code, output = clone.snakemake("--configfile", "served.yaml", "--", *targets)
    assert code == 0, output
    index = pd.read_parquet(clone.folder / "results/paper/octdl/index.parquet")
    assert index.groupby("group")["split"].nunique().max() == 1
    assert len(index) == sum(OCTDL_CLASSES.values())
    birds = pd.read_parquet(clone.folder / "results/paper/cub200/index.parquet")
    assert birds["split"].tolist() == birds["official_split"].tolist()
    layout = pd.read_parquet(clone.folder / "data/cache/cub200/256/layout.parquet")
    assert layout[["height", "width"]].drop_duplicates().to_numpy().tolist() == [[256, 341]]
