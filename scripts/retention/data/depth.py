"""How many bits of an image's integer pixels are used, and what they become as 8 bits.

A 16-bit file may hold 12 bits, or 8. Only a whole data set tells, so one image is never stretched by itself: the
definition's key `bits` says it, and without it the whole range counts.
"""

from typing import cast

import numpy as np
from PIL import Image, ImageFile

DEEP, DEEP_COLOUR, SHALLOW = "16-bit", "16-bit colour", "8-bit"
# Modes whose values stand in the file as they are read; palettes and the like hold colours.
AS_STORED = ("L", "LA", "RGB", "RGBA")
HIGHEST = 65535
FEW_BRIGHT = 0.05  # share of an image's values that may be markers, stamps and hot pixels
PHOTOMETRIC = 262  # the tag of a TIFF that is 0 where 0 is white
USUAL = (8, 10, 12, 14, 16)  # bits that cameras and scanners give


def depth_of(image: Image.Image) -> str:
    """Return `DEEP`, `DEEP_COLOUR` or `SHALLOW` for an image of integers whose pixels are not loaded yet, else "".

    Of deep colours Pillow reads the upper byte alone, and forgets it when the pixels are loaded.
    """
    if image.mode.startswith("I"):
        return DEEP
    if any(";16" in _raw_mode(tile) for tile in getattr(image, "tile", [])):
        return DEEP_COLOUR
    return SHALLOW if image.mode in AS_STORED else ""


def is_whole(image: Image.Image) -> bool:
    """Return whether 16-bit colours of this file can be read whole, by `deep_bands`."""
    return image.format == "PNG" and bool(getattr(image, "filename", ""))


def deep_bands(image: Image.Image) -> np.ndarray:
    """Return the bands of a PNG of 16-bit colours, uint16 [height, width, 2, 3 or 4].

    The file is read anew: first the upper bytes, which Pillow takes of big-endian numbers, then the lower ones, which
    it takes where it is told that they are little-endian.
    """
    file = cast(ImageFile.ImageFile, image).filename  # `is_whole` has seen it
    with Image.open(file) as upper:
        raw = _raw_mode(upper.tile[0])
        if raw.startswith("LA"):  # two bands of two bytes: as many as four bands of one
            four = _read_as(upper, "RGBA")
            return four[..., 0::2] * np.uint16(256) + four[..., 1::2]
        high = _read_as(upper, raw)
    with Image.open(file) as lower:
        return high * np.uint16(256) + _read_as(lower, raw.replace(";16B", ";16L"))


def _read_as(image: ImageFile.ImageFile, raw: str) -> np.ndarray:
    """Return the pixels of a file that is just opened, its bytes taken for another raw mode; uint16."""
    # Plain tuples, as Pillow's own were before version 11.
    image.tile = [(*tile[:3], raw) for tile in image.tile]  # type: ignore[misc]
    return np.asarray(image).astype(np.uint16)


def is_white_zero(image: Image.Image) -> bool:
    """Return whether 0 is white in a deep grey TIFF as it is opened; Pillow inverts those of up to 8 bits itself."""
    tags = getattr(image, "tag_v2", {})
    return depth_of(image) == DEEP and tags.get(PHOTOMETRIC) == 0


def of_deep_grey(image: Image.Image, bits: int | None, white_is_zero: bool) -> Image.Image:
    """Return an image of mode I, I;16 or F as 8 bits, inverted where 0 is white.

    Raises `ValueError` for pixels whose range cannot be known (floating point, over 16 bits), or
    that need more bits than it is said.
    """
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > HIGHEST:
        raise ValueError("its pixels are no integers from 0 to 65535; convert it to 8 or 16 bits")
    eight = scaled(values, bits or 16)
    return Image.fromarray(255 - eight if white_is_zero else eight)


def of_deep_colour(image: Image.Image, bits: int) -> Image.Image:
    """Return a PNG of 16-bit colours, of which `bits` are used, as 8 bits of a band.

    Raises `ValueError` for other formats, which nothing here reads whole, and where more bits are used.
    """
    if not is_whole(image):
        raise ValueError(
            f"of 16-bit colours in {image.format} only the upper byte can be read, bits: {bits} needs "
            "both; convert it to PNG or to 8 bits"
        )
    bands = deep_bands(image)
    colours = bands.shape[-1] - (bands.shape[-1] in (2, 4))
    eight = scaled(bands[..., :colours], bits)
    alpha = bands[..., colours:]
    if alpha.size:  # in whole 16 bits, or in as many as the colours
        alpha = scaled(alpha, 16 if alpha.max() >= 2**bits else bits)
        eight = np.concatenate([eight, alpha], axis=-1)
    found = Image.fromarray(eight)
    if exif := image.getexif():
        found.info["exif"] = exif.tobytes()
    return found


def of_few_bits(image: Image.Image, bits: int) -> Image.Image:
    """Return an image of 8-bit bands, of which fewer bits are used, stretched; alpha stays.

    Raises `ValueError` where more bits are used.
    """
    bands = [
        band if name == "A" else Image.fromarray(scaled(np.asarray(band), bits))
        for name, band in zip(image.getbands(), image.split(), strict=True)
    ]
    found = Image.merge(image.mode, bands)
    found.info = image.info
    return found


def scaled(values: np.ndarray, bits: int) -> np.ndarray:
    """Return integers from 0 to 2^bits - 1 as uint8 of the same shape.

    More than 8 bits lose the lower ones, rounded (16 bits: 65535 becomes 255); fewer are stretched to 255. A few
    higher values, such as burnt-in markers, become 255. Raises `ValueError` where more than `FEW_BRIGHT` are higher.
    """
    most = 2**bits - 1
    highest = int(values.max())
    if highest > most and np.mean(values > most) > FEW_BRIGHT:
        needed = next(usual for usual in USUAL if np.mean(values >= 2**usual) <= FEW_BRIGHT)
        raise ValueError(
            f"its pixels reach {highest}, and bits: {bits} allows {most}; bits: {needed}, it seems"
        )
    values = np.minimum(values, most) if highest > most else values
    if bits in (8, 16):
        return np.rint(values / (most / 255)).astype(np.uint8)
    factor = 2.0 ** (8 - bits) if bits > 8 else 255 / most
    return np.minimum(np.rint(values * factor), 255).astype(np.uint8)


def _raw_mode(tile: tuple) -> str:
    """Return how a decoder is told to read a piece of a file, such as `RGB;16B`."""
    arguments = tile[3]
    first = arguments[0] if isinstance(arguments, tuple | list) and arguments else arguments
    return first if isinstance(first, str) else ""
