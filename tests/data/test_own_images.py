"""A user's own folder or table: nothing in it is left out, joined or missed silently."""

import pandas as pd
import pytest
from image_sets import jpeg
from PIL import Image

from retention.common.errors import UserError
from retention.common.notes import collected
from retention.data.caching import write_cache
from retention.data.catalogue import index_images
from retention.workflow.listing import listing_of


@pytest.fixture
def folder(tmp_path):
    """Two classes of three images each."""
    for name in ("a", "b"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(3):
            content = jpeg(ord(name) * 10 + number)
            (tmp_path / "images" / name / f"{number}.jpg").write_bytes(content)
    return tmp_path / "images"


def of_folder(path):
    return {"adapter": "imagefolder", "folder": str(path)}


def of_table(folder, **columns):
    """Write a table of all six images, with more columns; return its definition."""
    paths = [f"images/{name}/{number}.jpg" for name in "ab" for number in range(3)]
    table = pd.DataFrame({"path": paths, "label": [path[7] for path in paths], **columns})
    table.to_csv(folder.parent / "mine.csv", index=False)
    return {"adapter": "csv", "table": str(folder.parent / "mine.csv")}


def test_an_image_without_a_group_is_a_group_of_its_own(folder, tmp_path):
    # the second row is called as one without a group would be
    groups = ["", "ungrouped: images/a/0.jpg", "g", "g", " ", ""]
    table, _ = index_images("mine", of_table(folder, group=groups), tmp_path)
    found = table["group"].tolist()
    assert found[1:4] == groups[1:4]
    assert len(set(found)) == 5


def test_columns_of_a_table_that_nothing_uses_are_noted(folder, tmp_path):
    definition = of_table(folder, Group="g", camera="c", split="train")
    with collected("mine") as lines:
        index_images("mine", definition, tmp_path)
    assert f"mine: {folder.parent}/mine.csv: columns not used: Group, camera" in lines
    with collected("mine") as lines:
        index_images("mine", of_table(folder, group=list("uvwxyz")), tmp_path)
    assert lines == []


def test_a_mended_or_missing_image_of_a_table_makes_another_listing(folder):
    definition = of_table(folder)
    whole = listing_of(definition)
    content = (folder / "a/1.jpg").read_bytes()
    (folder / "a/1.jpg").write_bytes(content[:-1])
    cut = listing_of(definition)
    (folder / "a/1.jpg").unlink()
    assert len({whole, cut, listing_of(definition)}) == 3
    (folder / "a/1.jpg").write_bytes(content)
    assert listing_of(definition) == whole
    (folder.parent / "mine.csv").write_bytes(b"\xff\xfe\x00 no table")
    assert listing_of(definition) != whole


def test_a_class_without_a_readable_image_is_refused(folder, tmp_path):
    (folder / "heic").mkdir()
    (folder / "heic/1.heic").write_bytes(b"x")
    (folder / ".hidden").mkdir()
    everything = of_folder(folder) | {"max_left_out": 1}
    with pytest.raises(UserError, match="no readable image is left of class heic; mend its images"):
        index_images("mine", everything, tmp_path)
    (folder / "empty").mkdir()
    with pytest.raises(UserError, match=r"no image in empty \(known are bmp, .*webp\)"):
        index_images("mine", everything, tmp_path)


def test_a_table_of_a_header_alone_is_refused(tmp_path):
    (tmp_path / "mine.csv").write_text("path,label\n")
    definition = {"adapter": "csv", "table": str(tmp_path / "mine.csv")}
    with pytest.raises(UserError, match=r"mine.csv: has a header and no row; give one"):
        index_images("mine", definition, tmp_path)


def test_whatever_a_decoder_raises_the_file_is_named_with_the_others(folder, tmp_path, monkeypatch):
    table, _ = index_images("mine", of_folder(folder), tmp_path)
    bad = [folder / "a/1.jpg", folder / "b/0.jpg"]
    bad[0].write_bytes(b"")
    read = Image.Image.getexif

    def fails(image):
        if getattr(image, "filename", "") == str(bad[1]):
            raise TypeError("bad operand")
        return read(image)

    monkeypatch.setattr(Image.Image, "getexif", fails)
    monkeypatch.setattr("PIL.JpegImagePlugin.JpegImageFile.getexif", fails, raising=False)
    files = tmp_path / "pixels.npy", tmp_path / "layout.parquet"
    for attempt in (
        lambda: index_images("mine", of_folder(folder), tmp_path),
        lambda: write_cache(of_folder(folder), table, 8, 1, *files),
    ):
        with pytest.raises(UserError) as raised:
            attempt()
        lines = str(raised.value).splitlines()
        assert lines[0].startswith(f"{bad[0]}: cannot be decoded (")
        assert lines[1].startswith(f"{bad[1]}: cannot be decoded (bad operand)")


def test_exhausted_memory_names_the_image(folder, tmp_path, monkeypatch):
    def fails(*arguments):
        raise MemoryError

    quarantining = of_folder(folder) | {"on_bad_image": "quarantine"}
    table, _ = index_images("mine", quarantining, tmp_path)
    monkeypatch.setattr("retention.data.inspection.upright", fails)
    monkeypatch.setattr("retention.data.decoding.upright", fails)
    files = tmp_path / "pixels.npy", tmp_path / "layout.parquet"
    for attempt in (
        lambda: index_images("mine", quarantining, tmp_path),
        lambda: write_cache(quarantining, table, 8, 1, *files),
    ):
        with pytest.raises(
            UserError, match=rf"^{folder}/a/0.jpg: memory is exhausted while"
        ) as raised:
            attempt()
        assert "\n" not in str(raised.value)


def test_a_folder_as_an_archive_unpacks_is_told_where_its_classes_are(folder, tmp_path):
    """All classes in one folder more than was meant."""
    (tmp_path / "unpacked").mkdir()
    folder.rename(tmp_path / "unpacked/images")
    with pytest.raises(UserError) as error:
        index_images("mine", of_folder(tmp_path / "unpacked"), tmp_path)
    told = str(error.value)
    assert (
        "holds one folder, images, so one class; classes may be the folders in images, a, b: write"
        in told
    )
    remedy = told.rpartition("folder: ")[2]
    assert index_images("mine", of_folder(remedy), tmp_path)[0]["class_name"].nunique() == 2


def test_an_image_larger_than_pillow_decodes_is_told_how_large_it_may_be(
    folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(
        UserError, match=r"exceeds limit of 200 pixels; make it smaller than 0 million"
    ):
        index_images("mine", of_folder(folder), tmp_path)


def test_what_pillow_warns_of_is_not_told(folder, tmp_path, monkeypatch, recwarn):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)  # each image has 1,200, which is allowed
    table, _ = index_images("mine", of_folder(folder), tmp_path)
    files = tmp_path / "pixels.npy", tmp_path / "layout.parquet"
    write_cache(of_folder(folder), table, 8, 1, *files)
    assert [str(warning.message) for warning in recwarn] == []
