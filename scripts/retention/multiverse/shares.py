"""multiverse_shares.csv: what the combinations of a finding have in common, and which choices move its number.

Shares of combinations are counts over a list that people wrote, no probabilities: nobody draws a combination from it.
Shares of variance are of the crossed combinations, each of which weighs the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from retention.common.multiverse_tables import BY_LOT, DIGITS, FAULT, SIGNIFICANT
from retention.multiverse.combinations import CROSSED

COLUMNS = [
    "finding",
    "dataset",
    "comparison",
    "statistic",
    "share",
    "dimension",
    "value",
    "of",
    "definition",
]
NOTHING: Mapping = MappingProxyType({})
COUNTS = "count over a list of choices, no probability"


def shares_table(
    table: pd.DataFrame, dimensions: Sequence[str], known: Mapping[str, str] = NOTHING
) -> pd.DataFrame:
    """Return the shares of a table of `multiverse_table`; dimensions: the columns that hold levels.

    share: combinations, not_estimable, distinguishable, with_chance, same_sign, same_sign_significant, first_order, total.
    value: the number, or the share; of: how many combinations it is a share of. known: levels by dimension, to which
    combinations are restricted.
    """
    counted = table[table["kind"] != FAULT]
    rows: list[dict] = []
    for (finding, dataset), of_finding in counted.groupby(["finding", "dataset"], sort=False):
        first = distinguishable(of_finding[having(of_finding, known)])
        for (comparison, statistic), found in of_finding.groupby(
            ["comparison", "statistic"], sort=False
        ):
            cell = {"finding": finding, "dataset": dataset}
            cell |= {"comparison": comparison, "statistic": statistic}
            chosen = having(found, known)
            rows += [cell | row for row in _counts(found, chosen, first)]
            crossed = found[chosen & (found["kind"] == CROSSED) & found["estimate"].notna()]
            rows += [cell | row for row in effects(crossed, dimensions)]
    return pd.DataFrame(rows, columns=COLUMNS)


def distinguishable(of_finding: pd.DataFrame) -> list[int]:
    """Return the numbers of the combinations that differ from all before them in some estimate, to rounding.

    A combination that has no estimate at all is none of them.
    """
    wide = of_finding.pivot(
        index="combination", columns=["comparison", "statistic"], values="estimate"
    )
    known = wide.dropna(how="all").round(DIGITS)
    return known[~known.duplicated()].index.tolist()


def _counts(whole: pd.DataFrame, chosen: np.ndarray, first: Sequence[int]) -> Iterator[dict]:
    """Yield the counts of the chosen rows of a comparison; whole: all, of which the study's own gives the sign."""
    beyond, found = effect(whole), whole[chosen]
    own = whole["own"].astype(bool)
    estimable = found["estimate"].notna()
    yield _count("combinations", len(found), len(found), "of all kinds but faults")
    yield _count("not_estimable", int((~estimable).sum()), len(found), "have no estimate")
    one_each = found[found["combination"].isin(first) & estimable]
    number = len(one_each)
    yield _count(
        "distinguishable",
        number,
        len(found),
        "combinations whose estimates of all comparisons agree are one",
    )
    if not _on_no_lots(whole)[own].notna().any():
        return
    alike = one_each[beyond[one_each.index].notna()]
    yield _count(
        "with_chance", len(alike), number, "distinguishable ones whose value by chance is known"
    )
    if beyond[own].isna().all() or own[alike.index].all():
        return  # no other combination has a side of chance, or the study's own has none
    same = np.sign(beyond[alike.index]) == np.sign(beyond[own].iloc[0])
    significant = same & (alike["p"] < SIGNIFICANT)
    of = "share of the distinguishable ones with a value by chance"
    yield _count("same_sign", _share(same), len(alike), f"{of} on the study's own side of it")
    if alike["p"].notna().any():
        yield _count(
            "same_sign_significant",
            _share(significant),
            len(alike),
            f"{of} on that side, with p < {SIGNIFICANT:g}",
        )


