"""Differences paired by seed, and a verdict that can also say that there is none worth the name.

better, worse: p corrected over the family < 0.05. Else equivalent: the 90 % interval lies inside the margin,
which is two one-sided tests at 5 % (TOST: Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15, 657,
1987). identical: no difference in any of three seeds or more. Else undecided: the seeds do not suffice. The margin is fixed before the runs are looked at.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import chi2, norm, t, wilcoxon
from statsmodels.stats.weightstats import DescrStatsW

from retention.measuring.table import finish, row
from retention.statistics.resampling import MINIMUM_SEEDS, PLAIN, Interval, Scale

TARGET = "new seeds, these samples"
LEVEL, POWER = 0.05, 0.8
ROUNDING = 1e-12
Z = np.linspace(-9, 9, 1801)  # beyond, a normal has less than 1e-18
WILCOXON_SEEDS = 6  # with fewer, two-sided, no outcome reaches p < 0.05
JUDGED = (
    "margin",
    "low_90",
    "high_90",
    "low_bonferroni",
    "high_bonferroni",
    "p_equivalence",
    "p_wilcoxon",
    "smallest_detectable",
    "verdict",
)


def over_seeds(values: np.ndarray, scale: Scale = PLAIN) -> Interval:
    """Return the t interval of the mean over seeds, values [S]; without one below 3 seeds."""
    seeds = len(values)
    error = float(np.std(values, ddof=1) / np.sqrt(seeds)) if seeds >= MINIMUM_SEEDS else np.nan
    # differences of rounded numbers that are all the same have a deviation of about 1e-17
    error = error if error > ROUNDING else np.nan
    return Interval(float(np.mean(values)), error, max(seeds - 1, 1), TARGET, scale)


def mean_row(statistic: str, values: np.ndarray, scale: Scale = PLAIN, **columns: Any) -> dict:
    """Return the row of a mean over seeds, values [S]."""
    return row(statistic, over_seeds(values, scale), n=len(values), seeds=len(values), **columns)


def judged_row(statistic: str, differences: np.ndarray, **columns: Any) -> dict:
    """Return the row of a comparison to be judged by `finish_judged`, differences [S]."""
    interval = over_seeds(differences)
    found = mean_row(statistic, differences, p=interval.p_of(0.0), chance=0.0, **columns)
    return found | {"differences": differences}


def finish_judged(
    rows: Sequence[dict], finding: str, dataset: str, statistics: Mapping, more: Sequence[str]
) -> pd.DataFrame:
    """Return the table; rows of `judged_row` are its family and get a verdict."""
    margin = statistics["treatment"]["margin"]
    family = sum("differences" in found and np.isfinite(found["p"]) for found in rows)
    rows = [
        found | judge(found["differences"], margin, family) if "differences" in found else found
        for found in rows
    ]
    table = finish(rows, finding, dataset, statistics["correction"], (*more, *JUDGED))
    table["verdict"] = table["verdict"].astype(object)
    undecided = table["margin"].notna() & table["verdict"].isna()
    table.loc[undecided, "verdict"] = [verdict(r) for _, r in table[undecided].iterrows()]
    inside = (table["low_bonferroni"] > -margin) & (table["high_bonferroni"] < margin)
    small = inside & table["verdict"].isin(("better", "worse"))
    table["note"] = table["note"].astype(object)
    table.loc[small, "note"] = "smaller than the margin"
    return table


def judge(differences: np.ndarray, margin: float, family: int) -> dict:
    """Return what a verdict on differences [S] stands on, for a family of so many comparisons."""
    interval = over_seeds(differences)
    seeds = len(differences)
    found: dict[str, object] = {"margin": margin}
    if not np.isfinite(interval.standard_error):
        if seeds < MINIMUM_SEEDS:
            return found | {"note": f"fewer than {MINIMUM_SEEDS} seeds"}
        if np.abs(differences).max() < ROUNDING:
            return found | {"note": "no difference in any seed", "verdict": "identical"}
        return found | {"note": "nothing varies"}
    found["low_90"], found["high_90"] = interval.bounds(1 - 2 * LEVEL)
    ends = interval.bounds(1 - LEVEL / max(family, 1))
    found["low_bonferroni"], found["high_bonferroni"] = ends
    found["p_equivalence"] = float(DescrStatsW(differences).ttost_mean(-margin, margin)[0])
    if seeds >= WILCOXON_SEEDS:
        found["p_wilcoxon"] = float(wilcoxon(differences).pvalue)
    deviation = float(np.std(differences, ddof=1))
    found["smallest_detectable"] = deviation * smallest_effect(seeds, max(family, 1))
    return found


@cache
def smallest_effect(seeds: int, family: int) -> float:
    """Return the difference, in deviations, that a paired t test finds with 80 % power.

    At 0.05 / family, the level at which Holm tests the smallest p.
    """
    level = LEVEL / family
    # three times the critical value suffices whatever the degrees of freedom
    high = 3 * t.isf(level / 2, seeds - 1) / np.sqrt(seeds)
    return float(brentq(lambda effect: power(effect, seeds, level) - POWER, 0, high))


def power(effect: float, seeds: int, level: float) -> float:
    """Return the power of a two-sided paired t test of an effect in deviations.

    P(|δ + Z| > c √(χ²/ν)), δ = effect · √seeds, ν = seeds − 1: the χ² in closed form, integrated over
    the normal Z by sums at equal steps, which of a smooth integrand are exact to rounding.
    """
    freedom, step = seeds - 1, Z[1] - Z[0]
    critical = t.isf(level / 2, freedom)
    within = chi2.cdf(freedom * ((effect * np.sqrt(seeds) + Z) / critical) ** 2, freedom)
    return float(np.sum(norm.pdf(Z) * within) * step)


def verdict(found: Mapping) -> str:
    """Return better, worse, equivalent or undecided, of differences that are not all 0."""
    if found["p_corrected"] < LEVEL:
        return "better" if found["estimate"] > 0 else "worse"
    return "equivalent" if found["p_equivalence"] < LEVEL else "undecided"
