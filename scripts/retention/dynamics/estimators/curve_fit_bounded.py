"""scipy.optimize.curve_fit with λ ≥ 0 and a, c in [0, 1], from a = 1, λ = 0.1 per epoch, c = 0."""

import numpy as np

from retention.dynamics.curve import Curve
from retention.dynamics.estimates import Estimates
from retention.dynamics.estimators._curve_fit import fitted, usual_start

ITERATIVE = True
HIGHEST = {"decay_constant": np.inf, "a": 1.0, "c": 1.0}


def estimate(times: np.ndarray, values: np.ndarray, weights: np.ndarray, curve: Curve) -> Estimates:
    """Return what curve_fit finds (trust region reflective)."""
    bounds = ([0.0] * curve.parameters, [HIGHEST[name] for name in curve.order])
    return fitted(times, values, weights, curve, start(curve), bounds)


def start(curve: Curve) -> tuple[float, ...]:
    """Return where it begins."""
    return usual_start(curve)