def having(levels: pd.DataFrame, wanted: Mapping[str, str]) -> np.ndarray:
    """Return which rows have these levels wherever the dimension applies, bool; levels: text, "" or NaN where it does not."""
    found = np.ones(len(levels), dtype=bool)
    for name, level in wanted.items():
        found &= levels[name].fillna("").isin(["", level]).to_numpy()
    return found


def effect(found: pd.DataFrame) -> pd.Series:
    """Return by how much the estimates of a comparison exceed chance; NaN where the value by chance is not known.

    Such an estimate is not held against one of which it is known: without its null an R² is another statistic than its excess.
    """
    return _on_no_lots(found) - found["chance"]


def _on_no_lots(found: pd.DataFrame) -> pd.Series:
    """Return the estimates, NaN of an overlap whose places are all given by lot: its side of chance is that of the lots."""
    by_lot = found["note"].astype(object).fillna("").astype(str).str.startswith(BY_LOT)
    return found["estimate"].mask(by_lot)


def _count(share: str, value: float, of: int, text: str) -> dict:
    return {
        "share": share,
        "dimension": "",
        "value": value,
        "of": of,
        "definition": f"{text}; {COUNTS}",
    }


def _share(which: pd.Series) -> float:
    return float(which.mean()) if len(which) else float("nan")


def effects(crossed: pd.DataFrame, dimensions: Sequence[str]) -> Iterator[dict]:
    """Yield first-order and total shares of the variance of the estimates, η² over a list, without F or p.

    First-order: Var(E[Y | X]) / Var(Y). Total: E[Var(Y | all others)] / Var(Y), in which what the others leave one level
    of varies by 0. (Sobol', Mathematics and Computers in Simulation 55, 271, 2001; Homma & Saltelli, Reliability Engineering
    & System Safety 52, 1, 1996.) Of dimensions that have two levels. One that does not apply has each of its levels in equal
    parts: were its empty cell a level, the others would tell all of what it depends on.
    """
    levels = crossed[list(dimensions)].astype(object).fillna("")  # as they come back from the file
    varied = [name for name in dimensions if levels.loc[levels[name] != "", name].nunique() > 1]
    whole, weights = in_parts(levels[varied])
    y = crossed["estimate"].loc[whole.index].to_numpy(float)
    around = y - np.average(y, weights=weights) if len(y) else y
    spread = float(weights @ around**2)
    for name in varied:
        others = [other for other in varied if other != name]
        parts = {
            "first_order": float(weights @ _means(whole, [name], around, weights) ** 2),
            "total": float(weights @ (around - _means(whole, others, around, weights)) ** 2),
        }
        for share, part in parts.items():
            yield {
                "share": share,
                "dimension": name,
                "value": part / spread if spread > 0 else float("nan"),
                "of": len(crossed),
                "definition": "share of the variance of the estimates over the crossed combinations",
            }


def in_parts(levels: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Return combinations with every level in each empty cell, and the part of its combination that each row is, float.

    levels: text, "" where a dimension does not apply; a row of the result has the index of its combination.
    """
    whole, weights = levels, np.ones(len(levels))
    for name in levels:
        known = sorted(set(levels[name]) - {""})
        cells = [[level] if level else known for level in whole[name]]
        parts = np.array([len(one) for one in cells], dtype=int)
        weights = np.repeat(weights / parts, parts)
        whole = whole.assign(**{name: cells}).explode(name)
    return whole, weights


def _means(
    whole: pd.DataFrame, names: Sequence[str], y: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return of each row the mean of y over the rows that have its levels of these dimensions; of all without any."""
    if not names:
        return np.full(len(y), np.average(y, weights=weights))
    cell = whole.groupby(list(names), sort=False).ngroup().to_numpy()
    return (np.bincount(cell, weights * y) / np.bincount(cell, weights))[cell]
