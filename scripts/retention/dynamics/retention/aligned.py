"""Correctness t epochs after first learned, t = 1, 2, …"""

import numpy as np

from retention.dynamics.events import first_learned
from retention.dynamics.points import Points

SINGLE = True


def points(correct: np.ndarray) -> Points:
    """Correctness t epochs after first learned, t = 1, 2, …"""
    samples, epochs = correct.shape
    times = np.arange(1, epochs)
    first = first_learned(correct)
    position = np.nan_to_num(first, nan=epochs).astype(int)[:, None] + times
    exists = position < epochs
    rows = np.arange(samples)[:, None]
    values = correct[rows, np.minimum(position, epochs - 1)] & exists
    return times.astype(float), values.astype(float), exists.astype(float)


def start(correct: np.ndarray) -> np.ndarray:
    """Return 1, which correctness is at first learned by definition; NaN for samples that never are, float [N]."""
    return np.where(correct.any(axis=1), 1.0, np.nan)
