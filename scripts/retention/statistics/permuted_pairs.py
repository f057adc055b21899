"""Rank statistics of pairs of rows when samples change places, each row in an order of its own or of several rows."""

import numpy as np
from scipy.stats import rankdata

from retention.statistics.permuted_kernel import (
    complete_correlations,
    correlations_of_present,
    permuted_overlaps,
)
from retention.statistics.ranks import Pairs


def correlations_of_permuted(
    rows: np.ndarray, units: np.ndarray, pairs: Pairs, orders: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Return Spearman's ρ of each pair of rows under each order, float [D, P, 2].

    The first is plain, the second with each class's mean rank taken off (`ranks.spearman_of_pairs`). rows: float [R, N],
    NaN is dropped pair by pair; units: int [R], which of the orders a row is put in, −1: none; orders: int32 [D, U, N], at
    place s stands sample orders[d, u, s]; classes: int [N], from 0, of the places: they stay.
    """
    units, chosen = _indices(units, pairs)
    classes = np.asarray(classes, dtype=np.int64)
    number = int(classes.max()) + 1
    if np.isfinite(rows).all():
        ranks = rankdata(rows, axis=1) - (rows.shape[1] + 1) / 2
        return complete_correlations(ranks, units, chosen, orders, classes, number)
    levels, tops = _levels(rows)
    most = int(tops.max())
    return correlations_of_present(levels, tops, units, chosen, orders, classes, number, most)


def overlaps_of_permuted(
    rows: np.ndarray,
    units: np.ndarray,
    pairs: Pairs,
    orders: np.ndarray,
    fraction: float,
    classes: np.ndarray | None = None,
) -> np.ndarray:
    """Return the Jaccard overlap of the top fractions of each pair under each order, float [D, P].

    Samples tied at the cut share the places (`ranks.overlap_of_pairs`). classes: int [N], from 0, with which the top
    fraction of each class counts, all classes together; the rest as above.
    """
    if classes is None:
        classes = np.zeros(rows.shape[1], dtype=np.int64)
    classes = np.asarray(classes, dtype=np.int64)
    levels, tops = _levels(-rows)
    units, chosen = _indices(units, pairs)
    ranked, number = np.argsort(levels, axis=1, kind="stable"), int(classes.max()) + 1
    return permuted_overlaps(levels, tops, ranked, units, chosen, orders, classes, number, fraction)


def _indices(units: np.ndarray, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(units, dtype=np.int64), np.asarray(pairs, dtype=np.int64).reshape(-1, 2)


def _levels(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each value's dense rank from 0, int32 [R, N], a missing value's above all others, and that one, int64 [R]."""
    ranks = rankdata(rows, axis=1, method="dense", nan_policy="omit")
    finite = np.isfinite(rows)
    tops = np.max(np.where(finite, ranks, 0.0), axis=1).astype(np.int64)
    levels = np.where(finite, ranks - 1, tops[:, None]).astype(np.int32)
    return np.ascontiguousarray(levels), tops
