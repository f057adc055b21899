"""Findings as tidy tables: one row per comparison, the audit beside every number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from retention.common.randomness import generator
from retention.runs.reading import Run
from retention.statistics.ranks import Pairs, once
from retention.statistics.redrawn import Redrawn
from retention.statistics.resampling import PLAIN, Interval, Scale, bootstrap_weights, new_runs

COLUMNS = [
    "finding",
    "dataset",
    "comparison",
    "architecture",
    "treatment",
    "statistic",
    "estimate",
    "low",
    "high",
    "target",
    "p",
    "p_corrected",
    "n",
    "chance",
    "ceiling",
    "definition",
    "standard_error",
    "seeds",
    "note",
]
PERMUTATIONS = 999  # at most; resamples, where they are fewer


@dataclass(frozen=True)
class Setting:
    """What every finding shares: the options, the bootstrap of this data set, the random draws."""

    statistics: Mapping
    resamples: Redrawn  # weights, float32 [B, N], of the group bootstrap
    groups: np.ndarray  # int [N], numbered from 0
    classes: np.ndarray  # int [N], numbered from 0
    class_names: np.ndarray  # str [C]
    draws: np.random.Generator

    @property
    def once(self) -> np.ndarray:
        """Weights under which every sample counts once, [1, N]."""
        return once(len(self.groups))

    @property
    def number_of_groups(self) -> int:
        """How many groups there are."""
        return int(self.groups.max()) + 1

    @property
    def permutations(self) -> int:
        """How often labels are permuted for a p-value."""
        return min(self.statistics["resamples"], PERMUTATIONS)

    def over_runs(
        self, mean_of: Callable, number: int, scale: Scale = PLAIN, least: float = 0.0
    ) -> Interval:
        """Return the interval of a mean over runs; mean_of: weights [B, N] → items [B, runs]; least: as below."""
        return self._interval(mean_of, np.eye(number, dtype=bool), scale).at_least(least)

    def over_pairs(
        self,
        of_pairs: Callable,
        pairs: Pairs,
        seeds: Sequence[Sequence[int]],
        scale: Scale = PLAIN,
        least: float = 0.0,
    ) -> Interval:
        """Return the interval of a mean over pairs of runs.

        of_pairs: weights [B, N] → items [B, P]; seeds: the seeds of the first and the second runs; least: what
        the standard error, on the scale, is at least (`deviation_of_permuted`).
        """
        every = sorted(set(seeds[0]) | set(seeds[1]))
        involves = [[s in (seeds[0][i], seeds[1][j]) for s in every] for i, j in pairs]
        return self._interval(of_pairs, np.array(involves), scale).at_least(least)

    def _interval(self, items_of: Callable, involves: np.ndarray, scale: Scale) -> Interval:
        items, draws = items_of(self.once)[0], self.resamples.over(items_of)
        defined = np.isfinite(items)
        if not defined.any():
            return Interval(float("nan"), float("nan"), 1.0, "", scale)
        involves = involves[defined]
        involves = involves[:, involves.any(axis=0)]  # a seed none of whose runs has a value
        return new_runs(items[defined], draws[:, defined], involves, self.number_of_groups, scale)


def setting_of(runs: Sequence[Run], statistics: Mapping, finding: str) -> Setting:
    """Draw the group bootstrap of a finding; the same runs and options draw the same."""
    samples = runs[0].samples
    draws = generator(runs[0].dataset, statistics["seed"], finding)
    _, groups = np.unique(samples["group"].to_numpy(dtype=str), return_inverse=True)
    _, first, classes = np.unique(
        samples["label"].to_numpy(), return_index=True, return_inverse=True
    )
    names = samples["class_name"].to_numpy(dtype=str)[first]

    def weights(generator: np.random.Generator, rows: int) -> np.ndarray:
        return bootstrap_weights(groups, classes, rows, generator)

    resamples = Redrawn(weights, statistics["resamples"], draws)
    return Setting(statistics, resamples, groups, classes, names, draws)


def row(statistic: str, estimate: float | Interval, **columns: object) -> dict:
    """Return one row; an `Interval` fills estimate, low, high, target and standard_error."""
    if isinstance(estimate, Interval):
        names = ("estimate", "low", "high", "target", "standard_error")
        columns = {name: getattr(estimate, name) for name in names} | columns
    else:
        columns = {"estimate": estimate} | columns
    return {"statistic": statistic} | columns


def finish(
    rows: Sequence[Mapping],
    finding: str,
    dataset: str,
    correction: str,
    more: Sequence[str] = (),
    treatment: str = "random",
) -> pd.DataFrame:
    """Return the table, columns `COLUMNS` and `more`, p-values corrected over the finding's family.

    treatment: of the rows that do not say their own.
    """
    table = pd.DataFrame(rows).reindex(columns=[*COLUMNS, *more])
    table["finding"], table["dataset"] = finding, dataset
    table["treatment"] = table["treatment"].where(table["treatment"].notna(), treatment)
    table["p"] = table["p"].where(table["estimate"].notna())  # no estimate, nothing to test
    tested = table["p"].notna().to_numpy()
    table["p_corrected"] = np.nan
    if tested.any():
        corrected = multipletests(table.loc[tested, "p"].to_numpy(float), method=correction)[1]
        table.loc[tested, "p_corrected"] = corrected
    return table
