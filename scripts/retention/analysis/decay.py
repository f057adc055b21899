"""Least-squares decay curves, the global optimum for every trace.

    exponential         e^(−λt)                   exponential_floor   c + (1 − c) e^(−λt)
    power               (1 + t)^(−λ)              scaled_exponential  a e^(−λt) + c, a + c ≤ 1

λ lies in [0, 20] per epoch, a and c are not negative. `decay_kernel` does the work.
"""

import numpy as np
import pandas as pd

from retention.analysis.decay_kernel import EXPONENTIAL, FLAT, FLOOR, SCALED, fit_rows

LINEAR_PARAMETERS = {
    "exponential": EXPONENTIAL,
    "exponential_floor": FLOOR,
    "scaled_exponential": SCALED,
    "power": EXPONENTIAL,
}
CURVES = tuple(LINEAR_PARAMETERS)
LARGEST = 20.0  # per epoch
GRID = np.concatenate([[0.0], np.geomspace(1e-4, LARGEST, 96)])
MINIMUM_POINTS = 3


def fit(times: np.ndarray, values: np.ndarray, weights: np.ndarray, curve: str) -> pd.DataFrame:
    """Fit a curve to N traces by weighted least squares.

    times: float [K]; values, weights: float [N, K], weight 0 where a point is missing.
    Returns [N] rows of decay_constant (per epoch), a, c, score (λ, or the one-step loss where the
    curve has linear parameters), sse, r_squared (NaN on a constant trace) and status: ok,
    constant, at_bound, undetermined (no decay left to date: a = 0 or c = 1), too_short.
    """
    distinct, inverse = _distinct(values, weights)
    table = _fit(times, values[distinct], weights[distinct], curve)
    return table.iloc[inverse].reset_index(drop=True)


def _distinct(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of each kind of trace, and which of these every row is.

    Rows are compared byte by byte: identical traces, which short correctness traces often are, need
    one fit. First rows come in the order of their bytes, so equal weights in succession.
    """
    rows = np.concatenate([weights, values * (weights > 0)], axis=1)
    binary = np.all((rows == 0) | (rows == 1))
    rows = np.packbits(rows.astype(bool), axis=1) if binary else np.ascontiguousarray(rows)
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1])))[:, 0]
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first, inverse


def _fit(times: np.ndarray, values: np.ndarray, weights: np.ndarray, curve: str) -> pd.DataFrame:
    clock = np.log1p(times) if curve == "power" else np.asarray(times, dtype=float)
    total = weights.sum(axis=1)
    usable = (weights > 0).sum(axis=1) >= MINIMUM_POINTS
    fitted = np.full((len(values), 4), np.nan)
    if usable.any():
        shapes = np.exp(-clock[:, None] * GRID)
        kind = LINEAR_PARAMETERS[curve]
        points = [np.ascontiguousarray(v[usable], dtype=float) for v in (values, weights)]
        fitted[usable] = fit_rows(clock, GRID, shapes, *points, kind)
    rate, a, c, sse = fitted.T
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (weights * values).sum(axis=1) / total
        sst = (weights * (values - mean[:, None]) ** 2).sum(axis=1)
        r_squared = np.where(usable & (sst > FLAT), 1 - sse / sst, np.nan)
    held = usable & np.all((values == 1) | (weights == 0), axis=1)
    undetermined = usable & ~held & (a <= 1e-9)
    at_bound = usable & ~held & ~undetermined & (rate == LARGEST)
    status = np.select(
        [~usable, held, undetermined, at_bound],
        ["too_short", "constant", "undetermined", "at_bound"],
        "ok",
    )
    rate = np.where(held, 0.0, np.where(undetermined, np.nan, rate))
    score = rate if has_lambda_alone(curve) else a * -np.expm1(-rate)
    columns = {"decay_constant": rate, "a": a, "c": c, "score": score}
    return pd.DataFrame(columns | {"sse": sse, "r_squared": r_squared, "status": status})


def has_lambda_alone(curve: str) -> bool:
    """Tell whether λ is a curve's only parameter."""
    return LINEAR_PARAMETERS[curve] == EXPONENTIAL
