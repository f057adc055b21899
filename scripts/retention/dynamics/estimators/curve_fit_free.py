"""scipy.optimize.curve_fit without bounds, from a = 1, λ = 0.1 per epoch, c = 0."""

import numpy as np

from retention.dynamics.curve import Curve
from retention.dynamics.estimates import Estimates
from retention.dynamics.estimators._curve_fit import fitted, usual_start

ITERATIVE = True


def estimate(times: np.ndarray, values: np.ndarray, weights: np.ndarray, curve: Curve) -> Estimates:
    """Return what curve_fit finds (Levenberg–Marquardt)."""
    return fitted(times, values, weights, curve, start(curve))


def start(curve: Curve) -> tuple[float, ...]:
    """Return where it begins."""
    return usual_start(curve)
