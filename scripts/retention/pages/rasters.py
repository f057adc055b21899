"""Traces as small drawings, runs by epochs, and the same in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

START = 0  # the epoch before the first one of training, which stands apart
GAP = 0.7  # epochs between it and the others
SEPARATE = 60  # epochs that can still be told apart in a small drawing


@dataclass(frozen=True)
class Raster:
    """A trace as two SVG paths in units of epochs and runs: where it was right and where it was wrong.

    width: units; rows: runs; separate: whether cells are few enough to be drawn one by one; words: the trace as text.
    """

    right: str
    wrong: str
    width: float
    rows: int
    separate: bool
    words: str


def raster_of(correct: np.ndarray, epochs: np.ndarray, seeds: Sequence[int]) -> Raster:
    """Return the drawing of a sample's traces.

    correct: bool [R, E]; epochs: int [E]; seeds: [R], the names of the rows.
    """
    words = "; ".join(
        f"seed {seed}: {_in_words(row, epochs)}" for seed, row in zip(seeds, correct, strict=True)
    )
    starts = _starts(epochs)
    return Raster(
        right=_path(correct, starts),
        wrong=_path(~correct, starts),
        width=round(float(starts[-1]) + 1, 1),
        rows=len(correct),
        separate=len(epochs) <= SEPARATE,
        words=words,
    )


def ranges(numbers: Sequence[int]) -> str:
    """Return rising whole numbers as `2, 4 to 7`."""
    spans: list[list[int]] = []
    for number in map(int, numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in spans)


def _in_words(row: np.ndarray, epochs: np.ndarray) -> str:
    if row.all() or not row.any():
        return f"{'right' if row.all() else 'wrong'} at every epoch"
    wrong = epochs[~row]
    return f"wrong at {'epoch' if len(wrong) == 1 else 'epochs'} {ranges(wrong.tolist())}"


def _starts(epochs: np.ndarray) -> np.ndarray:
    """Return where each epoch begins, in units of one epoch, float [E]."""
    starts = np.arange(len(epochs), dtype=float)
    if len(epochs) and epochs[0] == START:
        starts[1:] += GAP
    return starts


def _path(marked: np.ndarray, starts: np.ndarray) -> str:
    """Return lines through the middle of the marked cells, one for each stretch without a gap; marked: bool [R, E]."""
    lines = []
    for row, cells in enumerate(marked):
        found = starts[cells]
        cuts = np.flatnonzero(np.diff(found) > 1 + GAP / 2) + 1
        stretches = [stretch for stretch in np.split(found, cuts) if len(stretch)]
        lines += [f"M{stretch[0]:g} {row}.5h{len(stretch)}" for stretch in stretches]
    return "".join(lines)
