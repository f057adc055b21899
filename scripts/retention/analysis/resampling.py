"""Resampling of groups and of seeds, and intervals that say what they are about.

`these runs`: the samples vary (group bootstrap, stratified by class), the runs are fixed.
`new runs`: the seeds vary too: delete-one-seed jackknife + group bootstrap − their interaction,
which both of them count; t with Satterthwaite's degrees of freedom.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t

MINIMUM_SEEDS = 3


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval, what it is about, and the two-sided p of 0."""

    estimate: float
    low: float
    high: float
    target: str
    standard_error: float
    degrees: float

    def p_of(self, value: float) -> float:
        """Return the two-sided p-value of a hypothetical value."""
        if not self.standard_error > 0:
            return float("nan")
        return float(2 * t.sf(abs(self.estimate - value) / self.standard_error, self.degrees))


def bootstrap_counts(
    groups: np.ndarray, classes: np.ndarray, resamples: int, draws: np.random.Generator
) -> np.ndarray:
    """Return how often each sample is drawn, int16 [resamples, N].

    Whole groups are drawn with replacement within each class; a group in several classes counts
    to that of its first sample.
    """
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    stratum = np.asarray(classes)[first]
    counts = np.zeros((resamples, len(first)), dtype=np.int16)
    for name in np.unique(stratum):
        inside = np.flatnonzero(stratum == name)
        equal = np.full(len(inside), 1 / len(inside))
        counts[:, inside] = draws.multinomial(len(inside), equal, size=resamples)
    return counts[:, member]


def these_runs(estimate: float, draws: np.ndarray, groups: int) -> Interval:
    """Return the interval of an estimate from its group-bootstrap draws [B]."""
    return _interval(estimate, float(np.nanvar(draws, ddof=1)), groups - 1, "these runs")


def new_runs(items: np.ndarray, draws: np.ndarray, involves: np.ndarray, groups: int) -> Interval:
    """Return the interval of the mean over items (runs, or pairs of runs).

    items: float [I], one value per run or pair; draws: [B, I], the same in each group bootstrap;
    involves: bool [I, S], which seeds an item rests on. With fewer than 3 seeds there is no
    variance over seeds to speak of, and the interval is about `these runs`.
    """
    estimate, resampled = float(np.nanmean(items)), np.nanmean(draws, axis=1)
    seeds = involves.shape[1]
    if seeds < MINIMUM_SEEDS:
        return these_runs(estimate, resampled, groups)
    kept = ~involves.T  # [S, I]
    without = np.array([np.nanmean(items[row]) for row in kept])
    drawn = np.stack([np.nanmean(draws[:, row], axis=1) for row in kept], axis=1)
    of_seeds = _jackknife_variance(without[None, :])[0]
    of_groups = float(np.nanvar(resampled, ddof=1))
    of_both = float(np.nanmean(_jackknife_variance(drawn - without)))
    variance = max(of_seeds + of_groups - of_both, of_seeds, of_groups)
    spread = of_seeds**2 / (seeds - 1) + of_groups**2 / (groups - 1)
    degrees = max(variance**2 / spread, 1.0) if spread > 0 else seeds - 1
    return _interval(estimate, variance, degrees, "new runs")


def p_value(observed: float, permuted: np.ndarray) -> float:
    """Return the permutation p-value (b + 1) / (m + 1) of a large observed value, NaN for NaN."""
    if np.isnan(observed):
        return float("nan")
    return float((np.sum(permuted >= observed - 1e-12) + 1) / (len(permuted) + 1))


def _jackknife_variance(without: np.ndarray) -> np.ndarray:
    seeds = without.shape[1]
    return (seeds - 1) * np.var(without, axis=1)


def _interval(estimate: float, variance: float, degrees: float, target: str) -> Interval:
    error = float(np.sqrt(variance))
    half = float(t.ppf(0.975, degrees)) * error
    return Interval(estimate, estimate - half, estimate + half, target, error, float(degrees))
