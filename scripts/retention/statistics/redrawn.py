"""Random rows that several statistics are given alike, in memory that is bounded."""

from collections.abc import Callable, Iterator
from copy import deepcopy

import numpy as np

HELD_BYTES = 512 * 10**6  # rows of more are drawn anew for each statistic
BLOCK_BYTES = 128 * 10**6  # of rows at a time, where they are not held

Draw = Callable[[np.random.Generator, int], np.ndarray]


class Redrawn:
    """B random rows of N values each, resamples or labellings, which are the same whenever they are asked for.

    draw: of a generator and a number of rows, [rows, N]. It takes the same numbers from the generator however many
    rows it is asked for at a time, so blocks hold what the whole would. The generator is left where the whole leaves
    it, held or not.
    """

    def __init__(self, draw: Draw, rows: int, draws: np.random.Generator):
        self._draw, self.rows = draw, rows
        self._start = deepcopy(draws)
        of_row = draw(deepcopy(draws), 1).nbytes
        self._size = max(BLOCK_BYTES // of_row, 1)
        self._held = draw(draws, rows) if rows * of_row <= HELD_BYTES else None
        if self._held is None:
            for size in self._sizes():
                draw(draws, size)

    def over(self, statistic: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return a statistic, rows [b, N] → [b, …], of all rows, [B, …]."""
        return np.concatenate([statistic(block) for block in self._blocks()])

    def _blocks(self) -> Iterator[np.ndarray]:
        if self._held is not None:
            yield self._held
            return
        draws = deepcopy(self._start)
        for size in self._sizes():
            yield self._draw(draws, size)

    def _sizes(self) -> list[int]:
        whole, rest = divmod(self.rows, self._size)
        return [self._size] * whole + [rest] * (rest > 0)
