"""Which names are parts of a split, one rule for folders, columns and paths; and parts that only some images have."""

from functools import partial

import pandas as pd
import pytest
from image_sets import write_places

from retention.common.errors import UserError
from retention.common.notes import collected
from retention.data.catalogue import index_images
from retention.data.official import like_parts, part_of

write = partial(write_places, each=2)


def index(folder, **more):
    """Return the index of class folders, and the notes."""
    definition = {"adapter": "imagefolder", "folder": str(folder), **more}
    with collected("m") as notes:
        table, _ = index_images("m", definition, None)
    return table, notes


@pytest.mark.parametrize(
    ("train", "other"),
    [
        ("seg_train", "seg_test"),
        ("train2017", "val2017"),
        ("train_2017", "valid_2017"),
        ("train-v2", "dev-v2"),
        ("trn", "tst"),
        ("01_train", "02_test"),
        ("train_images", "test_images"),
        ("train_set", "test_set"),
        ("Training Images", "Testing Images"),
        ("TrainData", "TestData"),
        ("train_32x32", "test_32x32"),
        ("stage1_train", "stage1_test"),
        ("train (1)", "test (1)"),
    ],
)
def test_names_of_parts_may_have_numbers_and_words_for_data_around_them(tmp_path, train, other):
    assert (part_of(train), part_of(other)[0] in "vt") == ("train", True)
    write(tmp_path, *(f"{part}/{name}" for part in (train, other) for name in ("cat", "dog")))
    table, _ = index(tmp_path)
    assert set(table["class_name"]) == {"cat", "dog"}
    assert set(table["official_split"]) == {train, other}


@pytest.mark.parametrize(
    "name",
    [
        *("test_tube", "training_shoe", "invalid", "Control", "contest", "trainer", "restrain"),
        *(
            "device",
            "evaluate me",
            "train_test",
            "train+unlabeled",
            "2017",
            "data",
            "1" * 4000 + "x",
        ),
    ],
)
def test_with_any_other_word_a_name_is_none(name):
    assert part_of(name) == ""


@pytest.mark.parametrize(
    "places",
    [
        ("train", "bus", "car"),
        ("Control", "Test"),
        ("valid", "invalid"),
        ("test_tube", "training_shoe"),
        ("Test 1/a", "Test 2/a", "Control/a"),
        ("val1", "val2"),
        ("vehicle/train", "vehicle/bus", "exam/test"),
    ],
)
def test_classes_that_are_called_so_stay_classes_without_a_word(tmp_path, places):
    write(tmp_path, *places)
    table, notes = index(tmp_path)
    assert set(table["class_name"]) == {place.split("/")[0] for place in places}
    assert not table["official_split"].any() and notes == []


def test_a_folder_of_one_folder_of_its_name_is_looked_through(tmp_path):
    places = [f"{p}/{p}/{name}" for p in ("seg_train", "seg_test") for name in ("cat", "dog")]
    write(tmp_path / "a", *places)
    table, _ = index(tmp_path / "a")
    assert set(table["class_name"]) == {"cat", "dog"}
    assert set(table["official_split"]) == {"seg_train", "seg_test"}
    assert table["sample_id"][0] == "seg_test/seg_test/cat/0.jpg"
    write(tmp_path / "a", "seg_pred/seg_pred")
    with pytest.raises(
        UserError,
        match=r"holds parts \(seg_test, seg_train\) beside .* \(seg_pred\); move these elsewhere",
    ):
        index(tmp_path / "a")
    write(tmp_path / "b", "all/all/train/cat", "all/all/val/cat")
    with pytest.raises(UserError, match=rf"write folder: {tmp_path}/b/all/all$"):
        index(tmp_path / "b")
    write(tmp_path / "c", "cat/cat", "dog/dog/dog")
    assert set(index(tmp_path / "c")[0]["class_name"]) == {"cat", "dog"}


def test_parts_further_down_in_classes_are_the_split(tmp_path):
    write(
        tmp_path, *(f"{c}/{s}/{p}" for c in "ab" for s in ("s1", "s2") for p in ("train", "test"))
    )
    table, _ = index(tmp_path)
    assert set(table["class_name"]) == {"a", "b"}
    assert table["official_split"].tolist() == [way.split("/")[2] for way in table["sample_id"]]


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (("cat/train", "cat/test", "dog"), "(cat/test, cat/train) beside .* have none (dog)"),
        (("cat/train", "cat/test", "dog/x"), "(cat/test, cat/train) beside .* have none (dog/x)"),
        (
            ("cat/train", "cat/val", "cat/more", "dog/train"),
            "beside .* have none (cat/more, dog/train)",
        ),
        (("cat/train", "cat/test", "dog/s/train", "dog/s/test"), "at different depths"),
    ],
)
def test_parts_of_some_images_in_classes_are_refused_with_the_remedy(tmp_path, places, said):
    write(tmp_path, *places)
    pattern = said.replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(UserError, match=rf"^{tmp_path}: classes hold parts .*{pattern}; put all"):
        index(tmp_path)
    table, _ = index(tmp_path, part_folders=False)
    assert set(table["class_name"]) == {"cat", "dog"} and not table["official_split"].any()


