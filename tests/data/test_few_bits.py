"""Few bright pixels do not hide that images use few of their bits; white that is 0, and transparency everywhere."""

import sys

import numpy as np
import pytest
from deep_images import of, png16, tiff
from PIL import Image

from retention.common.errors import UserError
from retention.common.notes import collected
from retention.data.catalogue import index_images
from retention.data.decoding import decode

DRAWS = 6  # images of each class


def write(folder, picture, suffix="png"):
    """Save what `picture(draws, number)` returns, an array or an image, as images of two classes."""
    draws = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(DRAWS):
            made = picture(draws, number)
            image = made if isinstance(made, Image.Image) else Image.fromarray(made)
            image.save(folder / name / f"{number}.{suffix}")
    return folder


def noted(folder, **more):
    with collected("mine") as notes:
        table, _ = index_images("mine", of(folder, **more), folder)
    assert len(table) == 2 * DRAWS
    return notes


def noise(draws, highest, kind=np.uint16):
    values = draws.integers(0, highest + 1, (32, 32)).astype(kind)
    values[0, 0] = highest
    return values


def marked(draws, number):
    values = noise(draws, 4095)
    values[1:5, 1:3] = 65535
    return values


def hot(draws, number):
    values = noise(draws, 4095)
    values[3, 3] = 50000 + number if number % 2 else 17
    return values


def bright_field(draws, number):
    """Nothing is dark, and a scale bar is burnt in."""
    values = draws.integers(2200, 4096, (32, 32)).astype(np.uint16)
    values[0, 0], values[30, 2:12] = 4095, 65535
    return values


def saturated(draws, number):
    values = noise(draws, 16383)
    values[3, 3] = 65535
    return values


def stamped(draws, number):
    values = noise(draws, 3, np.uint8)
    values[1, 1] = 255
    return values


@pytest.mark.parametrize(
    ("picture", "reach", "bits", "keep"),
    [
        (marked, "16-bit images reach 4095 of 65535, but for few pixels of 65535", 12, 16),
        (hot, "16-bit images reach 4095 of 65535, but for few pixels of 50001", 12, 16),
        (bright_field, "16-bit images reach 4095 of 65535, but for few pixels of 65535", 12, 16),
        (saturated, "16-bit images reach 16383 of 65535, but for few pixels of 65535", 14, 16),
        (stamped, "8-bit images reach 3 of 255, but for few pixels of 255", 2, 8),
    ],
)
def test_few_bright_pixels_do_not_hide_the_bits_and_become_white(
    tmp_path, picture, reach, bits, keep
):
    write(tmp_path, picture)
    said = (
        f"mine: its {reach} and more such as markers; .*bits: {bits}, it seems .it makes those white., "
        f"or bits: {keep} to keep"
    )
    with pytest.raises(UserError, match=said):
        index_images("mine", of(tmp_path), tmp_path)
    (line,) = noted(tmp_path, bits=bits)
    assert f"pixels above {2**bits - 1}, which bits: {bits} makes white: at most " in line
    assert line.endswith("of an image; the first is a/1.png" if picture is hot else "is a/0.png")
    values = np.asarray(Image.open(tmp_path / "a/1.png")).astype(int)
    expected = np.minimum(np.rint(np.minimum(values, 2**bits - 1) * (256 / 2**bits)), 255)
    if bits == 2:
        expected = np.minimum(values, 3) * 85
    found = np.asarray(decode(of(tmp_path, bits=bits), f"{tmp_path}/a/1.png"))
    np.testing.assert_array_equal(found[..., 0], expected)
    assert noted(tmp_path, bits=keep) == []


def test_the_bits_that_an_image_needs_are_told_without_its_marker(tmp_path):
    write(tmp_path, marked)
    with pytest.raises(UserError, match="bits: 10 allows 1023; bits: 12, it seems"):
        index_images("mine", of(tmp_path, bits=10), tmp_path)


@pytest.mark.parametrize("marker", [0, 65535])
@pytest.mark.parametrize("highest", [255, 4095])
def test_colours_of_few_bits_are_found_below_few_bright_ones(tmp_path, marker, highest):
    draws = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(DRAWS):
            values = draws.integers(0, highest + 1, (32, 32, 3), dtype=np.uint16)
            values[0, 0], values[1, 1] = highest, marker
            png16(tmp_path / f"{name}/{number}.png", values)
    with pytest.raises(UserError, match=f"its 16-bit colour images reach {highest} of 65535"):
        index_images("mine", of(tmp_path), tmp_path)
    noted(tmp_path, bits=8 if highest == 255 else 12)


def strokes(background):
    """Return pictures of which strokes, 255 and without shades, cover 1 %."""

    def picture(draws, number):
        values = background(draws).astype(np.uint8)
        values[5, 5:15] = 255
        return values

    return picture


def shaded(draws, number):
    values = draws.integers(0, 20, (32, 32)).astype(np.uint8)
    values[5, 5:29] = np.arange(24, 240, 9)
    return values


def lamps(draws, number):
    """A dark scene of 8 bits in which few pixels are as bright as can be."""
    values = draws.integers(0, 16, (32, 32)).astype(np.uint8)
    values[4:6, 7:9] = 255
    return values


