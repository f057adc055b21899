"""Thumbnails of many samples in few files: tiles of sheets, which spares the header of a JPEG per sample."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from retention.data.thumbnails import QUALITY, Thumbnails

COLUMNS = 16  # tiles of a row and rows of a sheet: at 96 pixels, 1,536 × 1,536, which phones decode
SIDES = (
    96,
    64,
    48,
)  # pixels of a tile: multiples of JPEG's blocks of 16, so that no tile shows its neighbour
BUDGET = 6_000_000  # bytes of all sheets
PROBED = 512  # samples by which a side is chosen


@dataclass(frozen=True)
class Sprites:
    """Tiles of `side` pixels in row-major order, `COLUMNS`² a sheet; an image lies in its tile's upper left corner.

    sheets: JPEG files; sizes: [width, height] of each image, pixels.
    """

    side: int
    sheets: tuple[bytes, ...]
    sizes: tuple[tuple[int, int], ...]

    def for_page(self) -> dict:
        """Return the sprites as a page's script takes them."""
        sheets = [base64.b64encode(sheet).decode("ascii") for sheet in self.sheets]
        return {"side": self.side, "columns": COLUMNS, "sheets": sheets, "sizes": self.sizes}


def sprites_of(thumbnails: Thumbnails, samples: Sequence[int], budget: int = BUDGET) -> Sprites:
    """Return the sprites of samples (sample_index) at the largest of `SIDES` whose sheets take about `budget` bytes."""
    probe = samples[:: max(1, len(samples) // PROBED)]
    for side in SIDES[:-1]:
        bytes_each = sum(map(len, _sprites(thumbnails, probe, side).sheets)) / len(probe)
        if bytes_each * len(samples) <= budget:
            return _sprites(thumbnails, samples, side)
    return _sprites(thumbnails, samples, SIDES[-1])


def _sprites(thumbnails: Thumbnails, samples: Sequence[int], side: int) -> Sprites:
    sheets, sizes = [], []
    for images in _sheets(thumbnails, samples, side):
        rows = -(-len(images) // COLUMNS)
        sheet = Image.new("RGB", (COLUMNS * side, rows * side))
        for place, image in enumerate(images):
            corner = (place % COLUMNS * side, place // COLUMNS * side)
            sheet.paste(_filling(image, side), corner)
            sizes.append(image.size)
        stream = BytesIO()
        sheet.save(stream, "JPEG", quality=QUALITY, optimize=True)
        sheets.append(stream.getvalue())
    return Sprites(side, tuple(sheets), tuple(sizes))


def _filling(image: Image.Image, side: int) -> Image.Image:
    """Return an image whose last row and column go on to the tile's end: what JPEG blurs there is of one colour."""
    beyond = ((0, side - image.height), (0, side - image.width), (0, 0))
    return Image.fromarray(np.pad(np.asarray(image), beyond, mode="edge"))


def _sheets(
    thumbnails: Thumbnails, samples: Sequence[int], side: int
) -> Iterator[list[Image.Image]]:
    """Yield the images of each sheet."""
    tiles = COLUMNS**2
    for start in range(0, len(samples), tiles):
        yield [thumbnails.image(index, side) for index in samples[start : start + tiles]]
