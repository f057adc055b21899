"""The running mean of `aligned`, its forced start t = 0 counted in."""

import numpy as np

from retention.dynamics.points import Points
from retention.dynamics.retention import aligned
from retention.dynamics.retention.aligned import start

__all__ = ["points", "start"]


def points(correct: np.ndarray) -> Points:
    """The running mean of `aligned`, its forced start t = 0 counted in."""
    times, values, weights = aligned.points(correct)
    return times, (1 + np.cumsum(values, axis=1)) / (1 + times) * weights, weights
