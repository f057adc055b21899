"""The estimates of a finding's combinations in every cell, as arrays, and what a new study of them would give."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from retention.common.columns import require_columns
from retention.common.csv_tables import TEXT, read_csv
from retention.common.errors import UserError
from retention.common.multiverse_tables import DIGITS, FAULT
from retention.multiverse.shares import having
from retention.statistics.resampling import (
    CORRELATION,
    LEVEL,
    MINIMUM_SEEDS,
    PLAIN,
    SHARE,
    Scale,
)

SCALES = {"jaccard": SHARE, "spearman": CORRELATION}  # those of the findings' intervals
NEW_RUNS = "new runs"
PAIRS, AVERAGED = "pairs", "averaged"
REPORTED_DIGITS = 2
PART = 0.25  # of the range of the estimates: an interval that is wider tells too little
MARKS = ["combination", "kind", "own", "named"]
WORDS = ["finding", "dataset", "comparison", "architecture", "statistic", "kind", "named", "target"]
COLUMNS = [*WORDS, "combination", "own", "estimate", "low", "high", "p", "chance", "note"]


@dataclass(frozen=True)
class Cell:
    """A comparison on a data set; architectures: those that are compared."""

    dataset: str
    comparison: str
    architectures: tuple[str, ...]


@dataclass(frozen=True)
class NewStudy:
    """A study of `theirs` runs of each architecture, beside ours of `ours`.

    averaged_over: how many seeds' scores are averaged in ours; None: as many as in theirs.
    """

    ours: int
    theirs: int
    averaged_over: int | None = None

    @property
    def averages_alike(self) -> bool:
        """Tell whether averaged scores are means over as many seeds in both studies."""
        return min(self.averaged_over or self.theirs, self.ours) == self.theirs

    @property
    def degrees(self) -> int:
        """Degrees of freedom of a variance over our seeds, as `audits.paper_comparison` takes them: on the wide side."""
        return max(self.ours - 1, 1)

    def halves(self, level: float, over_seeds: np.ndarray) -> np.ndarray:
        """Return half a prediction interval's width over half that of our 95 % interval.

        The new study's variance is ours times ours/theirs, added to that of our estimate, so errors grow by
        √(1 + ours/theirs). over_seeds: bool, where seeds limit how well the variance is known.
        """
        tail, usual = (1 + level) / 2, (1 + LEVEL) / 2
        of_seeds = stdtrit(self.degrees, tail) / stdtrit(self.degrees, usual)
        of_samples = ndtri(tail) / ndtri(usual)
        return np.sqrt(1 + self.ours / self.theirs) * np.where(over_seeds, of_seeds, of_samples)

    def noise(self, over_seeds: np.ndarray, draws: np.random.Generator) -> np.ndarray:
        """Return random errors of a new study in halves of our 95 % intervals, of which `halves` holds 95 %."""
        usual = (1 + LEVEL) / 2
        of_seeds = draws.standard_t(self.degrees, over_seeds.shape) / stdtrit(self.degrees, usual)
        of_samples = draws.standard_normal(over_seeds.shape) / ndtri(usual)
        return np.sqrt(1 + self.ours / self.theirs) * np.where(over_seeds, of_seeds, of_samples)


@dataclass(frozen=True)
class Grid:
    """K combinations of a finding in J cells.

    levels: str [K, dimensions]; marks: `MARKS` of each combination; estimate, low, high: float [K, J], NaN where there is
    none; over_seeds: bool [K, J], whether an interval is about new runs.
    """

    finding: str
    statistic: str
    levels: pd.DataFrame
    marks: pd.DataFrame
    cells: Sequence[Cell]
    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    over_seeds: np.ndarray
    study: NewStudy

    @cached_property
    def fault(self) -> np.ndarray:
        """Which combinations are errors that others could make, bool [K]."""
        return (self.marks["kind"] == FAULT).to_numpy()

    @cached_property
    def errors(self) -> np.ndarray:
        """The error of each combination, `ties file_order`: the level that no other combination has; "" of all others, str [K]."""
        found = np.full(len(self.levels), "", dtype=object)
        for row, wrong in self._wrong.items():
            found[row] = ", ".join(f"{name} {self.levels[name].iloc[row]}" for name in wrong)
        return found

    @cached_property
    def harmless(self) -> np.ndarray:
        """Which errors change nothing that would be reported, bool [K, J]: the number is that of the same choices without it."""
        found = np.zeros(self.estimate.shape, dtype=bool)
        reported = np.round(self.estimate, REPORTED_DIGITS)
        for row, wrong in self._wrong.items():
            right = [name for name in self.levels if name not in wrong]
            same = (self.levels[right] == self.levels[right].iloc[row]).all(axis=1).to_numpy()
            found[row] = (reported[same & ~self.fault] == reported[row]).any(axis=0)
        return found

    @cached_property
    def _wrong(self) -> dict[int, list[str]]:
        """By row of an error the dimensions in which it is one."""
        others = {name: {"", *levels} for name, levels in self.levels[~self.fault].items()}
        return {
            int(row): [name for name in others if self.levels[name].iloc[row] not in others[name]]
            for row in np.flatnonzero(self.fault)
        }

    @property
    def scale(self) -> Scale:
        """The scale on which the intervals were taken."""
        return SCALES.get(self.statistic, PLAIN)

    def having(self, levels: Mapping[str, str]) -> np.ndarray:
        """Return which combinations have these levels wherever the dimension applies, bool [K]."""
        return having(self.levels, levels)

    def narrow(self, counted: np.ndarray) -> np.ndarray:
        """Return whose 95 % interval is narrower than a quarter of the range of the estimates of a cell, bool [K, J].

        counted: bool [K], the combinations whose range it is; faults are never counted.
        """
        those = self.estimate[counted & ~self.fault]
        if not np.isfinite(those).any():
            return np.zeros(self.estimate.shape, dtype=bool)
        most = np.nanmax(np.where(np.isfinite(those), those, -np.inf), axis=0)
        least = np.nanmin(np.where(np.isfinite(those), those, np.inf), axis=0)
        return self.high - self.low < PART * (most - least)

    def predicted(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the interval of a level for a new study, float [K, J]; NaN where there is none.

        With fewer than three seeds there is none: no interval knows of other seeds. Nor is there one of scores that are
        averaged over another number of seeds: a mean over more is more reliable, so its number lies elsewhere.
        """
        if self.study.ours < MINIMUM_SEEDS:
            return np.full(self.low.shape, np.nan), np.full(self.low.shape, np.nan)
        below, above = self._halves
        times = self.study.halves(level, self.over_seeds)
        low, high = (
            self._back(self._centre - times * below),
            self._back(self._centre + times * above),
        )
        if not self.study.averages_alike and PAIRS in self.levels:
            averaged = (self.levels[PAIRS] == AVERAGED).to_numpy()
            low[averaged], high[averaged] = np.nan, np.nan
        return low, high

    def drawn(self, row: int, draws: np.random.Generator) -> np.ndarray:
        """Return what a new study by a combination would find in each cell, float [J]; without an interval, the estimate."""
        below, above = (half[row] for half in self._halves)
        noise = self.study.noise(self.over_seeds[row], draws)
        half = np.where(noise < 0, below, above)
        found = self._back(self._centre[row] + noise * half)
        return np.where(np.isfinite(found), found, self.estimate[row])

    @cached_property
    def _centre(self) -> np.ndarray:
        return self._to(self.estimate)

    @cached_property
    def _halves(self) -> tuple[np.ndarray, np.ndarray]:
        """Half our 95 % interval below and above the estimate, on the scale, float [K, J] each."""
        with np.errstate(invalid="ignore"):  # ends at infinity
            return self._centre - self._to(self.low), self._to(self.high) - self._centre

    def _to(self, values: np.ndarray) -> np.ndarray:
        to: Callable = self.scale.to
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(to(values))

    def _back(self, values: np.ndarray) -> np.ndarray:
        back: Callable = self.scale.back
        return np.asarray(back(values))

    def classes(self) -> np.ndarray:
        """Return of each combination the first one whose estimates agree with its own in all cells, int [K]."""
        return first_alike(rounded(self.estimate))


