"""Whole groups of samples exchanged within their class: what nothing but the class tells apart."""

from collections.abc import Iterator

import numpy as np


class Exchange:
    """Groups that may change places: those that hold equally many samples of each class.

    classes, groups: int [N]. Where a class is all that tells samples apart, every such exchange is as likely as the
    order in the data, whatever members of a group have in common.
    """

    def __init__(self, classes: np.ndarray, groups: np.ndarray):
        member = np.unique(groups, return_inverse=True)[1]
        self.samples = np.lexsort((classes, member))  # group by group, the classes of each in order
        self.sizes = np.bincount(member)
        self.starts = np.cumsum(self.sizes) - self.sizes
        held = np.split(np.asarray(classes)[self.samples], self.starts[1:])
        known: dict[bytes, int] = {}
        self.strata = np.array([known.setdefault(one.tobytes(), len(known)) for one in held])

    @property
    def movable(self) -> int:
        """How many samples are in groups that have another one to change places with."""
        alone = np.bincount(self.strata)[self.strata] == 1
        return int(self.sizes[~alone].sum())

    def permutations(self, times: int, draws: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield orders of the samples, int [N]: at place i stands the sample that takes the place of i."""
        before = self._in_order(np.argsort(self.strata, kind="stable"))
        for _ in range(times):
            order = np.empty_like(before)
            order[before] = self._in_order(
                np.lexsort((draws.random(len(self.strata)), self.strata))
            )
            yield order

    def _in_order(self, groups: np.ndarray) -> np.ndarray:
        """Return the samples of the groups, one group after the other."""
        sizes = self.sizes[groups]
        first = np.cumsum(sizes) - sizes
        within = np.arange(len(self.samples)) - np.repeat(first, sizes)
        return self.samples[np.repeat(self.starts[groups], sizes) + within]
