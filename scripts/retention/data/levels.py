"""Which values an image's integer pixels take, told so shortly that those of a whole data set fit in memory."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from retention.data.depth import DEEP, DEEP_COLOUR, FEW_BRIGHT, deep_bands, is_whole

GAP = 4  # times as high as the others are such few bright values, at least


class Below(NamedTuple):
    """What lies below 2^b and what does not, for b = 1, 2, …, each int64 [bits].

    Also of many images: then each is [images, bits].
    """

    highest: np.ndarray  # value below 2^b, 0 for none
    lowest: np.ndarray  # value from 2^b on, a huge one for none
    few: np.ndarray  # how many values are 2^b or more
    varied: np.ndarray  # how many below 2^b differ from the one that is most frequent in their band


class Levels(NamedTuple):
    """The values of one image's bands, alpha left out."""

    highest: int
    usual: int  # highest but for few bright ones beyond a gap
    lowest: int
    number: int  # of values
    below: Below | None  # `None` where more than few values are bright


def counts_of(image: Image.Image, depth: str) -> tuple[np.ndarray, int]:
    """Return how often each band but alpha has each value, int64 [bands, values], and what a step of values is.

    depth: of `depth_of`. Loads the pixels. Of 16-bit colours that nothing reads whole the upper byte is counted, in steps of 256.
    """
    if depth == DEEP:
        return np.bincount(np.asarray(image).ravel(), minlength=1 << 16)[None], 1
    if depth == DEEP_COLOUR and is_whole(image):
        bands = deep_bands(image)
        colours = bands[..., : bands.shape[-1] - (bands.shape[-1] in (2, 4))]
        flat = colours.reshape(-1, colours.shape[-1]).T
        return np.stack([np.bincount(band, minlength=1 << 16) for band in flat]), 1
    counts = np.array(image.histogram()).reshape(-1, 256)
    kept = [row for row, name in enumerate(image.getbands()) if name != "A"]
    return counts[kept], 256 if depth == DEEP_COLOUR else 1


def levels_of(counts: np.ndarray, step: int) -> Levels:
    """Return the levels of an image, both arguments of `counts_of`."""
    total = counts.sum(axis=0)
    present, number = np.flatnonzero(total), int(total.sum())
    lowest, highest = int(present[0]) * step, _full(int(present[-1]), step)
    below = _below(counts, total, present, step)
    if below is None:
        return Levels(highest, highest, lowest, number, None)
    usual = first_fit(Below(*(part[None] for part in below)), np.array([number]))
    return Levels(highest, highest if usual is None else usual[0], lowest, number, below)


def share_above(counts: np.ndarray, step: int, bits: int | None) -> float:
    """Return which share of an image's values `bits` bits do not hold; counts and step: of `counts_of`."""
    if bits is None or counts.shape[1] * step <= 1 << bits:
        return 0.0
    return float(counts[:, (1 << bits) // step :].sum() / counts.sum())


def first_fit(below: Below, numbers: np.ndarray) -> tuple[int, int, int] | None:
    """Return what images reach but for few bright values beyond a gap, the lowest of these, and the place of the bits.

    below: [images, bits]; numbers: of values, [images]. `None` where there are no such values: where some image has
    many, where the gap is narrow, or where the others are a background that says nothing (strokes on black).
    """
    highest, lowest = below.highest.max(axis=0), below.lowest.min(axis=0)
    bright = below.few.sum(axis=0)
    fits = (below.few <= FEW_BRIGHT * numbers[:, None]).all(axis=0) & (bright > 0) & (highest > 0)
    telling = np.maximum(bright, FEW_BRIGHT * numbers.sum())
    fits &= (lowest >= GAP * highest) & (below.varied.sum(axis=0) > telling)
    if not fits.any():
        return None
    place = int(np.flatnonzero(fits)[0])
    return int(highest[place]), int(lowest[place]), place


def _below(counts: np.ndarray, total: np.ndarray, present: np.ndarray, step: int) -> Below | None:
    # Above these bits no gap fits into the range, and 8-bit images of 6 bits are ordinary dark ones.
    bits = np.arange(1, 6 if len(total) == 256 and step == 1 else len(total).bit_length() - 2)
    edges = 1 << bits
    few = total.sum() - total.cumsum()[edges - 1]
    if few[-1] > FEW_BRIGHT * total.sum():
        return None
    place = np.searchsorted(present, edges)
    highest = np.where(place > 0, present[place - 1], 0)
    beyond = np.r_[present, 1 << 40][place]
    band = counts[:, : edges[-1]]
    varied = (band.cumsum(axis=1) - np.maximum.accumulate(band, axis=1)).sum(axis=0)[edges - 1]
    full = np.where(highest > 0, highest * step + step - 1, 0)
    return Below(full, beyond * step, few, varied)


def _full(value: int, step: int) -> int:
    """Return the highest value that a counted one may stand for, 0 for 0."""
    return value * step + step - 1 if value else 0
