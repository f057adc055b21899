"""A name under data/ is one data set or backbone, whichever study asks for it."""

import json
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from retention.workflow.shared_names import made_from, shared_faults, spelled_as_before

CONFIG = {"study": "second", "datasets": ["own"], "architectures": ["net"]}
CONFIG |= {"control_architectures": [], "architecture_definitions": {"net": {"weights": "hub"}}}
NET = {"timm": "resnet18", "weights": "hub", "image_size": 32}


@pytest.fixture
def folder(tmp_path):
    """A folder in which a study has used a data set, which a link names, too."""
    (tmp_path / "first").mkdir()
    (tmp_path / "link").symlink_to("first")
    for study in ("first", "third"):
        (tmp_path / f"results/{study}/own").mkdir(parents=True)
        (tmp_path / f"results/{study}/own/split.yaml").write_text("")
    return tmp_path


def record(folder: Path, output: str, definition: dict) -> None:
    """Write an output and Snakemake's record of it, as version 9 does."""
    (folder / output).parent.mkdir(parents=True, exist_ok=True)
    (folder / output).write_text("")
    name = urlsafe_b64encode(output.encode()).decode()
    place = folder / ".snakemake/metadata" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    parameters = [repr("a digest"), repr(json.dumps(definition, sort_keys=True))]
    place.write_text(json.dumps({"params": parameters}))


def faults(folder: Path, before: dict, now: dict, **config) -> list[str]:
    record(folder, "data/raw/own/fetched.yaml", before)
    study = {"datasets": {"own": now}, "architectures": {"net": NET}}
    return list(shared_faults(study, CONFIG | config, folder))


IMAGES = {"adapter": "imagefolder", "folder": "first"}
DIGITS = {"adapter": "package", "loader": "digits"}
CIFAR = {"adapter": "torchvision", "name": "CIFAR10"}
FILE = {"urls": ["https://a/x.zip"], "md5": "1" * 32}


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (IMAGES, IMAGES | {"folder": "second"}, "folder first, here folder second"),
        (
            IMAGES,
            {"adapter": "csv", "table": "t.csv"},
            "adapter imagefolder, folder first, table null, here adapter csv, folder null, table t.csv",
        ),
        (CIFAR, CIFAR | {"name": "CIFAR100"}, "name CIFAR10, here name CIFAR100"),
        (CIFAR, CIFAR | {"options": {"size": 1}}, 'options null, here options {"size": 1}'),
        (DIGITS, DIGITS | {"keep_per_class": [1, 2]}, "null, here keep_per_class [1, 2]"),
        (
            {"adapter": "octdl", "files": {"x.zip": FILE}},
            {"adapter": "octdl", "files": {"x.zip": FILE | {"md5": "2" * 32}}},
            "files ",
        ),
    ],
)
def test_another_source_under_a_name_in_use_is_refused(folder, before, now, told):
    (line,) = faults(folder, before, now)
    assert line.startswith("dataset_definitions.own: data/ has something else under this name, ")
    assert told in line
    assert line.endswith(
        "give it another name, or delete data/raw/own/fetched.yaml to replace the other and the "
        "results of first, third"
    )
    (folder / "data/raw/own/fetched.yaml").unlink()
    study = {"datasets": {"own": now}, "architectures": {"net": NET}}
    assert list(shared_faults(study, CONFIG, folder)) == []


def test_a_mistake_is_corrected_while_nothing_stands_on_it(tmp_path):
    """A fetch that recorded a wrong table, and no index of it: the corrected one takes its place."""
    before, now = ({"adapter": "csv", "table": name} for name in ("wrong.csv", "right.csv"))
    assert faults(tmp_path, before, now) == []
    (tmp_path / "data/index/own").mkdir(parents=True)
    assert len(faults(tmp_path, before, now)) == 1


@pytest.mark.parametrize("spelling", ["first/", "./first", "link", "{}/first", "first/../first"])
def test_the_same_folder_written_otherwise_is_the_same_and_repeats_no_job(folder, spelling):
    now = IMAGES | {"folder": spelling.format(folder), "title": "t"}
    assert faults(folder, IMAGES, now) == []
    found = spelled_as_before({"datasets": {"own": now}}, CONFIG, folder)
    assert found == {"own": IMAGES | {"title": "t"}}
    other = {"own": IMAGES | {"folder": "second"}}
    assert spelled_as_before({"datasets": other}, CONFIG, folder) == other


def test_what_describes_a_data_set_and_its_mirrors_may_change(folder):
    other = {"title": "t", "citation": "@a{b}", "families": "last_word", "licence": "MIT"}
    assert faults(folder, IMAGES, IMAGES | other) == []
    moved = {"adapter": "octdl", "files": {"x.zip": FILE | {"urls": ["https://b/x.zip"]}}}
    assert faults(folder, {"adapter": "octdl", "files": {"x.zip": FILE}}, moved) == []


def test_another_option_is_refused_only_where_another_study_stands_on_the_data(folder):
    now = IMAGES | {"group_column": "patient"}
    (line,) = faults(folder, IMAGES, now)
    assert "group_column null, here group_column patient" in line
    for study in ("first", "third"):
        (folder / f"results/{study}/own/split.yaml").unlink()
    assert faults(folder, IMAGES, now) == []


def test_another_backbone_under_a_name_in_use_is_refused(folder):
    record(folder, "data/weights/net.yaml", NET | {"timm": "resnet34", "image_size": 64})
    (line,) = faults(folder, IMAGES, IMAGES)
    assert line == (
        "architecture_definitions.net: data/ has something else under this name, timm resnet34, here timm "
        "resnet18; give it another name, or delete data/weights/net.yaml to replace the other"
    )
    record(folder, "data/weights/net.yaml", NET | {"image_size": 64})
    assert faults(folder, IMAGES, IMAGES) == []


def test_a_data_set_that_a_backbone_is_pretrained_on_counts(folder):
    weights = {"net": {"weights": {"source": "own"}}}
    more = {"datasets": [], "architecture_definitions": weights}
    assert len(faults(folder, IMAGES, IMAGES | {"folder": "second"}, **more)) == 1


@pytest.mark.parametrize("content", ["", "[]", '{"params": null}', '{"params": ["x y"]}'])
def test_a_record_that_tells_nothing_refuses_nothing(folder, content):
    record(folder, "data/raw/own/fetched.yaml", IMAGES)
    (place,) = (folder / ".snakemake/metadata").iterdir()
    place.write_text(content)
    assert made_from(folder, "data/raw/own/fetched.yaml") is None


def test_the_record_of_a_long_name_is_found(folder):
    """Snakemake cuts names that a file could not have; here a folder of 200 letters."""
    output = f"data/raw/{'x' * 200}/fetched.yaml"
    name = urlsafe_b64encode(output.encode()).decode()
    place = folder / ".snakemake/metadata" / f"@{name[:254]}" / name[254:]
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"params": [repr(json.dumps(IMAGES))]}))
    (folder / output).parent.mkdir(parents=True)
    (folder / output).write_text("")
    assert made_from(folder, output) == IMAGES
