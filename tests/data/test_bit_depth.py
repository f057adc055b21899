"""How many bits of an image are used: of a data set, never of one image."""

import numpy as np
import pytest
from deep_images import of, png16
from PIL import Image

from retention.common.errors import UserError
from retention.common.notes import collected
from retention.data.caching import stored_shape, write_cache
from retention.data.catalogue import index_images
from retention.data.decoding import decode, to_rgb
from retention.data.depth import scaled
from retention.data.image_cache import ImageCache


@pytest.fixture
def folder(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "images" / name).mkdir(parents=True)
    return tmp_path / "images"


def write(folder, highest, kind=np.uint16, suffix="png", count=4):
    """Write noise up to a highest value into both classes, grey."""
    draws = np.random.default_rng(0)
    for name in ("a", "b"):
        for number in range(count):
            values = draws.integers(0, highest + 1, (16, 16)).astype(kind)
            values[0, 0] = highest
            Image.fromarray(values).save(folder / name / f"{number}.{suffix}")


@pytest.mark.parametrize(
    ("highest", "kind", "suffix", "said"),
    [
        (
            4095,
            np.uint16,
            "png",
            r"16-bit images reach 4095 of 65535; .*bits: 12, it seems, or bits: 16",
        ),
        (255, np.uint16, "png", r"16-bit images reach 255 of 65535; .*bits: 8, it seems"),
        (16383, np.uint16, "tif", r"16-bit images reach 16383 of 65535; .*bits: 14, it seems"),
        (200, np.int32, "tif", r"16-bit images reach 200 of 65535; .*bits: 8, it seems"),
        (
            1,
            np.uint8,
            "png",
            r"8-bit images reach 1 of 255; .*bits: 1, it seems, or bits: 8 to keep",
        ),
        (
            15,
            np.uint8,
            "png",
            r"8-bit images reach 15 of 255; .*bits: 4, it seems, or bits: 8 to keep",
        ),
    ],
)
def test_a_set_that_uses_little_of_its_range_is_asked_for_its_bits(
    folder, highest, kind, suffix, said
):
    write(folder, highest, kind, suffix)
    with pytest.raises(UserError, match=rf"^mine: its {said}"):
        index_images("mine", of(folder), folder)
    bits = int(np.ceil(np.log2(highest + 1)))
    table, _ = index_images("mine", of(folder, bits=bits), folder)
    decoded = np.asarray(
        decode(of(folder, bits=bits), str(folder / "a/0.png").replace("png", suffix))
    )
    assert decoded.max() == 255 if highest != 200 else 200
    assert len(table) == 8


@pytest.mark.parametrize(
    ("highest", "kind"), [(65535, np.uint16), (40000, np.uint16), (200, np.uint8)]
)
def test_whole_ranges_are_read_as_they_always_were(folder, highest, kind):
    write(folder, highest, kind)
    table, _ = index_images("mine", of(folder), folder)
    with Image.open(folder / "a/0.png") as image:
        values = np.asarray(image)
    expected = np.rint(values / 257) if kind is np.uint16 else values
    np.testing.assert_array_equal(
        np.asarray(decode(of(folder), f"{folder}/a/0.png"))[..., 0], expected
    )
    for bits in (16, *([8] if kind is np.uint8 else [])):
        same, _ = index_images("mine", of(folder, bits=bits), folder)
        assert same["digest"].tolist() == table["digest"].tolist()


def test_integers_of_the_other_byte_order_are_read(folder):
    values = (np.arange(64).reshape(8, 8) * 1000).astype(">u2")
    for name in ("a", "b"):
        image = Image.frombytes("I;16B", (8, 8), values.tobytes())
        image.save(folder / f"{name}/0.tif")
    with Image.open(folder / "a/0.tif") as image:
        assert image.mode == "I;16B"
    index_images("mine", of(folder), folder)
    found = np.asarray(decode(of(folder), f"{folder}/a/0.tif"))[..., 0]
    np.testing.assert_array_equal(found, np.rint(values / 257))


@pytest.mark.parametrize(
    ("highest", "kind", "bits", "keep"),
    [(20000, np.uint16, 15, 16), (20, np.uint8, 5, 8), (2000, np.uint16, 12, 16)],
)
def test_bits_that_keep_the_range_are_not_offered_twice(folder, highest, kind, bits, keep):
    write(folder, highest, kind)
    with pytest.raises(UserError, match=rf"bits: {bits}, it seems, or bits: {keep} to keep"):
        index_images("mine", of(folder), folder)
    index_images("mine", of(folder, bits=bits), folder)


