"""Decay fits against curve_fit from several starts, on traces of all kinds."""

import warnings

import numpy as np
import pytest
from scipy.optimize import curve_fit
from simulated_traces import correctness, points

from retention.common.parts import part_names
from retention.dynamics import decay
from retention.dynamics.decay import LARGEST, fit
from retention.dynamics.decay_uncertainty import uncertainty
from retention.dynamics.points import arguments_of, points_of
from retention.dynamics.retention.aligned import points as aligned

CURVES = {
    "exponential": lambda t, r: np.exp(-r * t),
    "power": lambda t, r: (1 + t) ** -r,
    "exponential_floor": lambda t, r, c: c + (1 - c) * np.exp(-r * t),
    # a = s(1 − f), c = s·f: the triangle a, c ≥ 0, a + c ≤ 1 becomes a square
    "scaled_exponential": lambda t, r, s, f: s * (f + (1 - f) * np.exp(-r * t)),
}
STARTS = (0.02, 0.5)


def best_of_curve_fit(function, times, values, weights):
    """Return the smallest weighted SSE that bounded curve_fit finds from several starts."""
    free = function.__code__.co_argcount - 2
    best = np.inf
    for start in STARTS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found, _ = curve_fit(
                    function,
                    times,
                    values,
                    sigma=1 / np.sqrt(weights),
                    p0=[start] + [0.5] * free,
                    bounds=([0] * (free + 1), [LARGEST] + [1] * free),
                    maxfev=2000,
                )
            except RuntimeError:
                continue
        best = min(best, np.sum(weights * (function(times, *found) - values) ** 2))
    return best


@pytest.mark.parametrize(
    "count", [240, pytest.param(2700, marks=pytest.mark.slow)], ids=["some", "many"]
)
@pytest.mark.parametrize("curve", CURVES)
def test_no_fit_is_worse_than_the_best_of_curve_fit(curve, count):
    times, values, weights = points(count, 21, np.random.default_rng(count))
    table, function = fit(times, values, weights, curve), CURVES[curve]
    compared = 0
    _, distinct = np.unique(np.hstack([values, weights]), axis=0, return_index=True)
    for row in distinct:  # constant ones come again and again
        kept = weights[row] > 0
        if kept.sum() < 3:
            assert table["status"][row] == "too_short"
            continue
        theirs = best_of_curve_fit(function, times[kept], values[row][kept], weights[row][kept])
        assert table["sse"][row] <= theirs + 1e-9, (row, table.loc[row])
        compared += 1
    assert compared > 0.8 * len(distinct) > 0.5 * count


def test_times_that_only_look_like_ones_are_taken_as_they_are():
    """The first step is 1 and the ends are 3 apart, as for times 1, 2, 3, 4."""
    times, values = np.array([1.0, 2.0, 2.5, 4.0]), np.array([[0.9, 0.5, 0.4, 0.1]])
    found = fit(times, values, np.ones((1, 4)), "exponential").loc[0]
    net = np.geomspace(1e-2, 5, 20_000)
    sse = ((np.exp(-net[:, None] * times) - values) ** 2).sum(axis=1)
    assert found["decay_constant"] == pytest.approx(net[sse.argmin()], rel=5e-4)
    assert found["sse"] == pytest.approx(sse.min(), rel=1e-6)


@pytest.mark.parametrize("curve", CURVES)
def test_no_point_of_the_whole_parameter_space_is_better(curve):
    """Every trace against 400 values of λ by 51 of f, s in closed form: no optimiser involved."""
    times, values, weights = points(300, 21, np.random.default_rng(8))
    found = fit(times, values, weights, curve)["sse"].to_numpy()
    clock = np.log1p(times) if curve == "power" else times
    one = curve in ("exponential", "power")
    f = np.array([0.0]) if one else np.linspace(0, 1, 51)
    decay_alone = np.exp(-np.concatenate([[0], np.geomspace(1e-4, LARGEST, 400)])[:, None] * clock)
    shapes = (f[:, None, None] + (1 - f[:, None, None]) * decay_alone).reshape(-1, len(clock)).T
    for rows in np.array_split(np.flatnonzero(~np.isnan(found)), 6):
        y, w = values[rows], weights[rows]
        along, across = (w * y) @ shapes, w @ shapes**2
        scale = np.clip(along / across, 0, 1) if curve == "scaled_exponential" else 1.0
        sse = (w * y**2).sum(axis=1)[:, None] - 2 * scale * along + scale**2 * across
        assert (found[rows] <= sse.min(axis=1) + 1e-9).all()


