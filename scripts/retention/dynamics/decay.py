"""Least-squares decay curves, the global optimum for every trace.

The curves are the modules of `retention.dynamics.curves`. λ lies in [0, 20] per epoch, a and c are not negative. `decay_kernel` does the work.
"""

import numpy as np
import pandas as pd

from retention.dynamics.curve import Curve, curve_of
from retention.dynamics.decay_kernel import EXPONENTIAL, FLAT, FLOOR, SCALED, fit_rows
from retention.dynamics.distinct import distinct_traces

LARGEST = 20.0  # per epoch
# Where each profile is looked at. Of λ alone it is smoother than where a or c can reach a bound, and
# a coarser grid will do. Tests hold the fits against finer grids.
GRIDS = {
    kind: np.concatenate([[0.0], np.geomspace(1e-4, LARGEST, count)])
    for kind, count in ((EXPONENTIAL, 66), (FLOOR, 96), (SCALED, 96))
}
MINIMUM_POINTS = 3
STATUSES = pd.array(["ok", "too_short", "constant", "undetermined", "at_bound"], dtype="str")


def fit(times: np.ndarray, values: np.ndarray, weights: np.ndarray, curve: str) -> pd.DataFrame:
    """Fit a curve to N traces by weighted least squares.

    times: float [K]; values, weights: float [N, K], weight 0 where a point is missing.
    Returns [N] rows of decay_constant (per epoch), a, c, score (λ, or the one-step loss where the
    curve has linear parameters), sse, r_squared (NaN on a constant trace) and status: ok,
    constant, at_bound, undetermined (a constant fits best: a = 0 or c = 1), too_short.
    """
    distinct, inverse = distinct_traces(values, weights)
    found = fit_chosen(times, values, weights, distinct, curve_of(curve))
    return found.iloc[inverse].reset_index(drop=True)


def fit_chosen(
    times: np.ndarray, values: np.ndarray, weights: np.ndarray, rows: np.ndarray, curve: Curve
) -> pd.DataFrame:
    """Return what `fit` returns, of the traces `rows`, int [M], each fitted on its own."""
    clock, kind = curve.clock(times), curve.free
    shapes = np.exp(-clock[:, None] * GRIDS[kind])
    values, weights = (np.ascontiguousarray(array, dtype=float) for array in (values, weights))
    fitted = fit_rows(clock, GRIDS[kind], shapes, values, weights, rows, MINIMUM_POINTS, kind)
    rate, a, c, sse, sst, held = fitted.T
    with np.errstate(invalid="ignore", divide="ignore"):
        r_squared = np.where(sst > FLAT, 1 - sse / sst, np.nan)
    held = held == 1
    # At λ = 0 a scaled curve is the constant a + c, which every other λ reaches with a = 0.
    undetermined = ~held & ((a <= 1e-9) | ((rate == 0) & (kind == SCALED)))
    a, c = np.where(undetermined, 0.0, a), np.where(undetermined, a + c, c)
    at_bound = ~held & ~undetermined & (rate == LARGEST)
    status = np.select([np.isnan(a), held, undetermined, at_bound], range(1, 5), 0)
    rate = np.where(held, 0.0, np.where(undetermined, np.nan, rate))
    score = rate if curve.has_lambda_alone else a * -np.expm1(-rate)
    columns = {"decay_constant": rate, "a": a, "c": c, "score": score}
    columns |= {"sse": sse, "r_squared": r_squared, "status": STATUSES.take(status)}
    return pd.DataFrame(columns)


def half_life(rate: np.ndarray, curve: str) -> np.ndarray:
    """Return the epochs after which what decays is halved, [N]; infinite where λ is 0."""
    with np.errstate(divide="ignore", over="ignore"):
        return curve_of(curve).half_life(rate)