def test_one_bright_image_does_not_hide_that_the_others_are_of_12_bits(folder):
    write(folder, 4095)
    Image.fromarray(np.full((8, 8), 65535, dtype=np.uint16)).save(folder / "a/0.png")
    said = (
        "mine: 7 of 8 16-bit images never exceed 4095: are they of 12 bits? Then say bits: 12, and mend the others, "
        "which reach 65535"
    )
    assert said in noted(folder)
    by_class = (
        "mine: 16-bit images of class b never exceed 4095, those of others reach 65535: the range alone tells these "
        "classes apart; bring all to one range"
    )
    assert by_class in noted(folder)
    Image.fromarray(np.full((8, 8), 9000, dtype=np.uint16)).save(folder / "b/0.png")
    assert not any("never exceed 4095, those" in line for line in noted(folder))


def test_one_dark_image_among_bright_ones_is_no_reason_to_ask(folder):
    write(folder, 60000)
    Image.fromarray(np.full((8, 8), 300, dtype=np.uint16)).save(folder / "a/dark.png")
    assert len(index_images("mine", of(folder), folder)[0]) == 9


@pytest.mark.parametrize(
    ("value", "bits", "expected"),
    [
        (3824, 12, 239),
        (320, 12, 20),
        (4095, 12, 255),
        (1023, 10, 255),
        (511, 9, 255),
        (2, 10, 0),
        (6, 10, 2),
        (65535, 16, 255),
        (257, 16, 1),
        (200, 8, 200),
        (15, 4, 255),
        (7, 4, 119),
        (1, 1, 255),
        (16383, 14, 255),
    ],
)
def test_values_become_eight_bits(value, bits, expected):
    assert scaled(np.array([[0, value]]), bits).tolist() == [[0, expected]]


def test_the_cache_holds_what_the_bits_make_of_the_pixels(folder, tmp_path):
    for name in ("a", "b"):
        Image.fromarray(np.full((8, 8), 3824, dtype=np.uint16)).save(folder / f"{name}/0.png")
        Image.fromarray(np.full((8, 8), 320, dtype=np.uint16)).save(folder / f"{name}/1.png")
    table, _ = index_images("mine", of(folder, bits=12), folder)
    files = tmp_path / "pixels.npy", tmp_path / "layout.parquet"
    write_cache(of(folder, bits=12), table, 8, 1, *files)
    assert sorted({int(ImageCache(*files).image(row)[0, 0, 0]) for row in range(4)}) == [20, 239]


def test_an_image_of_more_bits_than_is_said_is_bad(folder):
    write(folder, 4095, count=6)
    write(folder, 255, np.uint8, "bmp", count=12)
    Image.fromarray(np.full((8, 8), 4096, dtype=np.uint16)).save(folder / "a/high.png")
    with pytest.raises(
        UserError,
        match=r"high.png: cannot be decoded \(its pixels reach 4096, and bits: 12 allows 4095",
    ):
        index_images("mine", of(folder, bits=12), folder)
    _, left_out = index_images("mine", of(folder, bits=12, on_bad_image="quarantine"), folder)
    assert left_out["sample_id"].tolist() == ["a/high.png"]
    # 8-bit images beside them are used as they are
    assert decode(of(folder, bits=12), f"{folder}/a/0.bmp").getextrema()[0][1] == 255


@pytest.mark.parametrize("bands", [2, 3, 4])
@pytest.mark.parametrize("opaque", [4095, 65535])
def test_colours_of_16_bits_are_read_whole_where_fewer_are_used(folder, bands, opaque):
    draws = np.random.default_rng(bands)
    for name in ("a", "b"):
        values = draws.integers(0, 4096, (8, 6, bands), dtype=np.uint16)
        values[0, 0] = 4095
        if bands != 3:
            values[..., -1] = opaque
        png16(folder / f"{name}/0.png", values)
    with pytest.raises(
        UserError, match=r"its 16-bit colour images reach 4095 of 65535; .*bits: 12, it seems"
    ):
        index_images("mine", of(folder), folder)
    found = np.asarray(decode(of(folder, bits=12), f"{folder}/b/0.png"))
    expected = np.minimum(np.rint(values[..., : 3 if bands > 2 else 1] / 16), 255)
    np.testing.assert_array_equal(found, np.broadcast_to(expected, found.shape))
    with pytest.raises(UserError, match="its pixels reach 4095, and bits: 8 allows 255"):
        index_images("mine", of(folder, bits=8), folder)


