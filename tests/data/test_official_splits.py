"""A split that comes with the images is used or said not to be; never dropped in silence."""

import re
import shutil
from functools import partial

import pandas as pd
import pytest
from image_sets import write_places

from retention.common.errors import UserError
from retention.common.notes import collected
from retention.data.adapters import torchvision
from retention.data.catalogue import index_images
from retention.data.splits import split_samples

DRAWN = "m: no split comes with the images: one is drawn by class, groups kept whole"


def images_with(words, groups=None):
    """Return an index of two classes whose rows have these official splits."""
    ids = [f"{row:03d}" for row in range(len(words))]
    classes = [f"c{row % 2}" for row in range(len(words))]
    return pd.DataFrame(
        {"sample_id": ids, "class_name": classes, "group": groups or ids, "official_split": words}
    )


def split(words, groups=None, **options):
    """Return the split as a list, and the notes."""
    with collected("m") as notes:
        found = split_samples(images_with(words, groups), options, "m").tolist()
    return found, notes


@pytest.mark.parametrize(
    ("train", "held_out"),
    [
        ("train", "test"),
        ("Training", "TESTING"),
        (" train ", "valid"),
        ("trainval", "test"),
        ("TRAIN", "Validation"),
        ("train", "dev"),
        ("train_set", "test set"),
        ("Training-Set", "testset"),
        ("train", "eval"),
        ("train", "Evaluation"),
        ("train", "val"),
    ],
)
def test_the_parts_of_the_images_are_used_however_they_are_written(train, held_out):
    words = [train] * 6 + [held_out] * 2
    found, notes = split(words)
    assert found == ["train"] * 6 + ["test"] * 2
    part = "test" if held_out.lower().startswith("test") else "val"
    assert notes == [f"m: the split of the images is used: 6 train; held out: {part} (2)"]
    assert split(words, strategy="official")[0] == found


def test_validation_and_test_are_both_held_out_and_said():
    found, notes = split(["train"] * 4 + ["val"] * 3 + ["test"] * 2)
    assert found == ["train"] * 4 + ["test"] * 5
    assert notes == ["m: the split of the images is used: 4 train; held out: val (3), test (2)"]


@pytest.mark.parametrize(
    ("options", "words", "said"),
    [
        (
            {"strategy": "stratified_group"},
            ["train", "train", "test"] * 4,
            "(train (8), test (4)) is not used: split.strategy is stratified_group",
        ),
        (
            {},
            ["fold0", "fold1"] * 6,
            "(fold0 (6), fold1 (6)) is not used: it has no names of parts",
        ),
        ({}, ["train"] * 12, "(train (12)) is not used: it takes train and another part"),
    ],
)
def test_a_split_that_is_not_used_is_said(options, words, said):
    found, (note,) = split(words, **options)
    assert note.startswith(f"m: the split that comes with the images {said}")
    assert found == split([""] * 12, strategy="stratified_group")[0]


def test_of_images_without_a_split_it_is_said_that_one_is_drawn():
    assert split([""] * 10)[1] == [DRAWN]
    assert split([""] * 10, strategy="stratified_group")[1] == []


@pytest.mark.parametrize("other", ["", "fold1", "spare"])
def test_a_split_of_some_images_is_refused_with_the_remedy(other):
    words = ["train"] * 6 + ["test"] * 2 + [other] * 2
    with pytest.raises(UserError) as raised:
        split(words)
    assert str(raised.value) == (
        "m: 2 of 10 images have no part of the official split (train, val or test) but "
        f"{other!r} (2), the first is 008; give each one, or split: {{strategy: stratified_group}} draws one"
    )
    assert len(split(words, strategy="stratified_group")[0]) == 10


def test_groups_that_the_official_split_cuts_are_noted():
    _, notes = split(["train", "train", "test", "test"], ["a", "b", "a", "c"])
    assert notes[1] == (
        "m: the split of the images cuts through 1 group: images of one group are in training and held out"
    )


def test_a_share_that_is_asked_for_and_not_used_is_said():
    words = ["train", "train", "test", "test"]
    _, notes = split(words, test_fraction=0.3)
    assert notes[1] == (
        "m: split.test_fraction is not used, but the split of the images; "
        "split: {strategy: stratified_group} draws one"
    )
    assert len(split(words, test_fraction=0.2, seed=0)[1]) == 1


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "images"