def icon(draws, number):
    """A dark sign, seen on white since alpha is 0 around it."""
    values = np.full((32, 32, 4), 26, dtype=np.uint8)
    values[..., 3] = np.where(draws.random((32, 32)) < 0.4, 255, 0)
    return values


ORDINARY = {
    "lamps in a dark scene": lamps,
    "dark icons": icon,
    "strokes on black": strokes(lambda draws: np.zeros((32, 32))),
    "strokes on black that is scanned": strokes(lambda draws: draws.random((32, 32)) < 0.005),
    "strokes on black with noise": strokes(lambda draws: draws.random((32, 32)) < 0.03),
    "strokes on one grey": strokes(lambda draws: np.full((32, 32), 20)),
    "strokes on greys": strokes(lambda draws: draws.integers(17, 24, (32, 32))),
    "strokes in colour": lambda draws, number: Image.merge(
        "RGB",
        [
            Image.fromarray(strokes(lambda draws, v=v: np.full((32, 32), v))(draws, 0))
            for v in (5, 9, 30)
        ],
    ),
    "dark photographs with highlights": shaded,
    "masks": lambda draws, number: (draws.random((32, 32)) < 0.03).astype(np.uint8) * 255,
    "masks of 16 bits": lambda draws, number: (
        (draws.random((32, 32)) < 0.03).astype(np.uint16) * 65535
    ),
    "one bright image": lambda draws, number: (
        noise(draws, 255, np.uint8) if number == 0 else stamped(draws, number)
    ),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_images_raise_no_alarm(tmp_path, name):
    lines = noted(write(tmp_path, ORDINARY[name]))
    assert not any("bits" in line for line in lines)


def test_bright_values_without_a_gap_are_a_note(tmp_path):
    def astronomical(draws, number):
        values = noise(draws, 4095)
        values[7, :] = np.linspace(4200, 65535, 32)
        return values

    (line,) = noted(write(tmp_path, astronomical))
    assert line.startswith(
        "mine: 95% of the pixels of each 16-bit image, or more, stay below 4096 of 65535: are they of 12 bits"
    )
    assert len(noted(tmp_path, bits=12)) == 1


def test_a_marker_does_not_hide_that_most_images_or_one_class_are_of_fewer_bits(tmp_path):
    write(
        tmp_path,
        lambda draws, number: noise(draws, 65535) if number == 0 else marked(draws, number),
    )
    (line,) = noted(tmp_path)
    assert "10 of 12 16-bit images but for few pixels never exceed 4095: are they of 12" in line


def test_a_set_of_many_bright_pixels_is_no_set_of_fewer_bits(tmp_path):
    def half(draws, number):
        values = noise(draws, 4095)
        values[:16] = 65535
        return values

    assert noted(write(tmp_path, half)) == []
    with pytest.raises(UserError, match="its pixels reach 65535, and bits: 12 allows 4095"):
        index_images("mine", of(tmp_path, bits=12), tmp_path)


@pytest.mark.parametrize(("mode", "alpha"), [("RGBA", 0), ("RGBA", 1), ("RGBA", 3), ("LA", 0)])
def test_images_that_are_transparent_everywhere_are_said_to_be(tmp_path, mode, alpha):
    def picture(draws, number):
        image = Image.fromarray(noise(draws, 255, np.uint8)).convert(mode)
        mask = np.zeros((32, 32), dtype=np.uint8)
        mask[4:28] = alpha if number else 255
        image.putalpha(Image.fromarray(mask))
        return image

    said = "is 0" if alpha == 0 else f"is at most {alpha} of 255"
    assert (
        "mine: 10 of 12 images are transparent everywhere and white or nearly so, since transparency is laid on white: "
        f"their alpha {said}, the first is a/1.png; write alpha as 0 to 255, or save the images without it"
    ) in noted(write(tmp_path, picture))


def test_white_that_is_zero_is_inverted_whatever_the_depth(tmp_path):
    values = np.arange(64).reshape(8, 8) * 4
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        tiff(tmp_path / name / "8.tif", values.astype("<u1"), 0)
        tiff(tmp_path / name / "16.tif", values.astype("<u2") * 257, 0)
        tiff(tmp_path / name / "12.tif", values.astype("<u2") * 16, 0)
        tiff(tmp_path / name / "plain.tif", values.astype("<u2") * 257, 1)

    def read(name, **more):
        return np.asarray(decode(of(tmp_path, **more), f"{tmp_path}/a/{name}.tif"))[..., 0]

    for name, more in (("8", {}), ("16", {}), ("12", {"bits": 12})):
        np.testing.assert_array_equal(read(name, **more), 255 - values)
    np.testing.assert_array_equal(read("16", white_is_zero="keep"), values)
    np.testing.assert_array_equal(read("plain"), values)


def test_colours_of_16_bits_are_read_without_torch(tmp_path, monkeypatch):
    for name in ("torch", "torchvision", "torchvision.io"):
        monkeypatch.setitem(sys.modules, name, None)
    png16(tmp_path / "0.png", np.full((4, 4, 3), 4095, dtype=np.uint16))
    assert decode(of(tmp_path, bits=12), str(tmp_path / "0.png")).getextrema()[0] == (255, 255)