@pytest.mark.parametrize("mode", ["F", "LAB", "HSV"])
def test_pixels_that_have_no_range_or_no_rgb_are_told_apart(folder, mode):
    image = Image.new("RGB", (8, 8), (9, 99, 200))
    if mode == "F":
        image = Image.fromarray(np.full((8, 8), 0.5, dtype=np.float32))
    elif mode == "LAB":
        image = Image.frombytes("LAB", (8, 8), bytes(192))
    else:
        image = image.convert("HSV")
    if mode == "HSV":
        with pytest.raises(ValueError, match="its colours are HSV; convert it to RGB"):
            to_rgb(image)
        return
    image.save(folder / "a/0.tif")
    image.save(folder / "b/0.tif")
    said = (
        "no integers from 0 to 65535" if mode == "F" else "its colours are LAB; convert it to RGB"
    )
    with pytest.raises(UserError, match=said):
        index_images("mine", of(folder), folder)


def noted(folder):
    with collected("mine") as notes:
        index_images("mine", of(folder), folder)
    return notes


def test_images_of_one_colour_are_counted_and_named(folder):
    write(folder, 255, np.uint8)
    Image.new("RGB", (8, 8), (7, 7, 7)).save(folder / "b/plain.png")
    assert noted(folder) == ["mine: 1 image is of one colour only, the first is b/plain.png"]
    for path in folder.glob("*/*.png"):
        with Image.open(path) as image:
            transparent = image.convert("RGBA")
        transparent.putalpha(0)
        transparent.save(path)
    assert not any("of one colour" in line for line in noted(folder))


def test_files_of_several_frames_are_said_once_and_a_damaged_later_one_is_no_fault(folder):
    draws = np.random.default_rng(0)
    for number in range(8):
        frames = [
            Image.fromarray(draws.integers(0, 256, (16, 16), dtype=np.uint8)) for _ in range(3)
        ]
        name = f"{'ab'[number % 2]}/{number}"
        kind = ("gif", "tif", "png", "webp")[number // 2]
        options = {"save_all": True, "append_images": frames[1:]}
        frames[0].convert("RGB").save(folder / f"{name}.{kind}", **options)
    said = (
        "mine: 8 files with several frames, GIF (2), PNG (2), TIFF (2), WEBP (2): the first frame alone is read; "
        "the first such file is a/0.gif"
    )
    assert said in noted(folder)
    whole = (folder / "a/0.gif").read_bytes()
    (folder / "a/0.gif").write_bytes(whole[: len(whole) * 2 // 3])
    index_images("mine", of(folder), folder)


def test_depths_side_by_side_are_noted(folder):
    write(folder, 65535, np.uint16, "tif", count=1)
    write(folder, 255, np.uint8, count=3)
    assert noted(folder) == [
        "mine: images of different depths stand side by side: 8 bits (6), 16 bits (2)"
    ]


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1, 6000, (32, 512)),
        (6000, 1, (512, 32)),
        (10, 160, (32, 512)),
        (10, 161, (32, 512)),
        (30, 90, (32, 96)),
        (50, 50, (32, 32)),
    ],
)
def test_the_stored_size_is_bounded_whatever_the_aspect(width, height, expected):
    assert stored_shape(width, height, 32, 16) == expected


def test_thin_images_are_squeezed_and_said_and_others_stay(folder, tmp_path):
    write(folder, 255, np.uint8)
    Image.new("RGB", (1, 40000), (90, 40, 10)).save(folder / "a/thin.png")
    table, _ = index_images("mine", of(folder), folder)
    files = tmp_path / "pixels.npy", tmp_path / "layout.parquet"
    with collected("mine") as notes:
        write_cache(of(folder), table, 32, 1, *files)
    assert notes == [
        "mine: 1 image with a long side of more than 16 short sides: stored squeezed to that; the first is a/thin.png, "
        "1 x 40000 pixels, stored as 32 x 512"
    ]
    thin = table["sample_index"][table["sample_id"] == "a/thin.png"].iloc[0]
    assert ImageCache(*files).image(thin).shape == (512, 32, 3)
    with collected("mine") as notes:
        write_cache(of(folder, max_aspect=40000), table, 2, 1, *files)
    assert notes == [] and ImageCache(*files).image(thin).shape == (80000, 2, 3)
