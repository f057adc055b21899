"""Top fractions of a ranking and what two of them share, ties broken at random."""

import numpy as np
from scipy.stats import hypergeom, rankdata

from retention.statistics.rank_kernel import tie_broken_overlap


def top_probability(values: np.ndarray, fraction: float) -> np.ndarray:
    """Return each sample's probability of being among the top k = round(fraction · n), [N].

    Ties at the cut are broken at random, so its members share the places that are left. NaN values
    never are among the top, and do not count in n.
    """
    finite = np.isfinite(values)
    last, first = (rankdata(values[finite], method=method) for method in ("max", "min"))
    found = np.zeros(len(values))
    k = round(fraction * finite.sum())
    found[finite] = np.clip((k - (len(last) - last)) / (last - first + 1), 0, 1)
    return found


def random_tie_jaccard(
    x: np.ndarray, y: np.ndarray, fraction: float, tie_breaks: int, draws: np.random.Generator
) -> float:
    """Return the mean Jaccard of the top fractions over independent random tie-breaks."""
    return random_tie_moments(x, y, fraction, tie_breaks, draws)[0]


def random_tie_moments(
    x: np.ndarray, y: np.ndarray, fraction: float, tie_breaks: int, draws: np.random.Generator
) -> tuple[float, float]:
    """Return `random_tie_jaccard` and its Monte Carlo variance.

    0 where no place is given by lot, NaN of a single tie-break where some are.
    """
    kept = np.isfinite(x) & np.isfinite(y)
    sure, tied = zip(*(_cut(values[kept], fraction) for values in (x, y)), strict=True)
    open_places = [round(fraction * kept.sum()) - len(members) for members in sure]
    if not kept.any() or len(sure[0]) + open_places[0] == 0:
        return float("nan"), float("nan")
    lots = [draws.random((tie_breaks, places)) for places in open_places]
    mean, variance = tie_broken_overlap(*sure, *tied, *lots, kept.sum())
    settled = [len(members) == places for members, places in zip(tied, open_places, strict=True)]
    return float(mean), 0.0 if all(settled) else float(variance)


def _cut(values: np.ndarray, fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples above the value at the cut, and those tied there, as indices."""
    k = round(fraction * len(values))
    if k == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    limit = np.partition(values, len(values) - k)[len(values) - k]
    return np.flatnonzero(values > limit), np.flatnonzero(values == limit)


def tied_at_cut(values: np.ndarray, fraction: float) -> int:
    """Return how many of the top k places are given by lot."""
    values = values[np.isfinite(values)]
    sure, tied = _cut(values, fraction)
    places = round(fraction * len(values)) - len(sure)
    return 0 if len(tied) == places else places


def chance_jaccard(n: int, k: int) -> float:
    """Return the expected Jaccard of two random k-subsets of n: Σ x/(2k − x) · Hypergeometric."""
    shared = np.arange(max(0, 2 * k - n), k + 1)
    return float(np.sum(shared / (2 * k - shared) * hypergeom.pmf(shared, n, k, k))) if k else 0.0


def rank_biased_overlap(
    x: np.ndarray, y: np.ndarray, fraction: float, tie_breaks: int, draws: np.random.Generator
) -> float:
    """Return the rank-biased overlap of two rankings, the most forgotten first, ties broken at random.

    (1 − p) Σ_d p^(d−1) · (overlap of the first d) / d over the whole lists, divided by the weight of
    the depths there are, with p = 1 − 1/k, k = fraction · n: the mean depth looked at is the top
    fraction's. Random rankings reach about `fraction`. Webber, Moffat & Zobel, ACM TOIS 28, 20 (2010).
    """
    kept = np.isfinite(x) & np.isfinite(y)
    x, y, n = x[kept], y[kept], int(kept.sum())
    if fraction * n <= 1:
        return float("nan")
    depth = np.arange(1, n + 1)
    weight = (1 - 1 / (fraction * n)) ** (depth - 1.0)
    total = 0.0
    if len(np.unique(x)) == n == len(np.unique(y)):
        tie_breaks = 1  # nothing to break
    for _ in range(tie_breaks):
        places = [np.argsort(np.lexsort((draws.random(n), -values))) for values in (x, y)]
        shared = np.bincount(np.maximum(*places), minlength=n).cumsum()  # in both of the first d
        total += np.sum(weight * shared / depth)
    return float(total / tie_breaks / weight.sum())
