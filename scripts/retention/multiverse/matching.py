"""Which definitions give a number like the reported one here: per number, and all numbers at once.

A combination matches a number where its prediction interval for a study of the paper's number of seeds holds the number,
and its own 95 % interval is narrower than a quarter of the range of the estimates. Where it holds the number and is wider,
these data can't tell. Combinations with the same estimates in all cells are one class, and everything is counted in classes.
It says what gives such a number here, never what anybody did.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from retention.common.randomness import generator
from retention.multiverse.at_once import at_once
from retention.multiverse.grids import MARKS, REPORTED_DIGITS, Cell, Grid, NewStudy, grids_of
from retention.multiverse.targets import MATCH, RULED_OUT, Number, held
from retention.multiverse.verdicts import (
    DRAWS,
    OF_FAULT,
    STATUS,
    SUMMARY,
    BaseRate,
    Paper,
    not_evaluated,
    nothing_left,
    summed,
)
from retention.statistics.resampling import LEVEL, MINIMUM_SEEDS

PLACE = ["reported", "finding", "statistic", "dataset", "comparison", "status", "same_as"]
ESTIMATE = ["estimate", "low", "high", "target"]
MATCHES_COUNT = ["same_as", "combination"]
SUMMARY_COUNT = ["classes", "matches", "undecided"]


def match(
    table: pd.DataFrame, paper: Paper, names: Sequence[str], study: NewStudy, draws: int = DRAWS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the matching combinations and definitions, and a summary: a row per number and cell, and one of all at once.

    table: multiverse.csv of all data sets, as `read_multiverse` reads them; names: the dimensions; draws: simulated
    targets of each base rate. Columns: `PLACE`, `MARKS`, the dimensions, `ESTIMATE`, assignment, verdict, here, reason; `SUMMARY`.
    """
    wanted = ((one.finding, one.statistic) for one in paper.numbers)
    grids = list(grids_of(table, wanted, names, study))
    held_ones = [*_per_number(grids, paper, draws), at_once(grids, paper, draws)]
    columns = [*PLACE, *MARKS, *names, *ESTIMATE, "assignment", "verdict", "here", "reason"]
    found = [table for table, _ in held_ones if len(table)]
    matches = pd.concat(found) if found else pd.DataFrame()
    summary = pd.DataFrame([row for _, row in held_ones], columns=SUMMARY)
    matches = matches.reindex(columns=columns).reset_index(drop=True)
    return whole_numbers(matches, MATCHES_COUNT), whole_numbers(summary, SUMMARY_COUNT)


def whole_numbers(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return a table in which these columns are whole numbers: a cell without one would turn 7 into 7.0."""
    return table.assign(**{name: pd.to_numeric(table[name]).astype("Int64") for name in names})


def _per_number(
    grids: Sequence[Grid], paper: Paper, draws: int
) -> Iterator[tuple[pd.DataFrame, dict]]:
    of = {(grid.finding, grid.statistic): grid for grid in grids}
    for number in paper.numbers:
        grid = of.get((number.finding, number.statistic))
        if grid is None:
            yield pd.DataFrame(), _unheld(number, paper)
            continue
        for place, cell in enumerate(grid.cells):
            if _is_of(number, cell, grid, paper):
                yield _of_cell(grid, place, number, paper, draws)


def _is_of(number: Number, cell: Cell, grid: Grid, paper: Paper) -> bool:
    """Tell whether a number is held against a cell: not where another one of ours is what the paper names."""
    if number.dataset not in ("", cell.dataset) and paper.comparable.get(cell.dataset) is True:
        return False
    ours = {name for one in grid.cells for name in one.architectures}
    return number.architecture not in ours or number.architecture in cell.architectures


def _unheld(number: Number, paper: Paper) -> dict:
    row = {"reported": number.about, "finding": number.finding, "statistic": number.statistic}
    return row | not_evaluated("the multiverse has no such estimates", paper)


def _of_cell(
    grid: Grid, place: int, number: Number, paper: Paper, draws: int
) -> tuple[pd.DataFrame, dict]:
    """Return the matches of a number in a cell, and its row of the summary."""
    cell, one = grid.cells[place], held(grid, number, LEVEL)
    there = one.known[:, place] & grid.having(paper.known)
    classes = grid.classes()
    counted = there & ~grid.fault
    # of a class the first that is counted: others may be excluded by what is known
    first = np.flatnonzero(counted)[np.unique(classes[counted], return_index=True)[1]]
    status = np.where(there, one.status([place], number.low, number.high), RULED_OUT)
    status[grid.harmless[:, place]] = RULED_OUT
    base = _base_rate(grid, place, number, first, draws)
    reason = paper.reason([cell.dataset], cell.architectures, number)
    row = summed(status[first], reason, base, paper, grid.study)
    row |= {"reported": number.about, "finding": grid.finding, "statistic": grid.statistic}
    row |= {"dataset": cell.dataset, "comparison": cell.comparison}
    row["faults"] = _faults_told(grid, status)
    if not len(first):
        row["reason"] = nothing_left([grid], {**paper.known, **number.fixed}, place)
    return _rows_of(grid, place, status, classes, row), row


def _base_rate(grid: Grid, place: int, number: Number, first: np.ndarray, draws: int) -> BaseRate:
    """Return what new studies, each by one of the classes, would leave of them."""
    if not len(first) or grid.study.ours < MINIMUM_SEEDS:
        return BaseRate()
    one = held(grid, number, LEVEL)
    cell = grid.cells[place]
    random = generator("match_reported", number.about, cell.dataset, cell.comparison)
    half, found, kept = (number.high - number.low) / 2, 0, 0
    for _ in range(draws):
        truth = int(random.choice(first))
        value = grid.drawn(truth, random)[place]
        low, high = (round(value + side * half, REPORTED_DIGITS) for side in (-1, 1))
        left = one.status([place], low, high) != RULED_OUT
        found, kept = found + int(left[first].sum()), kept + bool(left[truth])
    return BaseRate(found / draws, kept / draws)


def _faults_told(grid: Grid, status: np.ndarray) -> str:
    """Return the errors that give such a number, `ties file_order`."""
    rows = np.flatnonzero(grid.fault & (status == MATCH))
    return ", ".join(dict.fromkeys(grid.errors[rows]))


def _rows_of(
    grid: Grid, place: int, status: np.ndarray, classes: np.ndarray, row: Mapping
) -> pd.DataFrame:
    """Return the combinations that a number does not rule out in a cell, a row each."""
    rows = np.flatnonzero(status != RULED_OUT)
    low, high = grid.predicted(LEVEL)
    found = pd.concat([grid.marks.iloc[rows], grid.levels.iloc[rows]], axis=1)
    for name in (*PLACE[:5], "verdict", "here", "reason"):
        found[name] = row[name]
    found["same_as"] = grid.marks["combination"].to_numpy()[classes[rows]]
    found["status"] = [
        (OF_FAULT if fault else STATUS)[one]
        for one, fault in zip(status[rows], grid.fault[rows], strict=True)
    ]
    found["estimate"], found["low"], found["high"] = (
        matrix[rows, place] for matrix in (grid.estimate, low, high)
    )
    found["target"] = np.where(grid.over_seeds[rows, place], "new runs", "these runs")
    return found
