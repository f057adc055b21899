"""Made-up tables of a multiverse: the combinations of the declared choices, with estimates that are simulated."""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
import pandas as pd

from retention.common.options import defaults
from retention.common.paper import read_paper
from retention.multiverse.choices import load_choices, plans_of
from retention.multiverse.combinations import combinations_of
from retention.multiverse.grids import Grid, NewStudy, grids_of
from retention.multiverse.options import complete_options
from retention.multiverse.targets import Assignment, assignments
from retention.multiverse.verdicts import Paper, paper_of

CHOICES = load_choices()
NAMES = list(CHOICES.dimensions)
STATISTICS = {
    "architecture_overlap": "jaccard",
    "fit_quality": "mean_r_squared",
    "seed_stability": "spearman",
    "early_loss": "spearman",
}
ARCHITECTURES = ("deit_small", "resnet18")
OF_PAPER = ("cub200", "octdl")
COMPARABLE = dict.fromkeys(OF_PAPER, True)
# Few enough combinations to work through one by one.
LITTLE = {
    "fix": {
        "estimator": "exact",
        "start": "left_out",
        "smoothing": "none",
        "never_learned": "left_out",
        "epochs": "all",
        "failed": "missing",
        "epoch_0": "out",
        "class": "ignored",
    },
    "drop": {
        "trace": ["cumulative", "lag", "raw", "cumulative_events", "from_first_loss", "confidence"],
        "curve": ["exponential_floor", "power"],
        "r_squared": ["squared_correlation", "r2_score"],
        "score": ["forgetting_events", "one_minus_retention"],
        "samples": ["r_squared_positive"],
        "pairs": ["pooled"],
    },
}
# Where estimates lie, on the scale of each statistic's interval.
MIDDLE = {
    "architecture_overlap": 0.55,
    "fit_quality": 0.2,
    "seed_stability": 0.3,
    "early_loss": 0.3,
}


def combinations(**changes: object) -> pd.DataFrame:
    """Return a row per combination of the four findings: finding, combination, kind, own, named and levels."""
    options = complete_options({"findings": list(STATISTICS), **changes})
    plans = plans_of(CHOICES, options, defaults("statistics"))
    rows = [
        {"finding": finding, "statistic": STATISTICS[finding], "combination": one.number}
        | {"kind": one.kind, "own": one.own, "named": one.named}
        | {name: one.levels.get(name, "") for name in NAMES}
        for finding, plan in plans.items()
        for one in combinations_of(CHOICES, plan, 500)
    ]
    return pd.DataFrame(rows)


def cells(
    found: pd.DataFrame, datasets: Sequence[str], architectures: Sequence[str] = ARCHITECTURES
) -> pd.DataFrame:
    """Return a row per combination and cell: those of the two architectures, or of each."""
    parts = []
    for dataset in datasets:
        for finding, rows in found.groupby("finding", sort=False):
            both = finding == "architecture_overlap"
            for name in [" vs ".join(architectures)] if both else architectures:
                of = {"dataset": dataset, "comparison": name, "architecture": "" if both else name}
                parts.append(rows.assign(**of))
    return pd.concat(parts, ignore_index=True)


def truths(table: pd.DataFrame, draws: np.random.Generator, spread: float = 0.25) -> np.ndarray:
    """Return what each row's combination comes to with endless data, on the scale of its interval.

    Levels add up, each cell is a little otherwise, and each combination has some of its own; overlaps vary less.
    """
    middle = table["finding"].map(MIDDLE).to_numpy(float)
    found = np.zeros(len(table))
    for name in NAMES:
        for place in ("finding", "cell"):
            keys = table["finding"] + "|" + table[name]
            if place == "cell":
                keys = keys + "|" + table["dataset"] + "|" + table["comparison"]
            codes, words = pd.factorize(keys)
            size = spread / 2 if place == "finding" else spread / 8
            found += size * draws.normal(size=len(words))[codes]
    found += spread / 4 * draws.normal(size=len(table))
    return middle + found * np.where(table["statistic"] == "jaccard", 0.6, 1.0)


def back(table: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """Return values on the scale of the interval as what is reported: Fisher's z, the arcsine root, R² as it is."""
    shares = np.sin(np.clip(values, 0, np.pi / 2)) ** 2
    plain = np.where(table["statistic"] == "mean_r_squared", values, np.tanh(values))
    return np.where(table["statistic"] == "jaccard", shares, plain)


def measured(
    table: pd.DataFrame, truth: np.ndarray, error: float, draws: np.random.Generator
) -> pd.DataFrame:
    """Return the table with estimates of a study whose standard error is `error` on the scale of the interval."""
    found = truth + error * draws.normal(size=len(truth))
    low, high = (back(table, found + side * 1.959964 * error) for side in (-1, 1))
    told = {"estimate": back(table, found), "low": low, "high": high, "target": "new runs"}
    return table.assign(**told, p=0.01, chance=0.0, note="")


def study_of(
    datasets: Sequence[str] = OF_PAPER,
    architectures: Sequence[str] = ARCHITECTURES,
    error: float = 0.02,
    seed: int = 0,
    **changes: object,
) -> pd.DataFrame:
    """Return a made-up multiverse of a study; changes: options of the multiverse."""
    table = cells(combinations(**changes), datasets, architectures)
    draws = np.random.default_rng(seed)
    return measured(table, truths(table, draws), error, draws)


def paper(known: Mapping | None = None, comparable: Mapping = COMPARABLE) -> Paper:
    """Return what numbers are held against; known: levels of slots that a user filled."""
    slots = {name: {"value": level, "source": "p. 1"} for name, level in (known or {}).items()}
    return paper_of(read_paper(slots), CHOICES, comparable)


def grids(table: pd.DataFrame, ours: int = 8, theirs: int = 3) -> list[Grid]:
    """Return the grids of the reported numbers' findings."""
    wanted = [(one.finding, one.statistic) for one in paper().numbers]
    return list(grids_of(table, wanted, NAMES, NewStudy(ours, theirs)))


def grid_of(table: pd.DataFrame, finding: str, ours: int = 8, theirs: int = 3) -> Grid:
    """Return the grid of a finding."""
    (found,) = (one for one in grids(table, ours, theirs) if one.finding == finding)
    return found


def assigned(found: Sequence[Grid]) -> list[Assignment]:
    """Return how the data sets and networks of grids stand for the paper's."""
    every = [cell for grid in found for cell in grid.cells]
    return list(assignments(paper().numbers, ARCHITECTURES, every))


def rows_of(summary: pd.DataFrame, text: str) -> pd.DataFrame:
    """Return the rows of the summary of a number."""
    return summary[summary["reported"].str.contains(text, regex=False)]


def meets_naively(lows: Sequence[float], highs: Sequence[float], low: float, high: float) -> bool:
    """Return whether cells allow for a number or a range, by trying which cell has which end of a range."""

    def inside(cell: int, value: float) -> bool:
        return lows[cell] - 0.005 <= value <= highs[cell] + 0.005

    if low == high:
        return min(lows) - 0.005 <= low <= max(highs) + 0.005
    every = range(len(lows))
    between = all(lows[i] - 0.005 <= high and highs[i] + 0.005 >= low for i in every)
    if len(lows) == 1:
        return between
    return between and any(inside(i, low) and inside(j, high) for i, j in permutations(every, 2))
