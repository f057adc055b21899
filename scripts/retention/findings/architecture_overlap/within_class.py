"""The overlap of top fractions that classes alone explain, and what there is beyond it."""

from collections.abc import Iterable, Iterator

import numpy as np

from retention.statistics.ranks import Pairs
from retention.statistics.top_fractions import top_probability


def expected_within_class(
    first: np.ndarray, second: np.ndarray, pairs: Pairs, classes: np.ndarray, fraction: float
) -> float:
    """Return the expected Jaccard when each class keeps its share of the top, its members being random.

    first, second: float [R, N], NaN where a run has no score; classes: int [N], counted from 0. Members are the
    samples that have a score in both runs, as in the overlap itself: those never learned can be in no top fraction.
    """
    number, found = classes.max() + 1, []
    sizes_of = [
        np.bincount(classes[kept], minlength=number) for kept in _kept(first, second, pairs)
    ]
    for tops, sizes in zip(_tops(first, second, pairs, fraction), sizes_of, strict=True):
        in_top = [np.bincount(classes, one, number) for one in tops]
        shared = np.sum(in_top[0] * in_top[1] / np.maximum(sizes, 1))
        found.append([shared, *(one.sum() for one in in_top)])
    return _mean(_jaccard(*np.array(found).T))


def alike(first: np.ndarray, second: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return which samples are of one class and have a score in the same runs, as equal numbers, int [N]."""
    scored = np.isfinite(np.concatenate([first, second]))
    return np.unique(np.column_stack([classes, scored.T]), axis=0, return_inverse=True)[1].ravel()


def beyond_class(
    first: np.ndarray,
    second: np.ndarray,
    pairs: Pairs,
    fraction: float,
    orders: Iterable[np.ndarray],
) -> tuple[float, np.ndarray]:
    """Return the mean Jaccard over pairs, and it with the samples of `second` in each of the orders.

    One order serves all runs of `second`: what its runs share stays. orders: int [N], which exchange samples that are
    `alike` alone, so that each pair compares the samples that it always does. Ties at the cut share the places.
    """
    tops = [np.stack(side) for side in zip(*_tops(first, second, pairs, fraction), strict=True)]
    sizes = [side.sum(axis=1) for side in tops]

    def overlap(others: np.ndarray) -> float:
        shared = np.einsum("pn,pn->p", tops[0], others)
        return _mean(_jaccard(shared, *sizes))

    return overlap(tops[1]), np.array([overlap(tops[1][:, order]) for order in orders])


def _kept(first: np.ndarray, second: np.ndarray, pairs: Pairs) -> Iterator[np.ndarray]:
    for i, j in pairs:
        yield np.isfinite(first[i]) & np.isfinite(second[j])


def _tops(
    first: np.ndarray, second: np.ndarray, pairs: Pairs, fraction: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield each pair's two probabilities of being among the top, [N], 0 where a run has no score."""
    for (i, j), kept in zip(pairs, _kept(first, second, pairs), strict=True):
        x, y = (
            top_probability(np.where(kept, values, np.nan), fraction)
            for values in (first[i], second[j])
        )
        yield x, y


def _jaccard(shared: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return shared / (one + other - shared)


def _mean(found: np.ndarray) -> float:
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")