@pytest.mark.parametrize("curve", CURVES)
def test_a_finer_grid_finds_nothing_better(curve, monkeypatch):
    for epochs, count in ((9, 2000), (21, 2000), (91, 300)):
        traces = points(count, epochs, np.random.default_rng(epochs))
        found = fit(*traces, curve)["sse"]
        fine = np.concatenate([[0.0], np.geomspace(1e-5, LARGEST, 600)])
        with monkeypatch.context() as patch:
            patch.setattr(decay, "GRIDS", dict.fromkeys(decay.GRIDS, fine))
            finer = fit(*traces, curve)["sse"]
        assert found.notna().sum() > count / 2
        assert (found[found.notna()] <= finer[found.notna()] + 1e-9).all()


@pytest.mark.parametrize("curve", CURVES)
def test_the_sse_is_that_of_the_parameters_within_their_bounds(curve):
    times, values, weights = points(900, 25, np.random.default_rng(1))
    table = fit(times, values, weights, curve)
    fitted = table[table["status"].isin(["ok", "at_bound"])]
    assert len(fitted) > 300
    rate, a, c = (fitted[name].to_numpy()[:, None] for name in ("decay_constant", "a", "c"))
    clock = np.log1p(times) if curve == "power" else times
    residual = a * np.exp(-rate * clock) + c - values[fitted.index]
    sse = (weights[fitted.index] * residual**2).sum(axis=1)
    np.testing.assert_allclose(fitted["sse"], sse, atol=1e-10)
    assert (a >= 0).all() and (c >= 0).all() and (a + c <= 1 + 1e-12).all()
    assert (rate >= 0).all() and (rate <= LARGEST).all()


@pytest.mark.parametrize("retention", part_names("retention.dynamics.retention"))
@pytest.mark.parametrize("curve", CURVES)
def test_fits_do_not_depend_on_order_or_company(retention, curve):
    draws = np.random.default_rng(2)
    correct, confidence = correctness(400, 24, draws), draws.random((400, 24))

    def fitted(rows):
        given = arguments_of(retention, correct[rows], confidence[rows])
        return fit(*points_of(retention)(*given), curve)

    whole = fitted(slice(None))
    order = draws.permutation(400)
    permuted = fitted(order)
    np.testing.assert_array_equal(permuted["sse"], whole["sse"].to_numpy()[order])
    np.testing.assert_array_equal(
        permuted["decay_constant"], whole["decay_constant"].to_numpy()[order]
    )
    chunks = [fitted(slice(start, start + 90)) for start in range(0, 400, 90)]
    together = np.concatenate([chunk["sse"] for chunk in chunks])
    np.testing.assert_array_equal(together, whole["sse"])


def test_a_drop_at_once_is_flagged_at_the_bound():
    times, values, weights = aligned(np.array([[1, 0, 0, 0, 0, 0]], dtype=bool))
    table = fit(times, values, weights, "exponential")
    assert table["status"][0] == "at_bound"
    assert table["decay_constant"][0] == LARGEST


def test_where_a_constant_fits_best_no_decay_constant_is_made_up():
    rising = np.array([[1, 0, 0, 1, 1, 1, 1], [1, 0, 1, 0, 1, 0, 1]], dtype=bool)
    table = fit(*aligned(rising), "scaled_exponential")
    assert table["status"].tolist() == ["undetermined"] * 2
    assert table[["decay_constant", "score"]].isna().all(axis=None)
    np.testing.assert_allclose(table[["a", "c"]], [[0, 4 / 6], [0, 3 / 6]])
    np.testing.assert_allclose(table["r_squared"], 0, atol=1e-12)


@pytest.mark.parametrize("curve", CURVES)
def test_standard_errors_are_those_of_curve_fit(curve):
    draws = np.random.default_rng(6)
    times = np.arange(1.0, 26)
    truth = {"exponential_floor": (0.2, 0.4), "scaled_exponential": (0.2, 0.8, 0.5)}
    values = CURVES[curve](times, *truth.get(curve, (0.2,)))
    values = values + draws.normal(0, 0.03, (40, 25))
    weights = np.ones(values.shape)
    table = fit(times, values, weights, curve)
    found = uncertainty(times, weights, table, curve)
    for row in range(40):
        start = truth.get(curve, (0.2,))
        best, covariance = curve_fit(CURVES[curve], times, values[row], p0=start)
        assert table["decay_constant"][row] == pytest.approx(best[0], rel=1e-3)
        error = np.sqrt(covariance[0, 0])
        assert found["standard_error"][row] == pytest.approx(error, rel=1e-3)


def test_aicc_worked_by_hand_and_undefined_where_it_must_be():
    times, values, weights = aligned(np.array([[1, 1, 1, 0, 1, 0, 0], [1] * 7], dtype=bool))
    table = fit(times, values, weights, "exponential")
    found = uncertainty(times, weights, table, "exponential")
    # n = 6, k = 2 (λ and the error variance): 6 ln(SSE/6) + 4 + 12/3
    assert found["aicc"][0] == pytest.approx(6 * np.log(table["sse"][0] / 6) + 8)
    assert found.iloc[1].isna().all()