def test_names_that_may_be_parts_are_noted(tmp_path):
    write(tmp_path, "train_cats", "test_cats", "train_dogs", "test_dogs", "owl")
    table, (note,) = index(tmp_path)
    assert table["class_name"].nunique() == 5
    assert note == (
        f"m: {tmp_path}: test_cats, test_dogs, train_cats, train_dogs are taken for classes; if they are parts of a "
        "split, sort their images into train/<class> and test/<class>"
    )
    assert index(tmp_path, part_folders=False)[1] == []
    assert like_parts(["training_shoe", "test_tube", "train_augmented", "dev_kit"]) == []


@pytest.mark.parametrize(
    "places", [("cat", "cat/test", "dog", "dog/test"), ("cat/test", "dog/test")]
)
def test_a_part_alone_in_each_class_is_noted(tmp_path, places):
    write(tmp_path, *places)
    assert index(tmp_path)[1] == [
        f"m: {tmp_path}: each class holds folders called like parts (test) that are not used; a split takes "
        "<class>/train and another part, and all images in them"
    ]
    assert index(tmp_path, part_folders=False)[1] == []


def of_table(folder, places, **columns):
    """Write images into places and a table of them, and return its definition."""
    write(folder / "img", *places)
    paths = [f"img/{place}/{number}.jpg" for place in places for number in range(2)]
    table = pd.DataFrame(
        {"path": paths, "label": [path.split("/")[-2] for path in paths], **columns}
    )
    table.to_csv(folder / "mine.csv", index=False)
    return {"adapter": "csv", "table": str(folder / "mine.csv")}


def notes_of(definition):
    with collected("m") as notes:
        table, _ = index_images("m", definition, None)
    return table, notes


def test_parts_in_the_paths_of_a_table_are_noted_where_no_column_says_the_split(tmp_path):
    places = [f"{part}/{name}" for part in ("train", "test") for name in ("cat", "dog")]
    _, notes = notes_of(of_table(tmp_path / "a", places))
    assert notes == [
        f"m: {tmp_path}/a/mine.csv: paths lie in folders that look like parts (img/test, img/train), and no column says "
        "the split; a column split with train, val and test makes it the official one"
    ]
    words = ["train2017"] * 4 + ["val2017"] * 4
    table, notes = notes_of(of_table(tmp_path / "b", places, split=words))
    assert sorted(table["official_split"]) == words and notes == []
    _, notes = notes_of(of_table(tmp_path / "c", ["train", "bus"]))
    assert notes == []


def test_a_column_of_ones_and_zeros_is_the_split_by_its_plain_name_alone(tmp_path):
    definition = of_table(tmp_path, ["cat", "dog"], test_1=[0, 1] * 2)
    assert notes_of(definition)[1] == [f"m: {tmp_path}/mine.csv: columns not used: test_1"]


@pytest.mark.parametrize("gone", ["test", "train"])
def test_a_part_of_which_no_image_can_be_read_stops_the_run(tmp_path, gone):
    parts = ["train", "test"] * 4
    definition = of_table(tmp_path, ["cat", "dog", "owl", "yak"], split=parts)
    definition |= {"on_bad_image": "quarantine", "max_left_out": 0.5}
    for path in (tmp_path / "img").glob(f"*/{parts.index(gone)}.jpg"):
        path.write_bytes(b"")
    with pytest.raises(UserError) as raised:
        notes_of(definition)
    assert str(raised.value) == (
        f"m: no readable image is left of {gone} in the split that comes with the images; mend its images, or take the "
        "parts out of the table or folders to have a split drawn"
    )
    table = pd.read_csv(tmp_path / "mine.csv")
    table[table["split"] != gone].to_csv(tmp_path / "mine.csv", index=False)
    assert len(notes_of(definition)[0]) == 4


def test_a_split_that_is_whole_without_its_lost_part_is_used_and_said(tmp_path):
    parts = ["train", "test", "val", "train"] * 2
    definition = of_table(tmp_path, ["cat", "dog"], split=parts[:4])
    definition |= {"on_bad_image": "quarantine", "max_left_out": 0.6}
    rows = pd.read_csv(tmp_path / "mine.csv")
    for path in rows.loc[rows["split"] == "val", "path"]:
        (tmp_path / path).write_bytes(b"")
    _, notes = notes_of(definition)
    assert any(
        "no readable image is left of val in the split that comes with the images; test, train are used"
        in note
        for note in notes
    )


def test_a_part_of_files_of_unknown_kinds_is_no_lost_split(tmp_path):
    write(tmp_path, "train/cat", "train/dog", "test/cat", "test/dog", "test/.x", each=2)
    for path in tmp_path.glob("test/*/*.jpg"):
        path.rename(path.with_suffix(".heic"))
    with pytest.raises(UserError, match=r"4 of 8 files are left out"):
        index(tmp_path)
    with pytest.raises(UserError, match=r"^m: no readable image is left of test in the split"):
        index(tmp_path, max_left_out=0.5)
    for path in tmp_path.glob("test/cat/*.heic"):
        path.rename(path.with_suffix(".jpg"))
    assert len(index(tmp_path, max_left_out=0.5)[0]) == 6
