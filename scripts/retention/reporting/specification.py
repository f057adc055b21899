"""What a specification curve shows, from multiverse.csv: the combinations in order, their numbers and their levels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.reporting.style import NothingEstimable

FAULT = "fault"
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
OF_MATCHES = ("finding", "dataset", "comparison", "combination", "status")
MATCHES = "gives such a number"
DIGITS = 9  # estimates that agree so far keep the order of the table


@dataclass(frozen=True)
class Specification:
    """A finding's combinations, faults apart, in the order of the first comparison's estimates.

    comparisons: the names of those that have an estimate, of the finding's main statistic first; without: the others.
    architectures: all that rows are about. rows: by comparison a table with a row per combination, by its number and in the
    one order of all; what a comparison lacks is NaN. levels: text, a row per combination and a column per choice that
    varies, "" where it does not apply. own: numbers of combinations; named: by name; matching: by comparison. faults: of
    each the levels that are errors, by choice, and its rows by comparison. left_out: how many combinations have no estimate.
    """

    comparisons: Sequence[str]
    without: Sequence[str]
    architectures: Sequence[str]
    rows: dict[str, pd.DataFrame]
    levels: pd.DataFrame
    own: Sequence[int]
    named: dict[str, list[int]]
    matching: dict[str, list[int]]
    faults: Sequence[tuple[dict[str, str], pd.DataFrame]]
    left_out: int

    @property
    def first(self) -> pd.DataFrame:
        """Return the rows of the comparison that gives the order."""
        return self.rows[self.comparisons[0]]


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
    names = one_each[BEFORE].map(_text)
    return Specification(
        comparisons,
        [name for name in counted["comparison"].unique() if name not in comparisons],
        [name for name in counted["architecture"].dropna().unique() if name],
        {
            name: drawn[drawn["comparison"] == name].set_index("combination").reindex(order)
            for name in comparisons
        },
        _varying(one_each.sort_index()).loc[order],
        one_each.index[one_each["own"].astype(bool)].tolist(),
        {name: names.index[names == name].tolist() for name in sorted({*names} - {"", "ours"})},
        _matching(matches, found, finding),
        list(_faults(found, counted)),
        counted["combination"].nunique() - len(order),
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


def _matching(
    matches: pd.DataFrame | None, found: pd.DataFrame, finding: str
) -> dict[str, list[int]]:
    """Return by comparison the combinations that give a number like a reported one."""
    if matches is None:
        return {}
    if lacking := [name for name in OF_MATCHES if name not in matches]:
        raise UserError(
            f"the table of matches lacks the column(s) {', '.join(lacking)}; give a multiverse_matches.csv"
        )
    here = (matches["finding"] == finding) & (matches["dataset"] == found["dataset"].iloc[0])
    matching = matches[here & (matches["status"] == MATCHES)]
    return {
        str(name): sorted(set(one["combination"]))
        for name, one in matching.groupby("comparison", sort=True)
    }


def in_which(levels: pd.Series) -> list[str]:
    """Return the levels of a choice in the order in which combinations, by number, have them first."""
    return [level for level in levels.sort_index().unique() if level != ""]
