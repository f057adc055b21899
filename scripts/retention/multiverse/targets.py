"""What a reported number asks of a combination's intervals: that it lies in one, between two, or is an end of a range."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from retention.audits.reported import ROUNDING
from retention.multiverse.choices import Choices
from retention.multiverse.grids import Cell, Grid

RULED_OUT, UNDECIDED, MATCH = 0, 1, 2


@dataclass(frozen=True)
class Number:
    """A reported number, low = high, or a range.

    dataset, architecture: as the paper names them, "" where it does not say; fixed: levels that the number is of.
    """

    text: str
    finding: str
    statistic: str
    dataset: str
    architecture: str
    fixed: Mapping[str, str]
    low: float
    high: float

    @property
    def about(self) -> str:
        """What the paper says it is of, for people: `0.34 (octdl)`."""
        of = ", ".join(filter(None, (self.dataset, self.architecture)))
        return f"{self.text} ({of})" if of else self.text


def numbers_of(paper: Mapping, choices: Choices) -> list[Number]:
    """Return the paper's numbers; keys that are dimensions are levels that a number is of."""
    return [
        Number(
            one["text"],
            one["finding"],
            one["statistic"],
            one.get("dataset", ""),
            one.get("architecture", ""),
            {
                name: choices.dimensions[name].level(one[name])
                for name in choices.dimensions
                if name in one
            },
            one["low"],
            one["high"],
        )
        for one in paper["numbers"]
    ]


@dataclass(frozen=True)
class Held:
    """A grid's intervals at a level, as a number asks for them, [K, J] each.

    low, high: −∞ and ∞ where there is no interval, which rules nothing out; narrow, known: bool, whether the 95 % interval
    is narrow, and whether there is an estimate by the levels that the number fixes.
    """

    low: np.ndarray
    high: np.ndarray
    narrow: np.ndarray
    known: np.ndarray

    def status(self, cells: Sequence[int], low: float, high: float) -> np.ndarray:
        """Return `RULED_OUT`, `UNDECIDED` or `MATCH` of each combination in these cells, int8 [K].

        It is undecided where the intervals allow for the number and one of them is too wide to tell.
        """
        chosen = list(cells)
        met = meets(self.low[:, chosen], self.high[:, chosen], low, high)
        met &= self.known[:, chosen].all(axis=1)
        sharp = self.narrow[:, chosen].all(axis=1)
        return np.where(met, np.where(sharp, MATCH, UNDECIDED), RULED_OUT).astype(np.int8)


def held(grid: Grid, number: Number, level: float) -> Held:
    """Return the grid's prediction intervals of a level as a number asks for them."""
    low, high = grid.predicted(level)
    none = ~(np.isfinite(low) & np.isfinite(high))
    counted = grid.having(number.fixed)
    return Held(
        np.where(none, -np.inf, low),
        np.where(none, np.inf, high),
        grid.narrow(counted) & ~none,
        np.isfinite(grid.estimate) & counted[:, None],
    )


def meets(lows: np.ndarray, highs: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return which combinations' intervals allow for a number or a range, bool [K], from their ends, float [K, cells].

    One cell: the interval holds the number, or meets the range. Several cells and one number: it is one cell's, or a mean
    over cells, so it lies between the lowest and the highest end. Several cells and a range: one cell has each end, and
    the others meet what is between. Reported numbers have two digits, so half of the last one is allowed for.
    """
    least, most = low - ROUNDING, high + ROUNDING
    if lows.shape[1] == 1 or low == high:
        return (lows.min(axis=1) <= most) & (highs.max(axis=1) >= least)
    between = (lows <= most) & (highs >= least)
    first = (lows <= low + ROUNDING) & (highs >= least)
    last = (lows <= most) & (highs >= high - ROUNDING)
    apart = first.sum(axis=1) * last.sum(axis=1) - (first & last).sum(axis=1)
    return between.all(axis=1) & (apart > 0)


@dataclass(frozen=True)
class Assignment:
    """Which of our data sets and architectures stand for the paper's, by its names."""

    datasets: Mapping[str, str]
    architectures: Mapping[str, str]

    @property
    def text(self) -> str:
        """Which of ours stand for others, `digits for octdl`; "" where all are themselves."""
        stand = [*self.datasets.items(), *self.architectures.items()]
        return ", ".join(f"{ours} for {theirs}" for theirs, ours in stand if ours != theirs)

    def cells(self, grid: Grid, number: Number) -> list[int]:
        """Return the cells of a grid that a number is of."""
        datasets = _standing(self.datasets, number.dataset)
        architectures = _standing(self.architectures, number.architecture)
        return [
            place
            for place, cell in enumerate(grid.cells)
            if cell.dataset in datasets and set(cell.architectures) <= architectures
        ]


def assignments(
    numbers: Sequence[Number], architectures: Sequence[str], cells: Sequence[Cell]
) -> Iterator[Assignment]:
    """Yield every way in which our data sets and architectures can stand for the paper's.

    Those that the paper has stand for themselves, and the others are left out; where none has its name, each stands for one.
    """
    ours = sorted({cell.dataset for cell in cells})
    theirs = list(dict.fromkeys(number.dataset for number in numbers if number.dataset))
    networks = sorted({name for cell in cells for name in cell.architectures})
    for datasets in _standings(theirs or ours, ours):
        for networks_of in _standings(architectures, networks):
            yield Assignment(datasets, networks_of)


def _standing(ours: Mapping[str, str], theirs: str) -> set[str]:
    return {name for paper, name in ours.items() if theirs in ("", paper)}


def _standings(theirs: Sequence[str], ours: Sequence[str]) -> Iterator[dict[str, str]]:
    if shared := [name for name in theirs if name in ours]:
        yield {name: name for name in shared}
    elif len(ours) <= len(theirs):
        yield from (
            dict(zip(names, ours, strict=True)) for names in permutations(theirs, len(ours))
        )
    else:
        yield from (
            dict(zip(theirs, names, strict=True)) for names in permutations(ours, len(theirs))
        )