def rounded(estimates: np.ndarray) -> np.ndarray:
    """Return estimates as far as they are told apart, with a number that none is in place of NaN."""
    return np.nan_to_num(np.round(estimates, DIGITS), nan=np.inf) + 0.0  # −0 is 0


def first_alike(rows: np.ndarray) -> np.ndarray:
    """Return of each row the number of the first that equals it, int [rows]."""
    _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first[inverse.ravel()]


def read_multiverse(paths: Sequence[Path], names: Sequence[str]) -> pd.DataFrame:
    """Read multiverse.csv of all data sets as one table, text in all columns of levels; names: of the dimensions.

    Raises `UserError` where a file lacks a column, and where two are of one data set.
    """
    found: dict[str, Path] = {}
    tables = []
    for path in paths:
        table = read_csv(path, {*TEXT, *names, *WORDS})
        require_columns(
            path, table.columns, [*COLUMNS, *names], "; make it again with measure_multiverse"
        )
        for dataset in table["dataset"].unique():
            if dataset in found:
                raise UserError(
                    f"{path}: is of the data set {dataset}, as {found[dataset]} is; name one table of each data set"
                )
            found[dataset] = path
        words = [*names, *WORDS]
        tables.append(table.assign(**{name: table[name].fillna("") for name in words}))
    return pd.concat(tables, ignore_index=True)


def grids_of(
    table: pd.DataFrame, wanted: Iterable[tuple[str, str]], names: Sequence[str], study: NewStudy
) -> Iterator[Grid]:
    """Yield a grid per finding and statistic that is wanted and that the table has, in the order of `wanted`.

    table: that of `read_multiverse`; names: of the dimensions.
    """
    for finding, statistic in dict.fromkeys(wanted):
        found = table[(table["finding"] == finding) & (table["statistic"] == statistic)]
        if len(found):
            yield _grid(found, finding, statistic, list(names), study)


def _grid(
    found: pd.DataFrame, finding: str, statistic: str, names: list[str], study: NewStudy
) -> Grid:
    first = found.drop_duplicates(names)
    row = pd.MultiIndex.from_frame(first[names]).get_indexer(pd.MultiIndex.from_frame(found[names]))
    places = found[["dataset", "comparison", "architecture"]].drop_duplicates()
    place = pd.MultiIndex.from_frame(places[["dataset", "comparison"]])
    column = place.get_indexer(pd.MultiIndex.from_frame(found[["dataset", "comparison"]]))
    cells = [
        Cell(one.dataset, one.comparison, tuple((one.architecture or one.comparison).split(" vs ")))
        for one in places.itertuples()
    ]
    matrices = {}
    for name in ("estimate", "low", "high"):
        matrices[name] = np.full((len(first), len(cells)), np.nan)
        matrices[name][row, column] = found[name].to_numpy(float)
    over_seeds = np.zeros((len(first), len(cells)), dtype=bool)
    over_seeds[row, column] = (found["target"] == NEW_RUNS).to_numpy()
    levels, marks = (first[chosen].reset_index(drop=True) for chosen in (names, MARKS))
    return Grid(
        finding, statistic, levels, marks, cells, **matrices, over_seeds=over_seeds, study=study
    )
