"""Adapters, index, splits and image cache, on sets in the layout of the real ones."""

import hashlib
import importlib
import json
import subprocess
import sys

import cache_images
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from image_sets import jpeg
from PIL import Image
from sources import ROOT

from retention.commands import index_dataset, split_dataset
from retention.common.errors import UserError
from retention.common.notes import collected, read_notes
from retention.common.parts import load_part
from retention.data.caching import write_cache
from retention.data.catalogue import index_images
from retention.data.decoding import to_rgb
from retention.data.image_cache import ImageCache, require_cached
from retention.data.splits import duplicates, split_samples

BY_GROUP = {"strategy": "stratified_group", "test_fraction": 0.25, "seed": 0}


@pytest.fixture
def folder(tmp_path):
    """Three classes of four images each."""
    for name in ("a", "b", "c"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(4):
            content = jpeg(ord(name) * 10 + number)
            (tmp_path / "images" / name / f"{number}.jpg").write_bytes(content)
    return tmp_path / "images"


def of_folder(path, **more):
    return {"adapter": "imagefolder", "folder": str(path), **more}


def test_a_table_keeps_its_splits_and_groups(folder, tmp_path):
    rows = [
        {"path": f"images/{c}/{i}.jpg", "label": c, "split": "test" if i == 3 else "train"}
        | {"scene": f"{c}{i // 2}"}
        for c in "abc"
        for i in range(4)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False)
    definition = {"adapter": "csv", "table": str(tmp_path / "mine.csv"), "group_column": "scene"}
    table, _ = index_images("mine", definition, tmp_path)
    assert table["sample_id"].tolist() == sorted(row["path"] for row in rows)
    assert table["group"].nunique() == 6
    assert (table["official_split"] == "test").sum() == 3
    pd.DataFrame([*rows, {"path": "", "label": "a"}]).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(UserError, match=r"mine\.csv, line 14: path or label is empty"):
        index_images("mine", definition, tmp_path)
    pd.DataFrame(rows).sample(frac=1, random_state=3).to_csv(tmp_path / "mine.csv", index=False)
    shuffled, _ = index_images("mine", definition, tmp_path)
    pd.testing.assert_frame_equal(shuffled, table)


def test_a_table_that_is_none_ends_in_one_line(tmp_path):
    definition = {"adapter": "csv", "table": str(tmp_path / "mine.csv")}
    for content, said in (
        (b"", "is empty; expected a header with the columns path, label"),
        (b"path,label\n\xff\xfe\x00,a\n", "is a spreadsheet or another binary file"),
        (b"path;label\na.jpg;a\n", "its columns look separated by semicolons"),
        (
            b"a.jpg,a\nb.jpg,b\n",
            r"lacks the column\(s\) path, label; its first line has 'a.jpg', 'a'",
        ),
        (b"path,label\na.jpg,a\nb.jpg,b\n", r"2 of 2 paths lead to no file \(a\.jpg, b\.jpg\)"),
    ):
        (tmp_path / "mine.csv").write_bytes(content)
        with pytest.raises(UserError, match=rf"mine\.csv: {said}") as raised:
            index_images("mine", definition, tmp_path)
        assert "\n" not in str(raised.value)


def save(path, mode, array, **options):
    Image.fromarray(array, mode=None).convert(mode).save(path, **options)


def test_every_kind_of_image_becomes_upright_rgb(tmp_path):
    red = np.zeros((4, 6, 3), dtype=np.uint8)
    red[:, :3] = (255, 0, 0)
    image = Image.fromarray(red)
    assert np.array_equal(to_rgb(image), red)
    grey = Image.fromarray(np.full((4, 6), 77, dtype=np.uint8))
    assert np.array_equal(to_rgb(grey), np.full((4, 6, 3), 77))
    half = image.convert("RGBA")
    half.putalpha(
        Image.fromarray(np.repeat([[0, 0, 0, 255, 255, 255]], 4, axis=0).astype(np.uint8))
    )
    white_then_black = np.asarray(to_rgb(half))
    assert (white_then_black[:, :3] == 255).all()
    assert (white_then_black[:, 3:] == 0).all()
    palette = image.convert("P", palette=Image.Palette.ADAPTIVE)
    assert np.array_equal(to_rgb(palette), red)
    black_and_white = to_rgb(Image.fromarray(red[..., 0] > 0))
    assert np.array_equal(black_and_white, np.repeat(red[..., :1], 3, axis=2))
    deep = Image.fromarray(np.full((4, 6), 65535 // 2, dtype=np.uint16))
    assert np.abs(np.asarray(to_rgb(deep)).astype(int) - 127).max() <= 1
    path = tmp_path / "cmyk.jpg"
    image.convert("CMYK").save(path, quality=100, subsampling=0)
    assert np.abs(np.asarray(to_rgb(Image.open(path))).astype(int) - red).max() < 40
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned right by 90 degrees
    image.save(tmp_path / "turned.png", exif=exif)
    turned = to_rgb(Image.open(tmp_path / "turned.png"))
    assert np.array_equal(turned, np.rot90(red, -1))
    with pytest.raises(ValueError, match="no integers from 0 to 65535"):
        to_rgb(Image.fromarray(np.full((4, 6), 0.5, dtype=np.float32)))


def spoil(folder):
    """Cut an image, empty one, and replace one by text; return their paths."""
    bad = [folder / "a/0.jpg", folder / "b/1.jpg", folder / "c/2.jpg"]
    bad[0].write_bytes(bad[0].read_bytes()[:400])
    bad[1].write_bytes(b"")
    bad[2].write_text("no image")
    return bad


@pytest.mark.parametrize("workers", [1, 2])
def test_all_bad_images_are_named_at_once(folder, tmp_path, workers):
    bad = spoil(folder)
    with pytest.raises(UserError) as raised:
        index_images("mine", of_folder(folder), tmp_path, workers)
    lines = str(raised.value).splitlines()
    assert len(lines) == 4
    for path, line in zip(bad, lines, strict=False):
        assert line.startswith(f"{path}: cannot be decoded (")
    assert "on_bad_image: quarantine" in lines[3]


def test_bad_images_are_quarantined_where_asked(folder, tmp_path):
    bad = spoil(folder)
    quarantining = of_folder(folder, on_bad_image="quarantine")
    with pytest.raises(
        UserError, match=r"3 of 12 files are left out, more than max_left_out: 0\.1"
    ):
        index_images("mine", quarantining, tmp_path)
    quarantining["max_left_out"] = 0.25
    table, left_out = index_images("mine", quarantining, tmp_path)
    assert left_out["path"].tolist() == [path.as_posix() for path in bad]
    assert left_out["reason"].str.len().min() > 5
    assert len(table) == 9
    assert table["sample_index"].tolist() == list(range(9))
    write_cache(
        of_folder(folder), table, 16, 1, tmp_path / "pixels.npy", tmp_path / "layout.parquet"
    )
    assert len(ImageCache(tmp_path / "pixels.npy", tmp_path / "layout.parquet")) == 9
    for path in (folder / "a").iterdir():
        path.write_bytes(b"")
    with pytest.raises(UserError, match="no readable image is left of class a"):
        index_images("mine", quarantining | {"max_left_out": 1}, tmp_path)


def test_a_single_image_of_a_class_and_equal_images_are_warned_of(folder, tmp_path):
    (folder / "d").mkdir()
    (folder / "d/only.jpg").write_bytes((folder / "a/0.jpg").read_bytes())
    with collected("mine") as lines:
        table, _ = index_images("mine", of_folder(folder), tmp_path)
    assert any("a single image of class d" in line for line in lines)
    said = "2 images have the same pixels as another one; 2 of them stand in two classes or more, the first is a/0.jpg"
    assert f"mine: {said}" in lines
    table["split"] = np.where(table["class_name"] == "d", "test", "train")
    same = duplicates(table)
    assert same["sample_id"].tolist() == ["a/0.jpg", "d/only.jpg"]
    assert same["across_splits"].all()
    split = split_samples(table, BY_GROUP, "mine")
    assert split[table["class_name"] == "d"].tolist() == ["train"]


def test_the_cache_holds_what_pillow_decodes(folder, tmp_path):
    Image.fromarray(np.full((90, 30, 3), 9, dtype=np.uint8)).save(folder / "a/tall.png")
    table, _ = index_images("mine", of_folder(folder), tmp_path)
    for workers in (1, 2):
        files = tmp_path / f"{workers}.npy", tmp_path / f"{workers}.parquet"
        write_cache(of_folder(folder), table, 15, workers, *files)
        cache = ImageCache(*files)
        for row in table.itertuples():
            with Image.open(row.path) as image:
                shape = (15, 45) if "tall" in row.path else (20, 15)
                expected = np.asarray(image.convert("RGB").resize(shape, Image.Resampling.BICUBIC))
            np.testing.assert_array_equal(cache.image(row.sample_index), expected)


def test_a_cache_is_written_whole_or_not_at_all(folder, tmp_path):
    table, _ = index_images("mine", of_folder(folder), tmp_path)
    bad = spoil(folder)
    files = tmp_path / "cache" / "pixels.npy", tmp_path / "cache" / "layout.parquet"
    with pytest.raises(UserError) as raised:
        write_cache(of_folder(folder), table, 15, 2, *files)
    lines = str(raised.value).splitlines()
    assert [line.split(": cannot be decoded")[0] for line in lines] == [str(path) for path in bad]
    assert list((tmp_path / "cache").iterdir()) == []


def write_cache_files(folder, place, threads: int):
    """Cache the images of a folder as the command line does; return its three files."""
    table, _ = index_images("mine", of_folder(folder), place)
    table.to_parquet(place / "images.parquet")
    files = [place / name for name in ("pixels.npy", "layout.parquet", "pixels.yaml")]
    options = {"dataset": "mine", "definition": json.dumps(of_folder(folder)), "size": 15}
    options |= {"images": place / "images.parquet", "threads": threads}
    options |= dict(zip(("pixels", "layout", "digest"), files, strict=True))
    cache_images.main([word for key, value in options.items() for word in (f"--{key}", str(value))])
    return files


def test_what_is_cached_is_described_by_its_digests(folder, tmp_path):
    pixels, layout, digest = write_cache_files(folder, tmp_path, 1)
    stated = yaml.safe_load(digest.read_text())
    assert stated["pixels"]["bytes"] == pixels.stat().st_size
    for name, file in (("pixels", pixels), ("layout", layout)):
        assert stated[name]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    require_cached(digest, pixels, layout)
    again = tmp_path / "again"
    again.mkdir()
    assert write_cache_files(folder, again, 2)[2].read_bytes() == digest.read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("pixels.npy", lambda old: old[:-1], "pixels.npy: is not the file that was cached"),
        ("pixels.npy", lambda old: old[:-1] + b"x", "pixels.npy: is not the file that was cached"),
        (
            "layout.parquet",
            lambda old: old + b" ",
            "layout.parquet: is not the file that was cache",
        ),
        ("pixels.npy", None, "pixels.npy: cannot be read"),
        ("pixels.yaml", None, "pixels.yaml: cannot be read"),
        ("pixels.yaml", lambda old: b"pixels: 3", "pixels.yaml: does not describe a cache"),
        ("pixels.yaml", lambda old: b"- [", "pixels.yaml: is no YAML file"),
        ("pixels.yaml", lambda old: b"", "pixels.yaml: holds no digests"),
    ],
)
def test_files_that_are_not_those_that_were_cached_are_refused(
    folder, tmp_path, name, content, fault
):
    pixels, layout, digest = write_cache_files(folder, tmp_path, 1)
    path = tmp_path / name
    before = path.read_bytes()
    path.unlink()
    if content:
        path.write_bytes(content(before))
    with pytest.raises(UserError, match=fault) as error:
        require_cached(digest, pixels, layout)
    assert "\n" not in str(error.value)


def test_adapters_that_are_called_like_a_library_use_the_library():
    for name, file in (("csv", "csv.py"), ("torchvision", "torchvision/__init__.py")):
        adapter = load_part("retention.data.adapters", name)
        assert hasattr(adapter, "read_index")
        library = importlib.import_module(name)
        assert library is not adapter and library.__file__.endswith(file)


def test_classes_and_images_on_both_sides_are_counted(folder, tmp_path, capsys):
    for number in range(4, 12):
        (folder / f"a/{number}.jpg").write_bytes(jpeg(number))
    (folder / "c/3.jpg").write_bytes((folder / "a/11.jpg").read_bytes())
    table, _ = index_images("mine", of_folder(folder), tmp_path)
    table["official_split"] = np.where(table["class_name"] == "c", "test", "train")
    one = table["sample_id"] == "c/0.jpg"
    table.loc[one, "official_split"] = "train"
    table.to_parquet(tmp_path / "images.parquet")
    outputs = {name: str(tmp_path / name) for name in ("o.parquet", "classes.csv", "same.csv")}
    arguments = {
        "--dataset": "mine",
        "--split": '{"strategy": "official"}',
        "--images": str(tmp_path / "images.parquet"),
        "--output": outputs["o.parquet"],
        "--classes": outputs["classes.csv"],
        "--duplicates": outputs["same.csv"],
    }
    split_dataset.main([word for pair in arguments.items() for word in pair])
    printed = capsys.readouterr().out
    assert "imbalance, largest to smallest class: 3:1" in printed
    assert "note: mine: 2 images with the same pixels are in training and held out" in printed
    assert "note: mine: no image is held out of 2 classes: a, b\n" in printed
    counts = pd.read_csv(outputs["classes.csv"])
    assert counts[["train", "test"]].to_numpy().tolist() == [[12, 0], [4, 0], [1, 3]]
    same = pd.read_csv(outputs["same.csv"])
    assert same["sample_id"].tolist() == ["a/11.jpg", "c/3.jpg"]
    assert same["across_splits"].all()


@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=60),
    classes=st.integers(2, 6),
    seed=st.integers(0, 99),
    fraction=st.floats(0.05, 0.6),
)
@settings(max_examples=150, deadline=None)
def test_no_group_is_ever_cut_and_no_class_loses_its_training_images(
    sizes, classes, seed, fraction
):
    rows = [
        {"sample_id": f"{g:03d}-{i}", "group": f"g{g}", "class_name": f"c{g % classes}"}
        for g, size in enumerate(sizes)
        for i in range(size)
    ]
    table = pd.DataFrame(rows)
    split = {"strategy": "stratified_group", "test_fraction": fraction, "seed": seed}
    if table.groupby("class_name")["group"].nunique().max() == 1:
        with pytest.raises(UserError, match=r"each class is one group .*; give finer groups"):
            split_samples(table, split, "made up")
        return
    assigned = split_samples(table, split, "made up")
    assert set(assigned) <= {"train", "test"}
    assert assigned.groupby(table["group"]).nunique().max() == 1
    trained = set(table.loc[assigned == "train", "class_name"])
    assert trained == set(table["class_name"])
    groups = table.groupby("class_name")["group"].nunique()
    held_out = set(table.loc[assigned == "test", "class_name"])
    assert held_out == set(groups.index[groups > 1])
    shuffled = table.sample(frac=1, random_state=seed)
    again = split_samples(shuffled, split, "made up")
    pd.testing.assert_series_equal(again.sort_index(), assigned)