write = partial(write_places, each=4)


def index(folder, **more):
    definition = {"adapter": "imagefolder", "folder": str(folder), **more}
    return index_images("m", definition, folder.parent)[0]


@pytest.mark.parametrize(
    "parts", [("train", "val"), ("Training", "Test"), ("train", "valid", "test")]
)
def test_folders_of_parts_are_no_classes(folder, parts):
    write(folder, *(f"{part}/{name}" for part in parts for name in ("cat", "dog")))
    table = index(folder)
    assert set(table["class_name"]) == {"cat", "dog"}
    assert set(table["official_split"]) == set(parts)
    assert table["sample_id"].str.split("/").str[0].tolist() == table["official_split"].tolist()
    found = split_samples(table, {}, "m")
    assert ((found == "train") == (table["official_split"] == parts[0])).all()
    old = index(folder, part_folders=False)
    assert set(old["class_name"]) == set(parts) and not old["official_split"].any()


def test_parts_within_each_class_are_the_split(folder):
    write(folder, *(f"{name}/{part}" for part in ("train", "val") for name in ("cat", "dog")))
    table = index(folder)
    assert set(table["class_name"]) == {"cat", "dog"}
    assert set(table["official_split"]) == {"train", "val"}


@pytest.mark.parametrize(
    "places",
    [
        ("train", "bus", "tram"),
        ("train/steam", "train/electric", "bus/city", "bus/coach"),
        ("cat/morning", "dog/evening"),
        ("test", "control"),
    ],
)
def test_classes_that_are_called_like_a_part_or_have_folders_stay_classes(folder, places):
    write(folder, *places)
    table = index(folder)
    assert set(table["class_name"]) == {place.split("/")[0] for place in places}
    assert not table["official_split"].any()


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (
            ("train/cat", "train/dog", "cat", "dog"),
            r"holds parts \(train\) beside other folders .*\(cat, dog\)",
        ),
        (
            ("train/cat", "val/cat", "extra/x"),
            r"holds parts \(train, val\) beside other folders .*\(extra\)",
        ),
        (
            ("train/cat", "train/dog", "test"),
            r"test, train are names of parts, and images lie directly in them",
        ),
        (("train", "val"), r"train, val are names of parts, and images lie directly in them"),
        (("train/cat", "train/dog"), r"holds train and no other part.* write folder: .*/train"),
        (("val/cat", "test/cat"), r"holds test, val and no other part"),
    ],
)
def test_parts_by_half_are_refused_with_the_remedy(folder, places, said):
    write(folder, *places)
    with pytest.raises(
        UserError, match=rf"^{folder}: {said}.*part_folders: false takes each for a class$"
    ):
        index(folder)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (
            ("images/train/cat", "images/val/cat"),
            "holds its parts (train, val) one folder further down; write folder: {}/images",
        ),
        (
            ("all/images/train/cat", "all/images/val/cat"),
            "holds one folder, all, so one class; classes may be the folders in images, train, val: write folder: "
            "{}/all/images",
        ),
        (
            ("train/cat", "train/dog", "test/images"),
            "test holds images, which is no class of train (cat, dog); sort its images into folders called as these, "
            "or move test elsewhere",
        ),
    ],
)
def test_a_remedy_names_the_folder_to_write_or_the_classes(folder, places, said):
    write(folder, *places)
    with pytest.raises(UserError) as raised:
        index(folder)
    assert str(raised.value) == f"{folder}: {said.format(folder)}"


@pytest.mark.parametrize(
    "places", [("{site}/{name}",), ("train/{site}/{name}", "val/{site}/{name}")]
)
def test_folders_that_all_classes_hold_are_said_to_be_no_classes(folder, places):
    names = [(site, name) for site in ("siteA", "siteB") for name in ("cat", "dog")]
    write(folder, *(p.format(site=site, name=name) for p in places for site, name in names))
    with collected("m") as notes:
        assert set(index(folder)["class_name"]) == {"siteA", "siteB"}
    assert notes[0].startswith(
        f"m: {folder}: the classes are siteA, siteB; the folders cat, dog, which each of them holds, are not; "
    )


