"""Definitions that all findings share, and which of them give all reported numbers at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from retention.multiverse.choices import DEFINITION, SCORE
from retention.multiverse.grids import REPORTED_DIGITS, Grid, first_alike, rounded
from retention.multiverse.targets import (
    RULED_OUT,
    Assignment,
    Held,
    Number,
    held,
)
from retention.statistics.resampling import LEVEL

# What makes a sample's score and R². Each finding has its own choice of the other dimensions. One of them is epoch_0:
# what predicts decay from the loss at epoch 0 leaves that epoch out, and nothing else does.
SHARED = [SCORE, *(name for name in DEFINITION if name != "epoch_0"), "samples", "never_learned"]


@dataclass(frozen=True)
class Definitions:
    """D definitions of which every finding has combinations.

    levels: str [D, SHARED]; members: int [D, findings], a group of combinations of each finding; groups: per finding int
    [K], the group of each combination, −1 where it does not count; classes: int [D], the first definition whose estimates
    are the same in all findings.
    """

    levels: pd.DataFrame
    members: np.ndarray
    groups: Sequence[np.ndarray]
    classes: np.ndarray


def definitions_of(grids: Sequence[Grid], counted: Sequence[np.ndarray]) -> Definitions:
    """Return the definitions that have a combination in every grid; counted: bool [K] of each, those that there are.

    A combination has a definition if it says nothing else: a dimension that does not apply says nothing.
    """
    codes, words = _codes(grids)
    shared, members, groups, alike = np.zeros((1, len(SHARED)), int), np.zeros((1, 0), int), [], []
    for grid, those, code in zip(grids, counted, codes, strict=True):
        keys, inverse = np.unique(code[those], axis=0, return_inverse=True)
        group = np.full(len(code), -1)
        group[those] = inverse.ravel()
        groups.append(group)
        alike.append(_alike(grid, group, len(keys)))
        fits = (shared[:, None] == keys) | (shared[:, None] == 0) | (keys == 0)
        one, other = np.nonzero(fits.all(axis=2))
        shared = np.maximum(shared[one], keys[other])
        members = np.column_stack([members[one], other])
    if not len(members):
        return Definitions(pd.DataFrame(columns=SHARED), members, groups, np.zeros(0, int))
    same = np.column_stack([alike[f][members[:, f]] for f in range(len(grids))])
    levels = pd.DataFrame(np.array(words, dtype=object)[shared], columns=SHARED)
    return Definitions(levels, members, groups, first_alike(same))


def _codes(grids: Sequence[Grid]) -> tuple[list[np.ndarray], list[str]]:
    """Return the levels of the shared dimensions as numbers, int [K, SHARED] per grid, 0 for none, and their words."""
    every = pd.concat([grid.levels[SHARED] for grid in grids])
    words = ["", *sorted(set(every.to_numpy().ravel()) - {""})]
    number = {word: place for place, word in enumerate(words)}
    return [
        np.array([[number[word] for word in row] for row in grid.levels[SHARED].to_numpy()], int)
        for grid in grids
    ], words


def _alike(grid: Grid, group: np.ndarray, number: int) -> np.ndarray:
    """Return of each group the first one with the same estimates under the same further choices, int [number]."""
    own = [name for name in grid.levels if name not in SHARED]
    further = [tuple(row) for row in grid.levels[own].to_numpy()]
    values = rounded(grid.estimate)
    known: dict[tuple, int] = {}
    return np.array(
        [
            known.setdefault(
                tuple(
                    sorted((further[k], values[k].tobytes()) for k in np.flatnonzero(group == g))
                ),
                g,
            )
            for g in range(number)
        ],
        dtype=int,
    )


@dataclass(frozen=True)
class Asked:
    """A number, the grid that it is of, and the cells there under an assignment."""

    number: int
    grid: int
    cells: Sequence[int]


@dataclass(frozen=True)
class Joint:
    """Definitions held against all numbers at once, under every assignment."""

    grids: Sequence[Grid]
    numbers: Sequence[Number]
    assigned: Sequence[Assignment]
    definitions: Definitions

    @cached_property
    def _asked(self) -> list[list[Asked]]:
        """What each assignment asks; nothing where it has cells for fewer numbers than another one."""
        place = {(grid.finding, grid.statistic): f for f, grid in enumerate(self.grids)}
        found = []
        for assignment in self.assigned:
            asked = []
            for number, one in enumerate(self.numbers):
                if (grid := place.get((one.finding, one.statistic))) is None:
                    continue
                if cells := assignment.cells(self.grids[grid], one):
                    asked.append(Asked(number, grid, cells))
            found.append(asked)
        most = max((len(asked) for asked in found), default=0)
        return [asked if len(asked) == most else [] for asked in found]

    @property
    def held_against(self) -> list[Number]:
        """The numbers that definitions are held against."""
        return [one for one in self.numbers if one not in self.left_out]

    @property
    def left_out(self) -> list[Number]:
        """The numbers that nothing of ours is held against."""
        asked = {one.number for asked in self._asked for one in asked}
        return [one for number, one in enumerate(self.numbers) if number not in asked]

    @cached_property
    def _held(self) -> list[list[Held]]:
        """The intervals of each assignment's numbers, all of which hold together at 95 % (Bonferroni)."""
        found = []
        for asked in self._asked:
            cells = {(one.grid, cell) for one in asked for cell in one.cells}
            level = 1 - (1 - LEVEL) / max(len(cells), 1)
            found.append(
                [held(self.grids[one.grid], self.numbers[one.number], level) for one in asked]
            )
        return found

    @cached_property
    def first(self) -> np.ndarray:
        """The first definition of each class that has an estimate of every number under some assignment, int [classes]."""
        every = np.unique(self.definitions.classes)
        if not len(every):
            return every
        known = np.zeros(len(every), dtype=bool)
        for place, asked in enumerate(self._asked):
            if asked:
                known |= self._known(place, asked)[every]
        return every[known]

    def _known(self, place: int, asked: Sequence[Asked]) -> np.ndarray:
        """Return which definitions have an estimate of each number, bool [D]."""
        estimable = self._estimable(place, asked)
        return self._best([one.astype(np.int8) for one in estimable]) > 0

    def _estimable(self, place: int, asked: Sequence[Asked]) -> list[np.ndarray]:
        """Return per grid which combinations have an estimate in all cells that are asked, bool [K]."""
        found = [group >= 0 for group in self.definitions.groups]
        for one, intervals in zip(asked, self._held[place], strict=True):
            found[one.grid] = found[one.grid] & intervals.known[:, list(one.cells)].all(axis=1)
        return found

    def _best(self, of_grids: Sequence[np.ndarray]) -> np.ndarray:
        """Return the least over grids of the best among a definition's combinations, int8 [D]."""
        found = []
        for f, (status, group) in enumerate(zip(of_grids, self.definitions.groups, strict=True)):
            best = np.full(group.max(initial=0) + 1, RULED_OUT, dtype=np.int8)
            np.maximum.at(best, group[group >= 0], status[group >= 0])
            found.append(best[self.definitions.members[:, f]])
        return np.min(found, axis=0)

    def status(self, values: Mapping[int, tuple[float, float]] | None = None) -> np.ndarray:
        """Return the best status of each definition under each assignment, int8 [assignments, D].

        values: low and high by number, in place of the reported ones. Under an assignment that asks for nothing all are
        ruled out.
        """
        found = np.full((len(self.assigned), len(self.definitions.members)), RULED_OUT, np.int8)
        for place, asked in enumerate(self._asked):
            if not asked:
                continue
            of_grids = [np.full(len(group), 2, np.int8) for group in self.definitions.groups]
            for one, intervals in zip(asked, self._held[place], strict=True):
                number = self.numbers[one.number]
                low, high = (values or {}).get(one.number, (number.low, number.high))
                status = intervals.status(one.cells, low, high)
                of_grids[one.grid] = np.minimum(of_grids[one.grid], status)
            found[place] = self._best(of_grids)
        return found

    def drawn(self, draws: np.random.Generator) -> tuple[int, dict[int, tuple[float, float]]]:
        """Return a definition and what a new study by it would report of each number.

        The definition is one of a class, the assignment and each finding's further choices are drawn. A number of several
        cells is their mean, a range has the least and the greatest of them as its ends.
        """
        row = int(draws.choice(self.first))
        place = int(draws.choice([place for place, asked in enumerate(self._asked) if asked]))
        asked = self._asked[place]
        estimable = self._estimable(place, asked)
        studies = {
            grid: self._study(row, grid, estimable[grid], draws)
            for grid in dict.fromkeys(one.grid for one in asked)
        }
        return row, {
            one.number: _reported(studies[one.grid][list(one.cells)], self.numbers[one.number])
            for one in asked
        }

    def _study(
        self, row: int, grid: int, estimable: np.ndarray, draws: np.random.Generator
    ) -> np.ndarray:
        """Return what a new study finds by one of a definition's combinations, float [J]; NaN where none is estimable."""
        own = self.definitions.groups[grid] == self.definitions.members[row, grid]
        those = np.flatnonzero(own & estimable)
        if not len(those):
            return np.full(len(self.grids[grid].cells), np.nan)
        return self.grids[grid].drawn(int(draws.choice(those)), draws)


def _reported(found: np.ndarray, number: Number) -> tuple[float, float]:
    """Return what is reported of a number's cells: to two digits, in the form of the number."""
    if number.low == number.high or len(found) == 1:
        half = (number.high - number.low) / 2
        mean = float(np.mean(found))
        return round(mean - half, REPORTED_DIGITS), round(mean + half, REPORTED_DIGITS)
    return round(float(np.min(found)), REPORTED_DIGITS), round(
        float(np.max(found)), REPORTED_DIGITS
    )
