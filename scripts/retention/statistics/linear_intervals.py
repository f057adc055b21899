"""Intervals of statistics that are sums over samples: the group bootstrap in closed form.

The bootstrap of `resampling.bootstrap_weights` draws n − 1 of a class's n groups and counts each n/(n − 1)
times. The weights then have variance 1 and covariance −1/(n − 1), so of a sum Σ w_g z_g the variance is

    Σ_classes n/(n − 1) Σ_groups (z_g − z̄)²

exactly, whatever the number of resamples (Rao & Wu, J. American Statistical Association 83, 231,
1988). No draws are needed, and an ImageNet fits into memory. A mean's z is (y − ȳ)/N; where
groups differ in size the mean is a ratio, and this its first-order expansion.
"""

from dataclasses import replace

import numpy as np

from retention.statistics.resampling import (
    MINIMUM_SEEDS,
    PLAIN,
    THESE_RUNS,
    Interval,
    Scale,
    crossed,
)

ROUNDING = 1e-7  # a standard error below it is that of float32 sums, not of samples
ROWS = 65_536  # groups whose products are summed at a time, bounds the memory


def group_covariance(influence: np.ndarray, groups: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the covariance of K sums over samples in the group bootstrap, float64 [K, K].

    influence: float [N, K], what each sample adds to each sum; groups, classes: int [N]. A class of one
    group has nothing to draw and adds nothing. A group in several classes counts to that of its
    first sample.
    """
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    order = np.argsort(member, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(member[order]) != 0])
    _, stratum = np.unique(np.asarray(classes)[first], return_inverse=True)
    sizes = np.bincount(stratum)
    scale = np.where(sizes > 1, sizes / np.maximum(sizes - 1, 1), 0.0)
    width = influence.shape[1]
    covariance, sums = np.zeros((width, width)), np.zeros((len(sizes), width))
    ends = np.r_[starts[1:], len(order)]
    for begin in range(0, len(starts), ROWS):
        stop = min(begin + ROWS, len(starts))
        rows = influence[order[starts[begin] : ends[stop - 1]]].astype(float)
        of_groups = np.add.reduceat(rows, starts[begin:stop] - starts[begin], axis=0)
        strata = stratum[begin:stop]
        np.add.at(sums, strata, of_groups)
        of_groups *= np.sqrt(scale)[strata, None]
        covariance += of_groups.T @ of_groups  # of one array with itself: half the work
    return covariance - (sums * (scale / sizes)[:, None]).T @ sums


def linear_interval(
    estimates: np.ndarray, covariance: np.ndarray, groups: int, scale: Scale = PLAIN
) -> Interval:
    """Return the interval of a statistic whose sampling noise is linear.

    estimates: float [1 + S], the statistic of all runs, then without each seed in turn, NaN where
    nothing is left; covariance: float [1 + S, 1 + S], of these in the group bootstrap; groups: how
    many there are. V_seeds is the delete-one-seed jackknife, V_noise what the same jackknife has on average
    from the samples. With fewer than 3 seeds, or with a NaN, the interval is about `these runs`.
    """
    whole, without = float(estimates[0]), estimates[1:]
    seeds = len(without)
    of_groups = float(covariance[0, 0]) if covariance[0, 0] > ROUNDING**2 else 0.0
    if seeds < MINIMUM_SEEDS or not np.isfinite(without).all():
        return Interval(whole, float(np.sqrt(of_groups)), groups - 1, THESE_RUNS, scale)
    among = covariance[1:, 1:]
    noise = (seeds - 1) * (np.trace(among) / seeds - among.sum() / seeds**2)
    of_items = (seeds - 1) * float(np.var(without))
    of_items = of_items if of_items > ROUNDING**2 else 0.0
    return crossed(whole, of_groups, of_items, float(noise), seeds, groups, scale)


def no_narrower(interval: Interval, seeds_alone: Interval) -> Interval:
    """Return an interval for new samples and seeds that is no narrower than that of the seeds alone.

    V = max(V_groups + max(V_seeds − V_noise, 0), V_seeds): with few seeds V_noise, an estimate, may by
    chance take more off than V_groups brings. Satterthwaite's degrees of freedom give way to those of
    the seeds where they would make it narrower still.
    """
    if interval.target != "new runs" or not np.isfinite(seeds_alone.standard_error):
        return interval
    error = max(interval.standard_error, seeds_alone.standard_error)
    wider = replace(interval, standard_error=error)
    if wider.high - wider.low < seeds_alone.high - seeds_alone.low:
        return replace(wider, degrees=seeds_alone.degrees)
    return wider