def of_table(folder, **columns):
    write(folder, "a", "b", each=3)
    paths = [f"images/{name}/{number}.jpg" for name in "ab" for number in range(3)]
    table = pd.DataFrame({"path": paths, "label": [path[7] for path in paths], **columns})
    table.to_csv(folder.parent / "mine.csv", index=False)
    return {"adapter": "csv", "table": str(folder.parent / "mine.csv")}


@pytest.mark.parametrize("name", ["set", "Split", "phase"])
def test_a_column_that_looks_like_the_split_is_noted_and_can_be_named(folder, tmp_path, name):
    parts = ["train", "train", "val"] * 2
    definition = of_table(folder, **{name: parts})
    with collected("m") as notes:
        table, _ = index_images("m", definition, tmp_path)
    assert notes[1] == (
        f"m: {tmp_path}/mine.csv: column {name} has names of parts (train, val, test) and is not used; "
        f"split_column: {name} makes it the official split"
    )
    assert not table["official_split"].any()
    with collected("m") as notes:
        table, _ = index_images("m", definition | {"split_column": name}, tmp_path)
    assert table["official_split"].tolist() == parts and notes == []
    with pytest.raises(UserError, match=r"mine.csv: lacks the column\(s\) fold"):
        index_images("m", definition | {"split_column": "fold"}, tmp_path)


def test_a_named_column_without_parts_is_refused(folder, tmp_path):
    definition = of_table(folder, fold=[0, 1] * 3)
    with pytest.raises(
        UserError,
        match=r"split_column: fold has no names of parts .* but '0' \(3\), '1' \(3\); write",
    ):
        index_images("m", definition | {"split_column": "fold"}, tmp_path)


@pytest.mark.parametrize("name", ["is_train", "train", "isTrain", "is_test"])
@pytest.mark.parametrize("words", [[1, 0], ["True", "False"]])
def test_a_column_that_says_the_split_by_numbers_is_refused(folder, tmp_path, name, words):
    definition = of_table(folder, **{name: words * 3})
    with pytest.raises(
        UserError, match=rf"column {name} says the split by .*; write .* in a column split "
    ):
        index_images("m", definition, tmp_path)


@pytest.mark.parametrize("name", ["test", "valid", "evaluation", "training"])
def test_a_result_or_a_quality_is_noted_and_no_split(folder, tmp_path, name):
    with collected("m") as notes:
        index_images("m", of_table(folder, **{name: ["yes", "no"] * 3}), tmp_path)
    assert any(
        f"column {name} holds no and yes and is not used; where it says the split" in n
        for n in notes
    )


def test_a_column_that_says_the_groups_says_no_split(folder, tmp_path):
    definition = of_table(folder, is_test=[1, 0] * 3) | {"group_column": "is_test"}
    assert set(index_images("m", definition, tmp_path)[0]["group"]) == {"0", "1"}


def test_a_column_split_of_other_case_and_words_is_noted(folder, tmp_path):
    for word, said in (
        ("holdout", "has names of parts"),
        ("spare", r"and not 'TRAIN' \(3\), 'spare'"),
    ):
        with collected("m") as notes:
            index_images("m", of_table(folder, Split=["TRAIN", word] * 3), tmp_path)
        shutil.rmtree(folder)
        assert re.search(rf"column Split .*{said}.*split_column: Split makes it", notes[1])


PARTS = {
    "CIFAR10": {"train": {"train": True}, "test": {"train": False}},
    "EMNIST": {"train": {"train": True}, "test": {"train": False}},
    "OxfordIIITPet": {"trainval": {"split": "trainval"}, "test": {"split": "test"}},
    "ImageNet": {"train": {"split": "train"}, "val": {"split": "val"}},
    "Flowers102": {name: {"split": name} for name in ("train", "val", "test")},
    "FGVCAircraft": {name: {"split": name} for name in ("train", "val", "test")},
    "SVHN": {"train": {"split": "train"}, "test": {"split": "test"}},
    "EuroSAT": {"all": {}},
}


@pytest.mark.parametrize("name", PARTS)
def test_the_parts_of_torchvisions_sets_are_those_that_they_have(name):
    assert torchvision._parts({"name": name}) == PARTS[name]
