"""How sure a decay fit is: AICc to choose between curves, and the standard error of λ.

For `aligned` only: its points are single observations; those of `lag` overlap and are dependent.
"""

import numpy as np
import pandas as pd

from retention.dynamics.curve import curve_of
from retention.dynamics.decay_kernel import FLAT, FLOOR, SCALED


def uncertainty(
    times: np.ndarray, weights: np.ndarray, fitted: pd.DataFrame, curve: str
) -> pd.DataFrame:
    """Return aicc and standard_error [N] of the fits of `decay.fit` to the same points.

    AICc = n ln(SSE/n) + 2k + 2k(k+1)/(n−k−1), the error variance counted among the k parameters
    (Hurvich & Tsai, Biometrika 76, 1989); NaN for a perfect fit or too few points. The standard
    error is that of the linearised least squares, √(SSE/(n−p) · [(JᵀWJ)⁻¹]_λλ); NaN where a
    parameter is at a bound, for which it does not hold.
    """
    number = (weights > 0).sum(axis=1)
    sse, free = fitted["sse"].to_numpy(), curve_of(curve).parameters
    k = free + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        aicc = number * np.log(sse / number) + 2 * k + 2 * k * (k + 1) / (number - k - 1)
        variance = sse / (number - free)
    aicc = np.where((sse > FLAT) & (number > k + 1), aicc, np.nan)
    inside = _inside(fitted, curve) & (number > free)
    error = np.full(len(fitted), np.nan)
    if inside.any():
        jacobian = _jacobian(times, fitted[inside], curve)
        information = np.einsum("nkp,nk,nkq->npq", jacobian, weights[inside], jacobian)
        regular = np.linalg.cond(information) < 1e12
        rows = np.flatnonzero(inside)[regular]
        inverse = np.linalg.inv(information[regular])[:, 0, 0]
        error[rows] = np.sqrt(variance[rows] * inverse)
    return pd.DataFrame({"aicc": aicc, "standard_error": error})


def _inside(fitted: pd.DataFrame, curve: str) -> np.ndarray:
    rate, a, c = (fitted[name].to_numpy() for name in ("decay_constant", "a", "c"))
    inside = (fitted["status"] == "ok").to_numpy() & (rate > 0)
    if curve_of(curve).parameters > 1:
        inside &= (c > 0) & (a > 0)
    if curve_of(curve).parameters > 2:
        inside &= a + c < 1 - 1e-12
    return inside


def _jacobian(times: np.ndarray, fitted: pd.DataFrame, curve: str) -> np.ndarray:
    """Return the derivatives of the curve to λ and to its free linear parameters, [N, K, p]."""
    declared = curve_of(curve)
    clock = declared.clock(times)
    rate, a = (fitted[name].to_numpy()[:, None] for name in ("decay_constant", "a"))
    shape = np.exp(-rate * clock)
    columns = [-a * clock * shape]
    if declared.free == FLOOR:
        columns.append(1 - shape)
    elif declared.free == SCALED:
        columns += [shape, np.ones_like(shape)]
    return np.stack(columns, axis=2)
