"""Rank statistics of pairs of runs in every resample.

A resample is a row of weights, the share each sample has in it. `once(N)` is the data set itself.
A pair (i, j) takes row i of the first matrix and row j of the second; NaN is dropped pair by pair.
"""

from collections.abc import Callable, Sequence

import numpy as np

from retention.statistics.rank_kernel import correlations, overlaps

Pairs = Sequence[tuple[int, int]]
OfWeights = Callable[[np.ndarray], np.ndarray]  # resamples, float [B, N] → float [B, P]
# order int64 [R, M], tied bool [R, M], pairs int64 [P, 2], samples int64 [M], weights float [B, M] → float [B, P]
Kernel = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
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
        order: np.ndarray, tied: np.ndarray, rows: np.ndarray, kept: np.ndarray, draws: np.ndarray
    ) -> np.ndarray:
        return correlations(order, tied, rows, draws, member[kept], number)

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
        order: np.ndarray, tied: np.ndarray, rows: np.ndarray, _: np.ndarray, draws: np.ndarray
    ) -> np.ndarray:
        return overlaps(order, tied, rows, draws, fraction)

    falling = -first
    return _over_pairs(kernel, falling, falling if second is first else -second, pairs)


def mean_in_both(first: np.ndarray, second: np.ndarray, pairs: Pairs) -> int:
    """Return how many samples have a value in both runs of a pair, on average over the pairs."""
    finite = np.isfinite(first), np.isfinite(second)
    return round(np.mean([np.sum(finite[0][i] & finite[1][j]) for i, j in pairs]))


def _over_pairs(kernel: Kernel, first: np.ndarray, second: np.ndarray, pairs: Pairs) -> OfWeights:
    same = first is second
    values = first if same else np.concatenate([first, second])
    chosen = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    rows = chosen + (0 if same else np.array([0, len(first)]))
    order, finite = np.argsort(values, axis=1, kind="stable"), np.isfinite(values)
    if finite.all():
        tied, everything = _tied(values, order), np.arange(values.shape[1])
        return lambda weights: kernel(order, tied, rows, everything, weights)
    return _by_presence(kernel, values, order, finite, rows)


def _by_presence(
    kernel: Kernel, values: np.ndarray, order: np.ndarray, finite: np.ndarray, rows: np.ndarray
) -> OfWeights:
    """Return the function where values are missing: each pair is of the samples that both of its rows have.

    Pairs that have the same samples, as those of many runs with one that misses some, are ranked together.
    order, finite: of values [R, N]; rows: int64 [P, 2].
    """
    alike: dict[bytes, list[int]] = {}
    for column, (i, j) in enumerate(rows):
        alike.setdefault(np.packbits(finite[i] & finite[j]).tobytes(), []).append(column)

    def of(weights: np.ndarray) -> np.ndarray:
        found = np.full((len(weights), len(rows)), np.nan)
        for columns in alike.values():
            has = finite[rows[columns[0]]].all(axis=0)
            kept = np.flatnonzero(has)
            if len(kept) < LEAST:
                continue
            used, places = np.unique(rows[columns], return_inverse=True)
            pairs, place = places.reshape(-1, 2), np.cumsum(has) - 1  # among those that are kept
            own = np.stack([place[row[has[row]]] for row in order[used]])
            tied = _tied(values[used][:, kept], own)
            # `take` is several times as fast as an index
            found[:, columns] = kernel(own, tied, pairs, kept, weights.take(kept, axis=1))
        return found

    return of


def _tied(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return which of each row's samples, in rising order, equal the one before, bool [R, M]."""
    ordered = np.take_along_axis(values, order, axis=1)
    tied = np.zeros(values.shape, dtype=bool)
    tied[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    return tied
