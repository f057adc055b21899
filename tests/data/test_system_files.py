"""What systems leave beside images is no image: in folders, and in tables that list everything."""

import os

import pandas as pd
import pytest
from image_sets import jpeg

from retention.common.errors import UserError
from retention.common.notes import collected
from retention.data.catalogue import index_images
from retention.data.system_files import left_by_system, left_over


@pytest.fixture
def folder(tmp_path):
    """Two classes of three images each."""
    for name in ("a", "b"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(3):
            content = jpeg(ord(name) * 10 + number, (8, 8))
            (tmp_path / "images" / name / f"{number}.jpg").write_bytes(content)
    return tmp_path / "images"


def index(definition):
    """Return index, what is left out, and the notes."""
    with collected("m") as notes:
        table, left_out = index_images("m", definition, None)
    return table, left_out, notes


@pytest.mark.parametrize(
    "name",
    [
        *("RECYCLER", "~snapshot", "found.000", "FOUND.012", "_gsdata_", ".snapshot", ".Trashes"),
        *("System Volume Information", ".fseventsd", ".AppleDouble", "@Recycle", "#snapshot"),
    ],
)
def test_folders_of_systems_are_neither_classes_nor_in_classes(folder, name):
    for place in (folder, folder / "a"):
        (place / name / "x").mkdir(parents=True)
        (place / name / "x/0.jpg").write_bytes(jpeg(1))
    table, _, (note,) = index({"adapter": "imagefolder", "folder": str(folder)})
    assert len(table) == 6 and set(table["class_name"]) == {"a", "b"}
    kind = "hidden" if name.startswith(".") else name
    assert note == f"m: 2 entries that are no images are passed over: {kind} (2)"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("0.jpg:Zone.Identifier", ":Zone.Identifier"),
        ("0.jpg\uf03aZone.Identifier", ":Zone.Identifier"),
        ("0.jpg:AFP_AfpInfo", ":AFP_AfpInfo"),
        ("Thumbs.db:encryptable", ":encryptable"),
        ("0.jpg~", "~"),
        ("0.jpg.part", ".part"),
        ("0.jpg.crdownload", ".crdownload"),
        ("0.JPG.TMP", ".tmp"),
        ("0.jpg.icloud", ".icloud"),
        ("~$x.jpg", "~$…"),
        (".~lock.x#", "hidden"),
        ("SyncToy_0a.dat", "SyncToy_…"),
    ],
)
def test_files_that_programs_leave_are_counted_and_none_is_left_out(folder, name, kind):
    (folder / "a" / name).write_bytes(b"x")
    table, left_out, notes = index({"adapter": "imagefolder", "folder": str(folder)})
    assert (len(table), len(left_out)) == (6, 0)
    assert notes == [f"m: 1 entry that is no image is passed over: {kind} (1)"]


def test_a_folder_of_a_system_s_name_is_read_where_it_is_said_to_be_one_of_images(folder):
    (folder / "lost+found").mkdir()
    for number in range(3):
        (folder / "lost+found" / f"{number}.jpg").write_bytes(jpeg(200 + number, (8, 8)))
    definition = {"adapter": "imagefolder", "folder": str(folder)}
    assert len(index(definition)[0]) == 6
    table, _, notes = index(definition | {"system_files": "read"})
    assert set(table["class_name"]) == {"a", "b", "lost+found"} and notes == []


@pytest.mark.parametrize(
    "name",
    ["recycler", "Recycled", "RECYCLED", "snapshot", "found", "train", "parts", "download", "icon"],
)
def test_names_that_classes_have_are_no_systems(name):
    assert left_by_system(name) == left_over(name) == left_over(f"{name}.jpg") == ""


def of_table(folder, *paths, **more):
    """Return the definition of a table that lists the six images and `paths`."""
    rows = [(f"images/{name}/{number}.jpg", name) for name in "ab" for number in range(3)]
    rows += [(path, "ab"[number % 2]) for number, path in enumerate(paths)]
    table = folder.parent / "mine.csv"
    pd.DataFrame(rows, columns=["path", "label"]).to_csv(table, index=False)
    return {"adapter": "csv", "table": str(table), **more}


def test_rows_of_files_that_systems_leave_are_passed_over_and_counted(folder):
    names = ["a/@eaDir/t.jpg", "b/.AppleDouble/0.jpg", "a/._0.jpg", "a/.mine/t.jpg"]
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(jpeg(len(name)))
    definition = of_table(folder, *(f"images/{name}" for name in names))
    table, left_out, notes = index(definition)
    assert len(left_out) == 0
    assert set(table["sample_id"]) - {row["path"] for row in ROWS} == {"images/a/.mine/t.jpg"}
    assert notes == [
        f"m: {folder.parent}/mine.csv: 3 rows that name files which systems leave are passed over: hidden (2), @eaDir "
        "(1); system_files: read takes them"
    ]
    table, _, notes = index(definition | {"system_files": "read"})
    assert len(table) == 10 and notes == []


ROWS = [{"path": f"images/{name}/{number}.jpg"} for name in "ab" for number in range(3)]


def test_the_folder_of_all_rows_may_be_called_like_one_of_a_system(folder):
    os.rename(folder, folder.parent / "__MACOSX")
    definition = of_table(folder)
    table = folder.parent / "mine.csv"
    table.write_text(table.read_text().replace("images", "__MACOSX"))
    found, _, notes = index(definition)
    assert len(found) == 6 and notes == []


@pytest.mark.parametrize(
    ("pipe", "what"), [(False, "a folder"), (True, "no regular file (a pipe, a device)")]
)
def test_a_row_that_names_no_file_is_told_what_it_names(folder, pipe, what):
    (os.mkfifo if pipe else os.mkdir)(folder / "x.jpg")
    definition = of_table(folder, "images/x.jpg")
    with pytest.raises(UserError) as raised:
        index(definition)
    assert str(raised.value) == (
        f"{folder.parent}/mine.csv: 1 of 7 paths leads to {what} (images/x.jpg); give a row to each image, and take "
        "these out, or set on_bad_image: quarantine with max_left_out: 0.15 to go on without them"
    )
    kept = {"on_bad_image": "quarantine", "max_left_out": 0.15}
    table, left_out, _ = index(definition | kept)
    assert len(table) == 6 and len(left_out) == 1
