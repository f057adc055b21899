"""What a specification curve shows, from multiverse.csv: the combinations in order, their numbers and their levels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.multiverse_tables import DIGITS, FAULT, GIVES
from retention.reporting.style import NothingEstimable

CROSSED = "crossed"
BEFORE, AFTER = "named", "estimate"  # the columns of the choices stand between these
NEEDED = (
    "finding",
    "dataset",
    "comparison",
    "architecture",
    "statistic",
    "combination",
    "kind",
    "own",
    BEFORE,
    AFTER,
    "low",
    "high",
    "p",
    "chance",
)
OF_MATCHES = ("reported", "finding", "dataset", "comparison", "combination", "status", "here")
MATCHES, UNDECIDED = GIVES, "too wide to tell"
MOST = 4  # comparisons that are drawn: more do not fit on a page
GAP = 0.03  # of the combinations: the blank before those that have no place in the order


class Match(NamedTuple):
    """What is said of a reported number: the numbers of the combinations that give it, and of those too uncertain to tell."""

    reported: str
    comparison: str
    verdict: str
    gives: list[int]
    undecided: list[int]


@dataclass(frozen=True)
class Specification:
    """A finding's combinations, faults apart, in the order of the first comparison's estimates.

    comparisons: the names of those that have an estimate, of the finding's main statistic first; without: the others.
    architectures: all that rows are about. rows: by comparison a table with a row per combination, by its number and in the
    one order of all; what a comparison lacks is NaN. places: int, by combination in that order: 1, 2, …, and after a gap
    those without an estimate of the first comparison. levels: text, a row per combination and a column per choice that
    varies, "" where it does not apply. uncrossed: by choice the levels that no crossed combination has. own: numbers of
    combinations; named: by name. faults: of each the levels that are errors, by choice, and its rows by comparison.
    distinct: numbers of the combinations with an estimate of the first comparison that differ from all before them.
    left_out: how many combinations have no estimate.
    """

    comparisons: Sequence[str]
    without: Sequence[str]
    architectures: Sequence[str]
    rows: dict[str, pd.DataFrame]
    places: pd.Series
    levels: pd.DataFrame
    uncrossed: Mapping[str, set[str]]
    own: Sequence[int]
    named: dict[str, list[int]]
    matches: Sequence[Match]
    faults: Sequence[tuple[dict[str, str], pd.DataFrame]]
    distinct: Sequence[int]
    left_out: int

    @property
    def first(self) -> pd.DataFrame:
        """Return the rows of the comparison that gives the order."""
        return self.rows[self.comparisons[0]]

    @property
    def shown(self) -> Sequence[str]:
        """Return the comparisons that are drawn."""
        return self.comparisons[:MOST]

    @property
    def ordered(self) -> int:
        """Return how many combinations have a place in the order; the others stand behind them."""
        return int(self.first["estimate"].notna().sum())


def specification_of(
    multiverse: pd.DataFrame, finding: str, matches: pd.DataFrame | None = None
) -> Specification:
    """Return what is drawn of a finding.

    matches: multiverse_matches.csv, whose combinations give a number like a reported one. Raises `UserError` where a table is
    another one, `NothingEstimable` where there is no estimate.
    """
    found = _of_finding(multiverse, finding)
    counted = found[found["kind"] != FAULT]
    comparisons = _comparisons(counted)
    if not comparisons:
        raise NothingEstimable(f"No combination of {finding} has an estimate")
    known = counted.groupby("combination")["estimate"].transform(lambda one: one.notna().any())
    drawn = counted[known]
    order = _order(drawn[drawn["comparison"] == comparisons[0]], drawn["combination"])
    one_each = drawn.drop_duplicates("combination").set_index("combination").loc[order]
    rows = {
        name: drawn[drawn["comparison"] == name].set_index("combination").reindex(order)
        for name in comparisons
    }
    first = rows[comparisons[0]]["estimate"]
    levels = _varying(one_each.sort_index()).loc[order]
    return Specification(
        comparisons=comparisons,
        without=[name for name in counted["comparison"].unique() if name not in comparisons],
        architectures=[name for name in counted["architecture"].dropna().unique() if name],
        rows=rows,
        places=_places(first),
        levels=levels,
        uncrossed=_uncrossed(levels, one_each["kind"] == CROSSED),
        own=one_each.index[one_each["own"].astype(bool)].tolist(),
        named=_named(one_each[BEFORE].map(_text)),
        matches=list(_matches(matches, found, finding, comparisons[:MOST])),
        faults=list(_faults(found, counted)),
        distinct=sorted(_distinct(counted) & {*first.index[first.notna()]}),
        left_out=counted["combination"].nunique() - len(order),
    )


def _of_finding(multiverse: pd.DataFrame, finding: str) -> pd.DataFrame:
    """Return the rows of a finding; refuse what is no multiverse.csv, and that of several data sets."""
    if lacking := [name for name in NEEDED if name not in multiverse]:
        raise UserError(
            f"the table of the multiverse lacks the column(s) {', '.join(lacking)}; give a multiverse.csv"
        )
    names = multiverse["dataset"].unique()
    if len(names) > 1:
        raise UserError(
            f"the table of the multiverse holds {len(names)} data sets ({', '.join(names)}); give that of one"
        )
    found = multiverse[multiverse["finding"] == finding]
    if found.empty:
        raise NothingEstimable(f"The multiverse has no combination of {finding}")
    return found


def _comparisons(counted: pd.DataFrame) -> list[str]:
    """Return the comparisons that have an estimate, in the table's order, the main statistic's first."""
    known = counted[counted["estimate"].notna()]
    main = counted["statistic"].iloc[0]
    first = known.loc[known["statistic"] == main, "comparison"].unique().tolist()
    return first + [name for name in known["comparison"].unique() if name not in first]


def _order(first: pd.DataFrame, numbers: pd.Series) -> list[int]:
    """Return the numbers of combinations by estimate; equal ones by number, those without an estimate last."""
    ordered = first.assign(estimate=first["estimate"].round(DIGITS)).sort_values(
        ["estimate", "combination"], na_position="last"
    )["combination"]
    known = set(ordered)
    return ordered.tolist() + sorted({*numbers} - known)


def _places(first: pd.Series) -> pd.Series:
    """Return where combinations stand, whose estimates are in order, missing ones last."""
    known = int(first.notna().sum())
    gap = max(2, round(GAP * len(first)))
    at = np.arange(1, len(first) + 1)
    return pd.Series(np.where(at > known, at + gap, at), index=first.index)


def _distinct(counted: pd.DataFrame) -> set[int]:
    """Return the numbers of the combinations whose estimates differ from those of all before them."""
    of = ["comparison", "statistic"]
    wide = counted.pivot(index="combination", columns=of, values="estimate").dropna(how="all")
    return {*wide.index[~wide.round(DIGITS).duplicated()]}


def _named(names: pd.Series) -> dict[str, list[int]]:
    """Return the numbers of the combinations of each definition that has a name, but for ours."""
    return {name: names.index[names == name].tolist() for name in sorted({*names} - {"", "ours"})}


def _uncrossed(levels: pd.DataFrame, crossed: pd.Series) -> dict[str, set[str]]:
    """Return by choice the levels that no crossed combination has; none where nothing is crossed."""
    if not crossed.any():
        return {name: set() for name in levels}
    return {name: {*levels[name]} - {*levels.loc[crossed, name]} for name in levels}


def _varying(one_each: pd.DataFrame) -> pd.DataFrame:
    """Return the levels of the choices of which there are two or more."""
    levels = _levels(one_each)
    varied = [name for name in levels if levels.loc[levels[name] != "", name].nunique() > 1]
    return levels[varied]


def _levels(rows: pd.DataFrame) -> pd.DataFrame:
    columns = rows.columns.tolist()
    return rows[columns[columns.index(BEFORE) + 1 : columns.index(AFTER)]].map(_text)


def _faults(
    found: pd.DataFrame, counted: pd.DataFrame
) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """Yield faults that have an estimate; what no combination has that is none is the error."""
    usual = {name: {*levels} for name, levels in _levels(counted).items()}
    for _, rows in found[found["kind"] == FAULT].groupby("combination", sort=True):
        if rows["estimate"].notna().any():
            levels = _levels(rows).iloc[0].to_dict()
            wrong = {name: level for name, level in levels.items() if level not in usual[name]}
            yield wrong, rows.set_index("comparison")


def _text(cell: object) -> str:
    """Return a level as it was written: of an empty cell "", of a number its shortest form."""
    if isinstance(cell, float | np.floating):
        return "" if np.isnan(cell) else f"{cell:g}"
    return "" if cell is None else str(cell)


def _matches(
    matches: pd.DataFrame | None, found: pd.DataFrame, finding: str, shown: Sequence[str]
) -> Iterator[Match]:
    """Yield what is said of each reported number in the comparisons that are drawn."""
    if matches is None:
        return
    if lacking := [name for name in OF_MATCHES if name not in matches]:
        raise UserError(
            f"the table of matches lacks the column(s) {', '.join(lacking)}; give a multiverse_matches.csv of this version"
        )
    here = (matches["finding"] == finding) & (matches["dataset"] == found["dataset"].iloc[0])
    kept = matches[here & matches["comparison"].isin(shown)]
    kept = kept[kept["status"].isin([MATCHES, UNDECIDED])]
    kept = kept[~kept["combination"].isin(found.loc[found["kind"] == FAULT, "combination"])]
    for (reported, name), one in kept.groupby(["reported", "comparison"], sort=False):
        gives, undecided = (
            sorted(set(one.loc[one["status"] == status, "combination"]))
            for status in (MATCHES, UNDECIDED)
        )
        yield Match(str(reported), str(name), str(one["here"].iloc[0]), gives, undecided)


def in_which(levels: pd.Series) -> list[str]:
    """Return the levels of a choice in the order in which combinations, by number, have them first."""
    return [level for level in levels.sort_index().unique() if level != ""]