def test_ids_do_not_depend_on_where_the_folder_lies(folder, tmp_path):
    first, _ = index_images("mine", of_folder(folder), tmp_path)
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    second, _ = index_images("mine", of_folder(moved), tmp_path)
    pd.testing.assert_frame_equal(first.drop(columns="path"), second.drop(columns="path"))


def test_three_images_a_class_and_ten_thousand_classes_index(tmp_path):
    tiny = tmp_path / "tiny"
    for c in range(2):
        (tiny / f"{c}").mkdir(parents=True)
        for i in range(3):
            (tiny / f"{c}/{i}.jpg").write_bytes(jpeg(c * 3 + i, (8, 8)))
    table, _ = index_images("tiny", of_folder(tiny), tmp_path)
    assert split_samples(table, BY_GROUP, "tiny").value_counts().to_dict() == {
        "train": 4,
        "test": 2,
    }
    many, content = tmp_path / "many", jpeg(0, (4, 4))
    for c in range(10_000):
        (many / f"{c:05d}").mkdir(parents=True)
        (many / f"{c:05d}/only.jpg").write_bytes(content)
    table, _ = index_images("many", of_folder(many), tmp_path)
    assert table["label"].max() == 9_999
    with pytest.raises(UserError, match=r"many: no image at all is held out, as each class is one"):
        split_samples(table, BY_GROUP, "many")


