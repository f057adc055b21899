"""Least-squares decay curves, the global optimum for every trace.

The curves are the modules of `retention.dynamics.curves`. λ lies in [0, 20] per epoch, a and c are not negative. `decay_kernel` does the work.
"""

import numpy as np
import pandas as pd

from retention.dynamics.curve import curve_of
from retention.dynamics.decay_kernel import EXPONENTIAL, FLAT, FLOOR, SCALED, fit_rows

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
    distinct, inverse = _distinct(values, weights)
    return _fit(times, values, weights, distinct, curve).iloc[inverse].reset_index(drop=True)


def _distinct(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of each kind of trace, and which of these every row is.

    Rows are compared byte by byte: identical traces, which short correctness traces often are, need
    one fit. Rows of equal weights mostly come in succession.
    """
    rows = np.concatenate([weights, values * (weights > 0)], axis=1)
    if np.all((rows == 0) | (rows == 1)):
        rows = np.packbits(rows.astype(bool), axis=1)
    bytes_each = rows.dtype.itemsize * rows.shape[1]
    # NumPy compares integers and strings quickly, opaque bytes slowly.
    keys = np.ascontiguousarray(rows).view("u8" if bytes_each == 8 else f"S{bytes_each}")[:, 0]
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first, inverse


def _fit(
    times: np.ndarray, values: np.ndarray, weights: np.ndarray, rows: np.ndarray, curve: str
) -> pd.DataFrame:
    declared = curve_of(curve)
    clock, kind = declared.clock(times), declared.free
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
    score = rate if declared.has_lambda_alone else a * -np.expm1(-rate)
    columns = {"decay_constant": rate, "a": a, "c": c, "score": score}
    columns |= {"sse": sse, "r_squared": r_squared, "status": STATUSES.take(status)}
    return pd.DataFrame(columns)


def half_life(rate: np.ndarray, curve: str) -> np.ndarray:
    """Return the epochs after which what decays is halved, [N]; infinite where λ is 0."""
    with np.errstate(divide="ignore", over="ignore"):
        return curve_of(curve).half_life(rate)
