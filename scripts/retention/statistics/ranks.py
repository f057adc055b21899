"""Rank statistics of pairs of runs in every resample.

A resample is a row of weights, the share each sample has in it. `once(N)` is the data set itself.
A pair (i, j) takes row i of the first matrix and row j of the second; NaN is dropped pair by pair.
"""

from collections.abc import Callable, Sequence

import numpy as np

from retention.statistics.rank_kernel import correlations, overlaps

Pairs = Sequence[tuple[int, int]]


def once(samples: int) -> np.ndarray:
    """Return weights under which every sample counts once, float [1, N]."""
    return np.ones((1, samples))


def spearman_of_pairs(
    first: np.ndarray,
    second: np.ndarray,
    pairs: Pairs,
    weights: np.ndarray,
    classes: np.ndarray | None = None,
) -> np.ndarray:
    """Return Spearman's ρ of each pair in each resample, float [B, P].

    first, second: float [R, N], rows of runs; weights: float [B, N]; classes: int [N]: with them each
    class's mean rank is taken off first (the correlation of ranks, partial on class).
    """
    if classes is None:
        member, number = np.zeros(first.shape[1], dtype=np.int64), 0
    else:
        names, member = np.unique(classes, return_inverse=True)
        number = len(names)

    def kernel(values: np.ndarray, kept: np.ndarray, resamples: np.ndarray) -> np.ndarray:
        return correlations(*_sorted(values), resamples, member[kept], number)

    return _over_pairs(kernel, first, second, pairs, weights)


def overlap_of_pairs(
    first: np.ndarray, second: np.ndarray, pairs: Pairs, weights: np.ndarray, fraction: float
) -> np.ndarray:
    """Return the Jaccard overlap of the top fractions of each pair in each resample, float [B, P].

    Over random tie-breaks the expected intersection I gives I / (2k − I); what this leaves of the
    expected Jaccard is of the order of 1/k (Jensen). `top_fractions.random_tie_jaccard` has none of it.
    """

    def kernel(values: np.ndarray, _: np.ndarray, resamples: np.ndarray) -> np.ndarray:
        return overlaps(*_sorted(-values), resamples, fraction)

    return _over_pairs(kernel, first, second, pairs, weights)


def mean_in_both(first: np.ndarray, second: np.ndarray, pairs: Pairs) -> int:
    """Return how many samples have a value in both runs of a pair, on average over the pairs."""
    finite = np.isfinite(first), np.isfinite(second)
    return round(np.mean([np.sum(finite[0][i] & finite[1][j]) for i, j in pairs]))


def _over_pairs(
    kernel: Callable, first: np.ndarray, second: np.ndarray, pairs: Pairs, weights: np.ndarray
) -> np.ndarray:
    chosen = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    finite = np.isfinite(first), np.isfinite(second)
    everything = np.arange(first.shape[1])
    if finite[0].all() and finite[1].all():
        same = first is second
        values = first if same else np.concatenate([first, second])
        table = kernel(values, everything, weights)
        return table[:, chosen[:, 0], chosen[:, 1] + (0 if same else len(first))]
    found = np.full((len(weights), len(chosen)), np.nan)
    for place, (i, j) in enumerate(chosen):
        kept = np.flatnonzero(finite[0][i] & finite[1][j])
        if len(kept) >= 3:
            values = np.stack([first[i, kept], second[j, kept]])
            found[:, place] = kernel(values, kept, np.ascontiguousarray(weights[:, kept]))[:, 0, 1]
    return found


def _sorted(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's samples in rising order, and which of them equal the one before."""
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    tied = np.zeros(values.shape, dtype=bool)
    tied[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    return order, tied
