"""Findings as tidy tables: one row per comparison, the audit beside every number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from retention.analysis.resampling import Interval, bootstrap_counts
from retention.analysis.runs import Run
from retention.common.randomness import generator

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


@dataclass(frozen=True)
class Setting:
    """What every finding shares: the options, the bootstrap of this data set, the random draws."""

    statistics: Mapping
    counts: np.ndarray  # int16 [B, N]
    groups: int
    classes: np.ndarray  # [N]
    draws: np.random.Generator

    @property
    def once(self) -> np.ndarray:
        """Weights under which every sample counts once, [1, N]."""
        return np.ones((1, self.counts.shape[1]))


def setting_of(runs: Sequence[Run], statistics: Mapping, finding: str) -> Setting:
    """Draw the group bootstrap of a finding; the same runs and options draw the same."""
    samples = runs[0].samples
    draws = generator(runs[0].dataset, statistics["seed"], finding)
    groups, classes = samples["group"].to_numpy(dtype=str), samples["label"].to_numpy()
    counts = bootstrap_counts(groups, classes, statistics["resamples"], draws)
    return Setting(statistics, counts, len(np.unique(groups)), classes, draws)


def row(statistic: str, estimate: float | Interval, **columns: object) -> dict:
    """Return one row; an `Interval` fills estimate, low, high, target and standard_error."""
    if isinstance(estimate, Interval):
        names = ("estimate", "low", "high", "target", "standard_error")
        columns = {name: getattr(estimate, name) for name in names} | columns
    else:
        columns = {"estimate": estimate} | columns
    return {"statistic": statistic} | columns


def finish(rows: Sequence[Mapping], finding: str, dataset: str, correction: str) -> pd.DataFrame:
    """Return the table in the order of `COLUMNS`, p-values corrected over the finding's family."""
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    table["finding"], table["dataset"], table["treatment"] = finding, dataset, "random"
    table["p"] = table["p"].where(table["estimate"].notna())  # no estimate, nothing to test
    tested = table["p"].notna().to_numpy()
    table["p_corrected"] = np.nan
    if tested.any():
        corrected = multipletests(table.loc[tested, "p"].to_numpy(float), method=correction)[1]
        table.loc[tested, "p_corrected"] = corrected
    return table