def test_the_commands_end_in_one_line_on_a_users_mistake(tmp_path):
    (tmp_path / "fetched.yaml").write_text("")
    command = [
        *(sys.executable, ROOT / "scripts/index_dataset.py", "--dataset", "mine"),
        *("--definition", json.dumps(of_folder(tmp_path / "nowhere"))),
        *("--fetched", tmp_path / "fetched.yaml", "--output", tmp_path / "images.parquet"),
        *("--quarantine", tmp_path / "quarantine.csv"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {tmp_path}/nowhere: is not a folder; it should hold one folder per class\n"
    )
    assert not (tmp_path / "images.parquet").exists()


def test_index_dataset_writes_what_it_tells(tmp_path):
    (tmp_path / "fetched.yaml").write_text(yaml.safe_dump({}))
    definition = (
        '{"adapter": "package", "loader": "digits", "keep_per_class": [1,2,2,2,2,2,2,2,2,2]}'
    )
    options = {"dataset": "d", "definition": definition, "fetched": tmp_path / "fetched.yaml"}
    options |= {"output": tmp_path / "images.parquet", "quarantine": tmp_path / "left_out.csv"}
    options["notes"] = tmp_path / "notes.txt"
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    index_dataset.main(words)
    (line,) = read_notes(tmp_path / "notes.txt")
    assert line.startswith("d: a single image of class 0; it will be in training")
