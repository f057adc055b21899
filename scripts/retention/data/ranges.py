"""Whether the images of a data set use their integers' range, or fewer bits than their files have."""

from collections.abc import Iterator, Sequence

import numpy as np

from retention.common.errors import UserError
from retention.common.lists import listed, plural
from retention.data.depth import DEEP, DEEP_COLOUR, FEW_BRIGHT, HIGHEST, SHALLOW, USUAL
from retention.data.inspection import Seen
from retention.data.levels import Below, Levels, first_fit

FEW = (1, 2, 4, 8)
SCENE = 8  # values from which on an 8-bit image may be of a dark scene
LOW = (HIGHEST + 1) // 8  # what 13 bits do not reach


def require_plausible_range(dataset: str, seen: Sequence[Seen]) -> None:
    """Raise `UserError` where the images of a kind use so little of its range that fewer bits are meant.

    Of all images together: one dark image says nothing. Few bright pixels, such as burnt-in markers, do not count. To
    be asked where the definition does not say `bits`.
    """
    for depth, whole, least, usual in (
        (DEEP, HIGHEST, HIGHEST // 2 + 1, USUAL),
        (DEEP_COLOUR, HIGHEST, HIGHEST // 2 + 1, USUAL),
        (SHALLOW, 255, 32, FEW),
    ):
        levels = _levels_of(seen, depth)
        value = max((one.highest for one in levels), default=0)
        brighter, whiter = "", ""
        # lamps in a dark scene are ordinary in 8 bits; a handful of values beside white is a mask
        most = SCENE if depth == SHALLOW else whole
        if value >= least and (found := _apart(levels)) and found[0] < most:
            value, lowest = found
            brighter = f", but for few pixels of {lowest} and more such as markers"
            whiter = " (it makes those white)"
        if 0 < value < least:
            bits = _bits_for(value, usual)
            raise UserError(
                f"{dataset}: its {depth} images reach {value} of {whole}{brighter}; say in dataset_definitions.{dataset} "
                f"how many bits are used: bits: {bits}, it seems{whiter}, or bits: {usual[-1]} to keep them as they are"
            )


def notes_on_range(seen: Sequence[Seen], classes: Sequence[str]) -> Iterator[str]:
    """Yield a sentence where most deep images stay in a small part of their range, though a few bright ones do not.

    And one where those of some classes alone do, by which these could be told. classes: of `seen`. To be asked where
    the definition does not say `bits`.
    """
    reached = [
        (one.levels.usual, one.levels.highest, name)
        for one, name in zip(seen, classes, strict=True)
        if one.levels and one.depth in (DEEP, DEEP_COLOUR)
    ]
    low = [value for value, _, _ in reached if value < LOW]
    but_few = any(value < LOW and value < highest for value, highest, _ in reached)
    never = "but for few pixels never exceed" if but_few else "never exceed"
    if len(reached) > len(low) > len(reached) / 2:
        bits = _bits_for(max(low), USUAL)
        yield (
            f"{len(low)} of {len(reached)} 16-bit images {never} {max(low)}: are they of {bits} bits? Then say bits: "
            f"{bits}, and mend the others, which reach {max(value for value, _, _ in reached)}"
        )
    elif not low:
        yield from _on_few_bright(seen)
    highest: dict[str, int] = {}
    for value, _, name in reached:
        highest[name] = max(highest.get(name, 0), value)
    dark = sorted(name for name, value in highest.items() if value < LOW)
    if 0 < len(dark) < len(highest):
        yield (
            f"16-bit images of class {listed(dark)} {never} {max(highest[name] for name in dark)}, those of others "
            f"reach {max(highest.values())}: the range alone tells these classes apart; bring all to one range"
        )


def note_on_clipped(seen: Sequence[Seen], paths: Sequence[str], bits: int) -> Iterator[str]:
    """Yield a sentence where pixels exceed what the definition's `bits` allow; paths: of `seen`."""
    above = [(one.above, path) for one, path in zip(seen, paths, strict=True) if one.above > 0]
    if above:
        yield (
            f"{plural(len(above), 'image')} with pixels above {2**bits - 1}, which bits: {bits} makes white: at most "
            f"{max(above)[0]:.1%} of an image; the first is {above[0][1]}"
        )


def _levels_of(seen: Sequence[Seen], depth: str) -> list[Levels]:
    """Return the levels of the images of a depth; none where others of 8 bits are no integers as they stand."""
    if depth == SHALLOW and not all(one.depth for one in seen):
        return []
    # what is transparent in part is seen on white, whatever its colours are
    return [one.levels for one in seen if one.levels and one.depth == depth and not one.see_through]


def _together(levels: Sequence[Levels]) -> tuple[Below, np.ndarray] | None:
    """Return what lies below the bits, [images, bits], and how many values there are, [images].

    `None` where an image has many values above all of these bits.
    """
    below = [one.below for one in levels if one.below]
    if not below or len(below) < len(levels):
        return None
    return Below(*map(np.stack, zip(*below, strict=True))), np.array([x.number for x in levels])


def _apart(levels: Sequence[Levels]) -> tuple[int, int] | None:
    """Return what all images reach but for few bright values far beyond, and the lowest of these; `None` for no such."""
    together = _together(levels)
    if together is None or (found := first_fit(*together)) is None:
        return None
    return found[:2]


def _on_few_bright(seen: Sequence[Seen]) -> Iterator[str]:
    """Yield a sentence where nearly all pixels of each 16-bit image are dark, and no gap tells what the others are."""
    together = _together([one.levels for one in seen if one.levels and one.depth == DEEP])
    if together is None:
        return
    below, numbers = together
    most = FEW_BRIGHT * numbers[:, None]
    telling = np.maximum(below.few.sum(axis=0), most.sum())
    fits = (below.few <= most).all(axis=0) & (below.varied.sum(axis=0) > telling)
    for bits in (bits for bits in USUAL if 2**bits < LOW and fits[bits - 1]):
        yield (
            f"{1 - FEW_BRIGHT:.0%} of the pixels of each 16-bit image, or more, stay below {2**bits} of {HIGHEST}: are "
            f"they of {bits} bits, and the brighter ones markers? Then say bits: {bits}, which makes those white"
        )
        return


def _bits_for(value: int, usual: Sequence[int]) -> int:
    """Return how many bits a highest value seems to be of: usual ones, but for the whole range; else as it needs."""
    return next((bits for bits in usual[:-1] if value < 2**bits), value.bit_length())
