"""Rank statistics of permuted rows against loops that permute, drop and rank by scipy and pandas."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, rankdata, spearmanr

from retention.statistics.permuted_pairs import correlations_of_permuted, overlaps_of_permuted

SAMPLES, CLASSES, PAIRS = 240, 5, [(0, 1), (0, 2), (2, 3)]
UNITS = np.array([-1, 0, 1, 1])


def rows_of(missing, decimals, seed=3):
    draws = np.random.default_rng(seed)
    rows = np.round(draws.normal(size=(4, SAMPLES)), decimals)
    rows[draws.random(rows.shape) < missing] = np.nan
    return rows, draws.integers(0, CLASSES, SAMPLES), orders_of(draws, 3)


def orders_of(draws, times):
    found = [[draws.permutation(SAMPLES) for _ in range(2)] for _ in range(times)]
    return np.array(found, dtype=np.int32)


def permuted(rows, order):
    """Return the rows in their orders, by a loop over the places."""
    found = rows.copy()
    for row, unit in enumerate(UNITS):
        if unit >= 0:
            found[row] = [rows[row, order[unit][place]] for place in range(SAMPLES)]
    return found


def in_both(x, y):
    return np.array([not (np.isnan(a) or np.isnan(b)) for a, b in zip(x, y, strict=True)])


def partial_rho(x, y, labels):
    ranks = pd.DataFrame({"x": rankdata(x), "y": rankdata(y), "label": labels})
    rest = ranks[["x", "y"]] - ranks.groupby("label")[["x", "y"]].transform("mean")
    return pearsonr(rest["x"], rest["y"]).statistic


def shared_and_places(x, y, fraction):
    """Return the expected intersection of two tops whose tied samples share the places, and k."""
    k = round(fraction * len(x))
    chances = [
        [min(max(k - sum(v > value), 0) / sum(v == value), 1) for value in v] for v in (x, y)
    ]
    return sum(p * q for p, q in zip(*chances, strict=True)), k


@pytest.mark.parametrize("decimals", [0, 8], ids=["ties", "no ties"])
@pytest.mark.parametrize("missing", [0.0, 0.1, 0.6])
def test_correlations_are_those_of_permuted_rows(missing, decimals):
    rows, classes, orders = rows_of(missing, decimals)
    found = correlations_of_permuted(rows, UNITS, PAIRS, orders, classes)
    assert found.shape == (3, 3, 2)
    for draw, order in enumerate(orders):
        moved = permuted(rows, order)
        for pair, (i, j) in enumerate(PAIRS):
            kept = in_both(moved[i], moved[j])
            x, y = moved[i][kept], moved[j][kept]
            wanted = spearmanr(x, y).statistic, partial_rho(x, y, classes[kept])
            assert found[draw, pair] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("decimals", [0, 8], ids=["ties", "no ties"])
@pytest.mark.parametrize("missing", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("fraction", [0.1, 0.2])
def test_overlaps_are_those_of_permuted_rows(missing, decimals, fraction):
    rows, classes, orders = rows_of(missing, decimals)
    found = overlaps_of_permuted(rows, UNITS, PAIRS, orders, fraction)
    of_classes = overlaps_of_permuted(rows, UNITS, PAIRS, orders, fraction, classes)
    for draw, order in enumerate(orders):
        moved = permuted(rows, order)
        for pair, (i, j) in enumerate(PAIRS):
            kept = in_both(moved[i], moved[j])
            x, y, labels = moved[i][kept], moved[j][kept], classes[kept]
            shared, k = shared_and_places(x, y, fraction)
            wanted = shared / (2 * k - shared) if k else np.nan
            assert found[draw, pair] == pytest.approx(wanted, abs=1e-12, nan_ok=True)
            parts = [
                shared_and_places(x[labels == c], y[labels == c], fraction)
                for c in range(CLASSES)
                if sum(labels == c) > 2
            ]
            shared, k = (sum(part) for part in zip(*parts, strict=True))
            wanted = shared / (2 * k - shared) if k else np.nan
            assert of_classes[draw, pair] == pytest.approx(wanted, abs=1e-12, nan_ok=True)


def test_there_is_no_number_without_samples_or_variance():
    orders = np.arange(SAMPLES, dtype=np.int32)[None, None]
    rows = np.full((4, SAMPLES), np.nan)
    rows[0] = np.arange(SAMPLES)
    rows[1, :2] = 1, 2  # two samples in both
    rows[2] = 7.0  # constant
    rows[3, :4] = 5.0  # constant where it has a value
    units, classes = np.full(4, -1), np.arange(SAMPLES) % 3
    pairs = [(0, 1), (0, 2), (0, 3)]
    assert np.isnan(correlations_of_permuted(rows, units, pairs, orders, classes)).all()
    whole = rows[[0, 2]]
    assert np.isnan(correlations_of_permuted(whole, units[:2], [(0, 1)], orders, classes)).all()
    assert np.isnan(overlaps_of_permuted(rows, units, [(0, 1)], orders, 0.2)).all()


def test_ranks_that_are_all_of_their_class_have_no_partial_correlation():
    orders, classes = np.arange(SAMPLES, dtype=np.int32)[None, None], np.arange(SAMPLES) % 3
    rows = np.stack([classes * 1.0, np.arange(SAMPLES) * 1.0])
    with_gap = rows.copy()
    with_gap[1, 0] = np.nan
    for values in (rows, with_gap):
        found = correlations_of_permuted(values, np.array([-1, -1]), [(0, 1)], orders, classes)
        assert np.isfinite(found[0, 0, 0]) and np.isnan(found[0, 0, 1])
