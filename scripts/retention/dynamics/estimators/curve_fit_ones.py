"""scipy.optimize.curve_fit without bounds, from scipy's own start: all parameters 1."""

import numpy as np

from retention.dynamics.curve import Curve
from retention.dynamics.estimates import Estimates
from retention.dynamics.estimators._curve_fit import fitted

ITERATIVE = True


def estimate(times: np.ndarray, values: np.ndarray, weights: np.ndarray, curve: Curve) -> Estimates:
    """Return what curve_fit finds (Levenberg–Marquardt)."""
    return fitted(times, values, weights, curve, start(curve))


def start(curve: Curve) -> tuple[float, ...]:
    """Return where it begins."""
    return (1.0,) * curve.parameters
