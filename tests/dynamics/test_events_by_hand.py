"""Dynamics, decay fits and rank statistics against hand-worked cases, scipy and closed forms."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from retention.dynamics.decay import fit
from retention.dynamics.events import dynamics, half_hazard
from retention.dynamics.retention.lag import points as lag


def test_dynamics_of_a_trace_worked_by_hand():
    correct = np.array([[0, 1, 0, 1, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=bool)
    table = dynamics(correct, {})
    assert table["forgetting_events"].tolist() == [1, 0, 0]
    assert table["learning_events"].tolist() == [2, 0, 0]
    np.testing.assert_array_equal(table["first_learned"], [1, np.nan, 0])
    np.testing.assert_array_equal(table["learned_for_good"], [3, np.nan, 0])
    np.testing.assert_array_equal(table["last_forgotten"], [2, np.nan, np.nan])
    assert table["never_learned"].tolist() == [False, True, False]
    assert table["unforgettable"].tolist() == [False, False, True]
    # at risk in epochs 1 and 3, lost once: (1 + ½) / (2 + 1); always at risk, never lost: ½ / 5
    np.testing.assert_allclose(table["hazard"], [0.5, np.nan, 0.1])
    np.testing.assert_allclose(table["mean_retention"], [2 / 3, np.nan, 1])


def test_halves_of_samples_that_differ_in_luck_alone_do_not_agree():
    draws = np.random.default_rng(4)
    correct = draws.random((4000, 31)) < 0.97  # one hazard for all
    correct[np.arange(31) < draws.integers(0, 28, 4000)[:, None]] = False  # learned at any time
    halves = [half_hazard(correct, parity) for parity in (0, 1)]
    assert abs(spearmanr(*halves, nan_policy="omit").statistic) < 0.06
    # Smoothed, they would seem to agree: both hold the number of epochs at risk.
    at_risk = [correct[:, parity:-1:2].sum(axis=1) for parity in (0, 1)]
    smoothed = [(h * n + 0.5) / (n + 1) for h, n in zip(halves, at_risk, strict=True)]
    assert spearmanr(*smoothed, nan_policy="omit").statistic > 0.3


def test_half_hazards_worked_by_hand():
    correct = np.array([[1, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1]], dtype=bool)
    # transitions from the epochs 0, 2, 4: lost, kept, lost; from 1, 3: only 3 is at risk, kept
    np.testing.assert_allclose(half_hazard(correct, 0), [2 / 3, np.nan])
    np.testing.assert_allclose(half_hazard(correct, 1), [0, np.nan])


def test_lag_trace_worked_by_hand():
    times, values, weights = lag(np.array([[1, 1, 0, 1, 1]], dtype=bool))
    assert times.tolist() == [1, 2]
    # lag 1: anchors 0, 1, 3, kept 0 and 3; lag 2 has two anchors, fewer than three
    np.testing.assert_allclose(values, [[2 / 3, 0]])
    assert weights.tolist() == [[3, 0]]


def test_fit_recovers_a_noiseless_decay_and_names_constant_traces():
    times = np.arange(1.0, 20)
    table = fit(times, np.exp(-0.17 * times)[None], np.ones((1, 19)), "exponential")
    assert table["decay_constant"][0] == pytest.approx(0.17, abs=1e-6)
    held = fit(times, np.ones((1, 19)), np.ones((1, 19)), "exponential")
    assert held["decay_constant"][0] == 0
    assert held["status"][0] == "constant"
    assert np.isnan(held["r_squared"][0])


def test_traces_that_all_are_too_short_are_described_not_refused():
    table = fit(np.array([1.0, 2.0]), np.ones((3, 2)), np.ones((3, 2)), "exponential")
    assert table["status"].tolist() == ["too_short"] * 3
    assert table["decay_constant"].isna().all()
