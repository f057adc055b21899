"""1 from first learned to the first loss, 0 from the first loss on, t = 1, 2, … epochs after first learned.

The survival of the first memory: what is learned again stays lost.
"""

import numpy as np

from retention.dynamics.points import Points
from retention.dynamics.retention import aligned
from retention.dynamics.retention.aligned import start

__all__ = ["points", "start"]


def points(correct: np.ndarray) -> Points:
    """Whether a sample was not lost yet, t = 1, 2, … epochs after first learned."""
    times, values, weights = aligned.points(correct)
    return times, np.minimum.accumulate(values, axis=1), weights
