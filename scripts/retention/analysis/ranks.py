"""Rank statistics under sample weights, and top fractions whose ties are broken at random."""

import numpy as np
from scipy.stats import hypergeom, rankdata


def weighted_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return midranks of values [N] in each weighted sample, weights [B, N] → ranks [B, N].

    With weights that count repetitions these are the midranks of the repeated sample.
    """
    distinct, inverse = np.unique(values, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    starts = np.searchsorted(inverse[order], np.arange(len(distinct)))
    mass = np.add.reduceat(weights[:, order].astype(float), starts, axis=1)
    return (np.cumsum(mass, axis=1) - mass / 2)[:, inverse]


def weighted_spearman(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Spearman's ρ of x and y [N] for each row of weights [B, N]; NaN pairs are dropped."""
    kept = np.isfinite(x) & np.isfinite(y)
    if kept.sum() < 3:
        return np.full(len(weights), np.nan)
    weights = weights[:, kept]
    return weighted_pearson(
        weighted_ranks(x[kept], weights), weighted_ranks(y[kept], weights), weights
    )


def weighted_pearson(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Pearson's r for each row; x, y, weights [B, N]. NaN where a side is constant."""
    total = weights.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = x - (weights * x).sum(axis=1, keepdims=True) / total
        y = y - (weights * y).sum(axis=1, keepdims=True) / total
        covariance = (weights * x * y).sum(axis=1)
        return covariance / np.sqrt((weights * x * x).sum(axis=1) * (weights * y * y).sum(axis=1))


def partial_spearman(
    x: np.ndarray, y: np.ndarray, classes: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return the correlation of ranks after each class's mean rank is taken off, [B].

    x, y [N] float, classes [N] int, weights [B, N].
    """
    kept = np.isfinite(x) & np.isfinite(y)
    if kept.sum() < 3:
        return np.full(len(weights), np.nan)
    weights, member = weights[:, kept], np.unique(classes[kept], return_inverse=True)[1]
    indicator = np.eye(member.max() + 1)[member]
    mass = np.maximum(weights @ indicator, 1e-12)
    residuals = []
    for values in (x[kept], y[kept]):
        ranks = weighted_ranks(values, weights)
        residuals.append(ranks - ((weights * ranks) @ indicator / mass)[:, member])
    return weighted_pearson(*residuals, weights)


def top_probability(values: np.ndarray, weights: np.ndarray, fraction: float) -> np.ndarray:
    """Return each sample's probability of being among the top k = round(fraction · n), [B, N].

    Ties at the cut are broken at random, so its members share the places that are left. NaN values
    never are among the top. weights [B, N] count repetitions.
    """
    defined = np.isfinite(values)
    weights = weights * defined
    k = np.round(fraction * weights.sum(axis=1, keepdims=True))
    distinct, inverse = np.unique(np.where(defined, -values, np.inf), return_inverse=True)
    mass = np.zeros((len(weights), len(distinct)))
    order = np.argsort(inverse, kind="stable")
    starts = np.searchsorted(inverse[order], np.arange(len(distinct)))
    mass = np.add.reduceat(weights[:, order].astype(float), starts, axis=1)
    above = np.cumsum(mass, axis=1) - mass
    share = np.clip((k - above) / np.maximum(mass, 1e-12), 0, 1)
    return share[:, inverse] * defined


def expected_jaccard(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return J = I / (2k − I) at the expected intersection of two top fractions, [B].

    first, second: `top_probability` [B, N]. Jensen's gap to the expected J is O(1/k).
    """
    shared = (weights * first * second).sum(axis=1)
    size = (weights * (first + second)).sum(axis=1)
    return shared / (size - shared)


def random_tie_jaccard(
    x: np.ndarray, y: np.ndarray, fraction: float, tie_breaks: int, draws: np.random.Generator
) -> float:
    """Return the mean Jaccard of the top fractions over independent random tie-breaks."""
    kept = np.isfinite(x) & np.isfinite(y)
    x, y = x[kept], y[kept]
    k = round(fraction * len(x))
    total = 0.0
    for _ in range(tie_breaks):
        tops = [
            set(np.lexsort((draws.random(len(values)), -values))[:k].tolist()) for values in (x, y)
        ]
        total += len(tops[0] & tops[1]) / len(tops[0] | tops[1])
    return total / tie_breaks


def tied_at_cut(values: np.ndarray, fraction: float) -> int:
    """Return how many of the top k places are given by lot."""
    values = np.sort(values[np.isfinite(values)])[::-1]
    k = round(fraction * len(values))
    if k in (0, len(values)) or values[k - 1] != values[k]:
        return 0
    return int((values[:k] == values[k - 1]).sum())


def chance_jaccard(n: int, k: int) -> float:
    """Return the expected Jaccard of two random k-subsets of n: Σ x/(2k − x) · Hypergeometric."""
    shared = np.arange(max(0, 2 * k - n), k + 1)
    return float(np.sum(shared / (2 * k - shared) * hypergeom.pmf(shared, n, k, k)))


def standardised_ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks of each row [R, N] with mean 0 and norm 1; NaN becomes 0 (the mean rank)."""
    ranks = rankdata(values, axis=1, nan_policy="omit")
    ranks = np.nan_to_num(ranks - np.nanmean(ranks, axis=1, keepdims=True))
    norm = np.linalg.norm(ranks, axis=1, keepdims=True)
    return ranks / np.where(norm > 0, norm, 1)
