"""Correctness t epochs after first learned, t = 1, 2, …"""

import numpy as np

from retention.dynamics.events import first_learned
from retention.dynamics.points import Points


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
