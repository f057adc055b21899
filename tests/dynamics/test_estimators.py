"""Estimators against loops as users write them, numpy's regressions, and what they do on flat traces."""

import warnings

import numpy as np
import pytest
from naive_definitions import CURVES, RATE, user_fit
from simulated_traces import correctness, points

from retention.common.parts import part_names
from retention.dynamics.curve import curve_of
from retention.dynamics.decay import fit
from retention.dynamics.estimates import estimator_of
from retention.dynamics.retention.aligned import points as aligned
from retention.dynamics.retention.lag import points as lag

ITERATIVE = ("curve_fit_free", "curve_fit_bounded", "curve_fit_ones")


def estimated(estimator, traces, curve):
    return estimator_of(estimator).estimate(*traces, curve_of(curve))


def held_against_a_loop(estimator, traces, curve):
    """Compare parameters with those of a user's loop, digit for digit; return how many fits did not fail."""
    times, values, weights = traces
    found = estimated(estimator, traces, curve)
    alike = 0
    for row in range(len(values)):
        kept = weights[row] > 0
        if not kept.any():
            assert np.isnan(found.decay_constant[row]) and not found.failed[row]
            continue
        expected = user_fit(times[kept], values[row][kept], weights[row][kept], curve, estimator)
        assert found.failed[row] == (expected is None), row
        names = curve_of(curve).order
        own = [getattr(found, name)[row] for name in names]
        if expected is None:
            assert np.isnan(own).all()
            continue
        np.testing.assert_array_equal(own, expected)
        alike += 1
    return alike


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(
    ("estimator", "count"),
    [("curve_fit_free", 60), ("curve_fit_ones", 60), ("curve_fit_bounded", 12)],
)
def test_curve_fit_is_a_users_loop_to_the_last_digit(estimator, count, curve):
    draws = np.random.default_rng(count)
    correct = correctness(count, 11, draws)
    correct[0], correct[1, :-1], correct[1, -1] = False, False, True  # never learned, learned last
    times, values, weights = aligned(correct)
    assert held_against_a_loop(estimator, (times, values, weights), curve) > count // 2
    probabilities = np.clip(0.7 * values + 0.3 * draws.random(values.shape), 0, 1) * weights
    assert held_against_a_loop(estimator, (times, probabilities, weights), curve) > count // 2


@pytest.mark.parametrize("estimator", ITERATIVE)
def test_points_of_unequal_weight_have_sigmas(estimator):
    correct = correctness(18, 13, np.random.default_rng(3))
    traces = lag(correct)
    assert len(np.unique(traces[2])) > 3
    assert held_against_a_loop(estimator, traces, "exponential_floor") > 8


def test_fits_that_raise_are_failed_and_nothing_is_printed(capsys, recwarn):
    rows = np.array([[1, 1, 1, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]], bool)
    found = estimated("curve_fit_free", aligned(rows), "scaled_exponential")
    # four points, all 1; one point, fewer than three parameters; no point twice
    assert found.failed.tolist() == [False, True, False, False]
    assert np.isnan(found.decay_constant).tolist() == [False, True, True, True]
    assert not recwarn.list and capsys.readouterr() == ("", "")


def test_a_fit_that_is_given_up_is_failed():
    """A rising line: λ → 0 and a → −∞ together, for ever; where scipy gives up, so do we."""
    times, draws = np.arange(1.0, 13), np.random.default_rng(0)
    values = np.clip(times / 20 + draws.normal(0, 0.001, (40, 12)), 0, 1)
    traces = times, values, np.ones(values.shape)
    alike = held_against_a_loop("curve_fit_free", traces, "scaled_exponential")
    failed = estimated("curve_fit_free", traces, "scaled_exponential").failed
    assert alike + failed.sum() == 40 and failed.any()


def test_the_exact_estimator_is_decay_fit():
    traces = points(300, 21, np.random.default_rng(5))
    for curve in CURVES:
        found, table = estimated("exact", traces, curve), fit(*traces, curve)
        for name in ("decay_constant", "a", "c", "score", "r_squared"):
            np.testing.assert_array_equal(getattr(found, name), table[name])
        assert found.status.tolist() == table["status"].tolist()
        assert not found.failed.any()


@pytest.mark.parametrize("curve", ["exponential", "power", "scaled_exponential"])
def test_log_linear_is_numpys_regression_of_the_logarithms(curve):
    times, values, weights = points(120, 15, np.random.default_rng(6))
    found = estimated("log_linear", (times, values, weights), curve)
    clock, compared = np.log1p(times) if curve == "power" else times, 0
    for row in range(len(values)):
        kept = weights[row] > 0
        free = curve == "scaled_exponential"
        if kept.sum() <= free:
            assert np.isnan(found.decay_constant[row]) and np.isnan(found.a[row])
            continue
        x, logs = clock[kept], np.log(np.maximum(values[row][kept], 1e-6))
        root = np.sqrt(weights[row][kept])
        if free:
            slope, intercept = np.polyfit(x, logs, 1, w=root)
        else:
            ((slope,), *_), intercept = np.linalg.lstsq((root * x)[:, None], root * logs), 0.0
        np.testing.assert_allclose(found.decay_constant[row], -slope, atol=1e-9)
        np.testing.assert_allclose(found.a[row], np.exp(intercept), rtol=1e-8)
        assert found.c[row] == 0 and not found.failed[row]
        compared += 1
    assert compared > 100


def test_every_estimator_is_tested_here():
    assert set(part_names("retention.dynamics.estimators")) == {*ITERATIVE, "exact", "log_linear"}


def test_where_each_optimiser_begins_is_where_a_users_does():
    for curve, (function, start) in CURVES.items():
        for name in ITERATIVE:
            begins = estimator_of(name).start(curve_of(curve))
            assert list(begins) == ([1.0] * len(start) if name == "curve_fit_ones" else start)
        assert curve_of(curve).order.index("decay_constant") == RATE[curve]
        time, parameters = np.arange(7.0), np.linspace(0.2, 0.4, len(start))
        np.testing.assert_array_equal(
            curve_of(curve).formula(time, *parameters), function(time, *parameters)
        )


def test_flat_traces_have_a_decay_constant_that_their_length_alone_decides():
    """Never-lost traces under the unbounded three-parameter curve: no property of the sample is in λ."""
    lengths = np.repeat(np.arange(4, 14), 5)
    times = np.arange(0.0, 14)
    weights = (times < lengths[:, None]).astype(float)
    found = estimated("curve_fit_free", (times, weights, weights), "scaled_exponential")
    assert not found.failed.any()
    by_length = found.decay_constant.reshape(10, 5)
    assert (by_length == by_length[:, :1]).all()
    assert len(np.unique(by_length)) == 10
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the exact estimator says what there is to say
        exact = estimated("exact", (times, weights, weights), "scaled_exponential")
    assert (exact.decay_constant == 0).all()
