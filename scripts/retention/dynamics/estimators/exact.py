"""The global least-squares optimum within bounds, λ in [0, 20], a, c ≥ 0, a + c ≤ 1 (`retention.dynamics.decay`)."""

import numpy as np

from retention.dynamics.curve import Curve
from retention.dynamics.decay import fit_chosen
from retention.dynamics.estimates import Estimates


def estimate(times: np.ndarray, values: np.ndarray, weights: np.ndarray, curve: Curve) -> Estimates:
    """Return the optimum; NaN of traces of fewer than `MINIMUM_POINTS` points, λ NaN where a constant fits best."""
    table = fit_chosen(times, values, weights, np.arange(len(values)), curve)
    names = ("decay_constant", "a", "c", "score", "r_squared")
    rate, a, c, score, r_squared = (table[name].to_numpy() for name in names)
    status = table["status"].to_numpy(dtype=str)
    return Estimates(rate, a, c, np.zeros(len(values), dtype=bool), score, r_squared, status)
