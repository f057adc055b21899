"""How many bits of an image's integer pixels are used, and what they become as 8 bits.

A 16-bit file may hold 12 bits, or 8. Only a whole data set tells, so one image is never stretched by itself: the
definition's key `bits` says it, and without it the whole range counts.
"""

from pathlib import Path

import numpy as np
from PIL import Image

DEEP, DEEP_COLOUR, SHALLOW = "16-bit", "16-bit colour", "8-bit"
# Modes whose values stand in the file as they are read; palettes and the like hold colours.
AS_STORED = ("L", "LA", "RGB", "RGBA")
HIGHEST = 65535
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


def highest_value(image: Image.Image) -> int:
    """Return the highest value of any band but alpha, as Pillow reads it; loads the pixels."""
    if image.mode.startswith("I"):
        return int(np.asarray(image).max())  # Pillow has no extrema of I;16B
    extrema = image.getextrema()
    bands = [extrema] if len(image.getbands()) == 1 else extrema
    return max(
        int(high) for name, (_, high) in zip(image.getbands(), bands, strict=True) if name != "A"
    )


def of_deep_grey(image: Image.Image, bits: int | None) -> Image.Image:
    """Return an image of mode I, I;16 or F as 8 bits.

    Raises `ValueError` for pixels whose range cannot be known (floating point, over 16 bits), or
    that need more bits than it is said.
    """
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > HIGHEST:
        raise ValueError("its pixels are no integers from 0 to 65535; convert it to 8 or 16 bits")
    return Image.fromarray(scaled(values, bits or 16))


def of_deep_colour(image: Image.Image, bits: int) -> Image.Image:
    """Return a PNG of 16-bit colours, of which `bits` are used, as 8 bits of a band.

    Raises `ValueError` for other formats, which nothing here reads whole, and where more bits are used.
    """
    if image.format != "PNG":
        raise ValueError(
            f"of 16-bit colours in {image.format} only the upper byte can be read, bits: {bits} needs "
            "both; convert it to PNG or to 8 bits"
        )
    from torchvision.io import ImageReadMode, decode_png, read_file  # takes seconds, seldom needed

    bands = decode_png(read_file(str(Path(image.filename))), ImageReadMode.UNCHANGED).numpy()
    if len(bands) in (2, 4) and bands[-1].max() >= 2**bits:
        # alpha in whole 16 bits
        alpha = scaled(bands[-1:], 16)
        bands = np.concatenate([scaled(bands[:-1], bits), alpha])
    else:
        bands = scaled(bands, bits)
    found = Image.fromarray(bands.transpose(1, 2, 0))
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

    More than 8 bits lose the lower ones, rounded (16 bits: 65535 becomes 255); fewer are stretched to 255.
    Raises `ValueError` for a higher value.
    """
    most = 2**bits - 1
    if (highest := int(values.max())) > most:
        needed = next((usual for usual in USUAL if highest < 2**usual), highest.bit_length())
        raise ValueError(
            f"its pixels reach {highest}, and bits: {bits} allows {most}; bits: {needed}, it seems"
        )
    if bits in (8, 16):
        return np.rint(values / (most / 255)).astype(np.uint8)
    factor = 2.0 ** (8 - bits) if bits > 8 else 255 / most
    return np.minimum(np.rint(values * factor), 255).astype(np.uint8)


def _raw_mode(tile: tuple) -> str:
    """Return how a decoder is told to read a piece of a file, such as `RGB;16B`."""
    arguments = tile[3]
    first = arguments[0] if isinstance(arguments, tuple | list) and arguments else arguments
    return first if isinstance(first, str) else ""
