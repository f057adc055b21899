"""Least squares of ln R on time: a line through 0 where λ is the only parameter, with an intercept ln a else."""

import numpy as np

from retention.dynamics.curve import Curve
from retention.dynamics.decay_kernel import FLOOR, SCALED
from retention.dynamics.estimates import Estimates

LEAST = 1e-6  # what R is raised to before its logarithm is taken


def estimate(times: np.ndarray, values: np.ndarray, weights: np.ndarray, curve: Curve) -> Estimates:
    """Return the weighted regression of ln max(R, 1e-6) on the curve's clock; c is 0.

    NaN where its points determine no line: no time but 0, and with an intercept fewer than two times.
    """
    clock = curve.clock(times)
    logs = np.log(np.maximum(values, LEAST))
    total, free = weights.sum(axis=1), curve.free == SCALED
    with np.errstate(invalid="ignore", divide="ignore"):
        centre, level = (free * (weights * x).sum(axis=1) / total for x in (clock, logs))
        along = clock - centre[:, None]
        spread = (weights * along**2).sum(axis=1)
        slope = (weights * along * (logs - level[:, None])).sum(axis=1) / spread
    enough = (weights > 0).sum(axis=1) > free
    slope = np.where(enough & (spread > 0), slope, np.nan)
    missing = np.where(np.isnan(slope), np.nan, 0.0)
    a = np.exp(level - slope * centre) + missing
    return Estimates(-slope, a, missing, np.zeros(len(values), dtype=bool))


def refused(curve: Curve) -> str:
    """Return why a curve is not fitted, "" where it is."""
    return "the logarithm of a curve with a free floor is no line" if curve.free == FLOOR else ""
