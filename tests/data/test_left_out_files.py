"""What lies in a folder and is no image that can be read: counted, named, and stopped where it is much."""

import os

import pytest
from image_sets import jpeg

from retention.common.errors import UserError
from retention.common.notes import collected
from retention.data.adapters.octdl import _images_below
from retention.data.catalogue import index_images
from retention.data.image_files import open_image
from retention.workflow.listing import listing_of


@pytest.fixture
def folder(tmp_path):
    """Two classes of ten images each."""
    for name in ("a", "b"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(10):
            content = jpeg(ord(name) * 10 + number, (8, 8))
            (tmp_path / "images" / name / f"{number}.jpg").write_bytes(content)
    return tmp_path / "images"


def index(folder, **more):
    """Return index, what is left out, and the notes."""
    definition = {"adapter": "imagefolder", "folder": str(folder), **more}
    with collected("mine") as notes:
        table, left_out = index_images("mine", definition, folder.parent)
    return table, left_out, notes


def test_files_of_unknown_kinds_stop_where_they_are_many(folder):
    for number in range(8):
        (folder / f"a/{number}.jpg").rename(folder / f"a/{number}.HEIC")
    (folder / "b/raw").write_bytes(b"x")
    with pytest.raises(UserError) as raised:
        index(folder)
    line = str(raised.value)
    assert line.startswith(
        "mine: 9 of 21 files are left out, more than max_left_out: 0.1 allows: unknown kind .heic (8), no suffix (1); "
    )
    assert f"({folder}/a/0.HEIC, {folder}/a/1.HEIC, " in line
    assert line.endswith("set max_left_out: 0.43 in dataset_definitions.mine")
    table, left_out, notes = index(folder, max_left_out=0.43)
    assert len(table) == 12
    assert left_out["sample_id"].tolist() == [*(f"a/{n}.HEIC" for n in range(8)), "b/raw"]
    assert left_out["reason"].tolist() == ["unknown kind .heic"] * 8 + ["no suffix"]
    assert notes == [
        "mine: 9 of 21 files are left out: unknown kind .heic (8), no suffix (1); data/index/mine/quarantine.csv "
        "names them"
    ]


def test_of_many_files_ten_are_named(folder):
    for number in range(30):
        (folder / f"a/{number}.avif").write_bytes(b"x")
    with pytest.raises(UserError, match="and 20 more") as raised:
        index(folder)
    assert str(raised.value).count(".avif") == 11


def test_what_certainly_is_no_image_is_counted_and_stops_nothing(folder):
    for number in range(15):
        (folder / f"a/{number}.txt").write_text("a label")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._0.jpg", "0.jpg@SynoEAStream"):
        (folder / "b" / name).write_bytes(b"x")
    (folder / "labels.csv").write_text("x")
    table, left_out, notes = index(folder)
    assert (len(table), len(left_out)) == (20, 0)
    assert notes == [
        "mine: 21 entries that are no images are passed over: .txt (15), hidden (2), .csv (1), @Syno… (1), "
        "Thumbs.db (1), desktop.ini (1)"
    ]


@pytest.mark.parametrize(
    "name", ["@eaDir", "#recycle", "__MACOSX", ".ipynb_checkpoints", "lost+found", "$RECYCLE.BIN"]
)
def test_folders_of_systems_are_not_entered(folder, name):
    for place in (folder, folder / "a"):
        (place / name / "0.jpg").mkdir(parents=True)
        (place / name / "0.jpg/thumb.jpg").write_bytes(jpeg(1))
    table, _, notes = index(folder)
    assert len(table) == 20 and set(table["class_name"]) == {"a", "b"}
    assert notes == [f"mine: 2 entries that are no images are passed over: {name} (2)"]


def test_links_are_followed_by_reader_and_listing(folder):
    definition = {"adapter": "imagefolder", "folder": str(folder)}
    plain = listing_of(definition)
    store = folder.parent / "store"
    store.mkdir()
    (folder / "b/session").symlink_to(store)
    (store / "x.jpg").write_bytes(jpeg(1))
    linked = listing_of(definition)
    assert linked != plain
    table, _, _ = index(folder)
    assert "b/session/x.jpg" in set(table["sample_id"])
    (store / "y.jpg").write_bytes(jpeg(2))
    assert listing_of(definition) != linked
    (folder / "a/gone.jpg").symlink_to(folder / "nowhere.jpg")
    table, left_out, _ = index(folder)
    assert left_out[["sample_id", "reason"]].to_numpy().tolist() == [["a/gone.jpg", "broken link"]]
    assert len(table) == 22


@pytest.mark.parametrize("target", [".", "..", "../..", "self"])
def test_a_link_that_leads_back_is_refused_in_one_line(folder, target):
    (folder / "a/loop").symlink_to(folder / "a" / target if target != "self" else "loop")
    definition = {"adapter": "imagefolder", "folder": str(folder)}
    if target == "self":  # leads nowhere
        assert index(folder)[1]["reason"].tolist() == ["broken link"]
        return
    with pytest.raises(
        UserError, match=rf"^{folder}/a/loop: is a link to .*, which holds it; remove it$"
    ):
        index(folder)
    before = listing_of(definition)
    (folder / "b/new.jpg").write_bytes(jpeg(3))
    assert listing_of(definition) != before


def test_a_loop_through_two_links_is_refused(folder):
    store = folder.parent / "store"
    store.mkdir()
    (folder / "a/out").symlink_to(store)
    (store / "back").symlink_to(folder)
    with pytest.raises(
        UserError, match=rf"^{folder}/a/out/back: is a link to {folder}, which holds it"
    ):
        index(folder)


def test_a_folder_that_can_not_be_read_is_an_error(folder, monkeypatch):
    scan = os.scandir

    def refuses(place):
        if str(place).endswith("/b"):
            raise PermissionError(13, "Permission denied", str(place))
        return scan(place)

    monkeypatch.setattr(os, "scandir", refuses)
    with pytest.raises(UserError, match=rf"^{folder}/b: cannot be read \(Permission denied\)"):
        index(folder)


def latin(place, *others):
    """Rename the first path to one that ends in a byte of Latin-1, and return its bytes as Python writes them."""
    new = os.path.join(os.fsencode(place.parent), *others)
    os.rename(os.fsencode(place), new)
    return repr(new)


def test_names_that_are_no_utf8_are_said_before_anything_is_read(folder):
    one = latin(folder / "a/0.jpg", b"caf\xe9.jpg")
    with pytest.raises(UserError) as raised:
        index(folder)
    assert str(raised.value) == (
        f"1 file with a name that is no UTF-8: {one}; rename it (convmv renames whole trees)"
    )
    assert listing_of({"folder": str(folder)})
    every = [
        latin(folder / f"{name}/{n}.jpg", b"\xe9%d.jpg" % n) for name in "ab" for n in range(1, 10)
    ]
    with pytest.raises(UserError) as raised:
        index(folder)
    shown = ", ".join([one, *every[:9]])
    assert str(raised.value).startswith(
        f"19 files with a name that is no UTF-8: {shown} and 9 more; rename them"
    )


def test_a_folder_whose_name_is_no_utf8_is_named_in_the_place_of_its_files(folder):
    (folder / "b/notes").mkdir()
    (folder / "b/notes/x.txt").touch()
    latin(folder / "b/notes", b"\xe9")
    assert len(index(folder)[0]) == 20  # holds no image
    one = latin(folder / "a", b"caf\xe9")
    with pytest.raises(UserError, match=r"^1 folder with a name that is no UTF-8: ") as raised:
        index(folder)
    assert f": {one}; rename it" in str(raised.value)


def test_a_folder_that_is_called_like_an_image_and_a_pipe_are_no_images(folder):
    (folder / "a/x.png").mkdir()
    os.mkfifo(folder / "a/pipe.png")
    table, left_out, _ = index(folder)
    assert len(table) == 20
    assert left_out["reason"].tolist() == ["no regular file"]


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to a pipe"])
def test_what_is_no_regular_file_in_a_table_is_said_and_never_waited_for(folder, kind):
    odd = folder / "a/odd.png"
    if kind == "folder":
        odd.mkdir()
    else:
        os.mkfifo(odd if kind == "pipe" else folder.parent / "pipe")
    if kind == "link to a pipe":
        odd.symlink_to(folder.parent / "pipe")
    names = [f"images/{name}/{number}.jpg" for name in "ab" for number in range(10)]
    rows = [f"{path},{path[7]}" for path in [*names, "images/a/odd.png"]]
    table = folder.parent / "t.csv"
    table.write_text("\n".join(["path,label", *rows, ""]))
    definition = {"adapter": "csv", "table": str(table)}
    what = "a folder" if kind == "folder" else r"no regular file \(a pipe, a device\)"
    told = rf"t.csv: 1 of 21 paths leads to {what} \(.*odd.png\); give a row to each image"
    with pytest.raises(UserError, match=told):
        index_images("mine", definition, folder)
    _, left_out = index_images("mine", definition | {"on_bad_image": "quarantine"}, folder)
    assert left_out["reason"].tolist() == ["is a folder" if kind == "folder" else "no regular file"]
    with pytest.raises(ValueError, match="no regular file"):
        open_image({}, str(odd))
    with pytest.raises(UserError, match=r"odd.png: is (no regular file|a folder)"):
        index_images("mine", {"adapter": "csv", "table": str(odd)}, folder)


def test_an_image_in_no_class_folder_is_left_out(folder):
    (folder / "loose.jpg").write_bytes(jpeg(1))
    table, left_out, notes = index(folder)
    assert len(table) == 20
    assert left_out["reason"].tolist() == ["in no class folder"]
    assert "mine: 1 of 21 files is left out: in no class folder (1)" in notes[0]


def test_bad_images_count_with_what_is_left_out(folder):
    (folder / "a/0.jpg").write_bytes(b"")
    (folder / "a/1.heic").write_bytes(b"x")
    (folder / "a/2.heic").write_bytes(b"x")
    with pytest.raises(UserError, match=r"a/0.jpg: cannot be decoded"):
        index(folder)
    with pytest.raises(
        UserError,
        match=r"3 of 22 files are left out.*: unknown kind .heic \(2\), cannot be decoded \(1\)",
    ):
        index(folder, on_bad_image="quarantine")
    _, left_out, _ = index(folder, on_bad_image="quarantine", max_left_out=0.2)
    assert left_out["sample_id"].tolist() == ["a/0.jpg", "a/1.heic", "a/2.heic"]


def test_of_many_bad_images_ten_are_named(folder):
    for path in folder.glob("*/[1-9].jpg"):
        path.write_bytes(b"")
    with pytest.raises(UserError) as raised:
        index(folder)
    lines = str(raised.value).splitlines()
    assert len(lines) == 11
    assert lines[-1].startswith("mine: 18 bad images, the first 10 above; mend or remove")


def test_of_a_folder_without_images_the_kinds_are_counted(folder):
    for path in folder.glob("*/*.jpg"):
        path.rename(path.with_suffix(".heic"))
    (folder / "a/read.txt").write_text("x")
    with pytest.raises(UserError) as raised:
        index(folder)
    assert (
        f"{folder}: holds no image in a class folder (<class>/<image>) but unknown kind .heic (20), .txt (1); "
        in str(raised.value)
    )


def test_one_entry_is_no_image(folder):
    (folder / "a/read.txt").write_text("x")
    assert index(folder)[2] == ["mine: 1 entry that is no image is passed over: .txt (1)"]


def test_the_keys_that_are_offered_suffice(folder):
    for number in range(4):
        (folder / f"a/{number}.jpg").write_bytes(b"")
    with pytest.raises(
        UserError, match=r"or set on_bad_image: quarantine with max_left_out: 0\.2 to go on"
    ):
        index(folder)
    assert len(index(folder, on_bad_image="quarantine", max_left_out=0.2)[0]) == 16
    for path in folder.glob("a/*"):
        path.write_bytes(b"")
    with pytest.raises(
        UserError, match=r"mend these images: without them no image is left of class a$"
    ):
        index(folder)


def test_octdls_images_are_found_behind_links_and_not_beside_thumbnails(folder):
    (folder / "@eaDir").mkdir()
    (folder / "@eaDir/0.jpg").write_bytes(b"x")
    for path in folder.glob("b/*"):
        path.unlink()
    (folder.parent / "store").mkdir()
    (folder.parent / "store/eye.jpg").write_bytes(jpeg(1))
    (folder / "b/more").symlink_to(folder.parent / "store")
    found = _images_below(folder)
    assert set(found) == {*map(str, range(10)), "eye"}
    assert found["eye"] == folder / "b/more/eye.jpg"
