"""Probability of the label's class t epochs after first learned, t = 1, 2, …"""

import numpy as np

from retention.dynamics.events import first_learned
from retention.dynamics.points import Points
from retention.dynamics.retention import aligned

NEEDS = "confidence"
SINGLE = True


def points(correct: np.ndarray, confidence: np.ndarray) -> Points:
    """Probability of the label's class t epochs after first learned, t = 1, 2, …

    correct: bool [N, E]; confidence: float [N, E], 0 to 1.
    """
    times, _, weights = aligned.points(correct)
    samples, epochs = correct.shape
    first = np.nan_to_num(first_learned(correct), nan=epochs).astype(int)
    position = np.minimum(first[:, None] + times.astype(int), epochs - 1)
    values = np.where(weights > 0, confidence[np.arange(samples)[:, None], position], 0.0)
    return times, values.astype(float), weights


def start(correct: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Return the probability at first learned, which is not 1 by definition; NaN without it, float [N]."""
    first = first_learned(correct)
    found = confidence[np.arange(len(correct)), np.nan_to_num(first).astype(int)]
    return np.where(np.isnan(first), np.nan, found)
