"""Rank statistics of pairs of runs in every resample.

A resample is a row of weights, the share each sample has in it. `once(N)` is the data set itself.
A pair (i, j) takes row i of the first matrix and row j of the second; NaN is dropped pair by pair.
"""

from collections.abc import Callable, Sequence

import numpy as np

from retention.statistics.rank_kernel import correlations, overlaps

Pairs = Sequence[tuple[int, int]]
OfWeights = Callable[[np.ndarray], np.ndarray]  # resamples, float [B, N] → float [B, P]
# order int64 [R, M], tied bool [R, M], samples int64 [M], weights float [B, M] → float [B, R, R]
Kernel = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
LEAST = 3  # samples with a value in both runs, below which a pair has no number


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
    """Return Spearman's ρ of each pair in each resample, float [B, P]; as `spearman_over_pairs` of the weights, [B, N]."""
    return spearman_over_pairs(first, second, pairs, classes)(weights)


def spearman_over_pairs(
    first: np.ndarray, second: np.ndarray, pairs: Pairs, classes: np.ndarray | None = None
) -> OfWeights:
    """Return the function of resamples that gives Spearman's ρ of each pair; values are sorted here, once for all of them.

    first, second: float [R, N], rows of runs; classes: int [N]: with them each class's mean rank is taken off first
    (the correlation of ranks, partial on class).
    """
    if classes is None:
        member, number = np.zeros(first.shape[1], dtype=np.int64), 0
    else:
        names, member = np.unique(classes, return_inverse=True)
        number = len(names)

    def kernel(
        order: np.ndarray, tied: np.ndarray, kept: np.ndarray, resamples: np.ndarray
    ) -> np.ndarray:
        return correlations(order, tied, resamples, member[kept], number)

    return _over_pairs(kernel, first, second, pairs)


def overlap_of_pairs(
    first: np.ndarray, second: np.ndarray, pairs: Pairs, weights: np.ndarray, fraction: float
) -> np.ndarray:
    """Return the overlap of each pair's top fractions in each resample, float [B, P]; as `overlap_over_pairs` of the weights."""
    return overlap_over_pairs(first, second, pairs, fraction)(weights)


def overlap_over_pairs(
    first: np.ndarray, second: np.ndarray, pairs: Pairs, fraction: float
) -> OfWeights:
    """Return the function of resamples that gives the Jaccard overlap of each pair's top fractions, sorted here once.

    Over random tie-breaks the expected intersection I gives I / (2k − I); what this leaves of the
    expected Jaccard is of the order of 1/k (Jensen). `top_fractions.random_tie_jaccard` has none of it.
    """

    def kernel(
        order: np.ndarray, tied: np.ndarray, _: np.ndarray, resamples: np.ndarray
    ) -> np.ndarray:
        return overlaps(order, tied, resamples, fraction)

    falling = -first
    return _over_pairs(kernel, falling, falling if second is first else -second, pairs)


def mean_in_both(first: np.ndarray, second: np.ndarray, pairs: Pairs) -> int:
    """Return how many samples have a value in both runs of a pair, on average over the pairs."""
    finite = np.isfinite(first), np.isfinite(second)
    return round(np.mean([np.sum(finite[0][i] & finite[1][j]) for i, j in pairs]))


def _over_pairs(kernel: Kernel, first: np.ndarray, second: np.ndarray, pairs: Pairs) -> OfWeights:
    chosen = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    if np.isfinite(first).all() and np.isfinite(second).all():
        return _of_whole(kernel, first, second, chosen)
    return _pair_by_pair(kernel, first, second, chosen)


def _of_whole(
    kernel: Kernel, first: np.ndarray, second: np.ndarray, chosen: np.ndarray
) -> OfWeights:
    """Return the function where every run has a value of every sample: one pass over the runs serves all pairs."""
    same = first is second
    values = first if same else np.concatenate([first, second])
    order = np.argsort(values, axis=1, kind="stable")
    tied, everything = _tied(values, order), np.arange(values.shape[1])
    places = chosen[:, 0], chosen[:, 1] + (0 if same else len(first))

    def of(weights: np.ndarray) -> np.ndarray:
        return kernel(order, tied, everything, weights)[:, places[0], places[1]]

    return of


def _pair_by_pair(
    kernel: Kernel, first: np.ndarray, second: np.ndarray, chosen: np.ndarray
) -> OfWeights:
    """Return the function where values are missing: each pair is of the samples that both of its runs have."""
    finite = np.isfinite(first), np.isfinite(second)
    orders = [np.argsort(first, axis=1, kind="stable")]
    orders.append(orders[0] if second is first else np.argsort(second, axis=1, kind="stable"))

    def of(weights: np.ndarray) -> np.ndarray:
        found = np.full((len(weights), len(chosen)), np.nan)
        for column, (i, j) in enumerate(chosen):
            has = finite[0][i] & finite[1][j]
            kept = np.flatnonzero(has)
            if len(kept) < LEAST:
                continue
            values = np.stack([first[i, kept], second[j, kept]])
            place = np.cumsum(has) - 1  # of a sample, among those that are kept
            rows = orders[0][i], orders[1][j]
            order = np.stack([place[row[has[row]]] for row in rows])
            # `take` is several times as fast as an index
            of_pair = kernel(order, _tied(values, order), kept, weights.take(kept, axis=1))
            found[:, column] = of_pair[:, 0, 1]
        return found

    return of


def _tied(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return which of each row's samples, in rising order, equal the one before, bool [R, M]."""
    ordered = np.take_along_axis(values, order, axis=1)
    tied = np.zeros(values.shape, dtype=bool)
    tied[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    return tied
