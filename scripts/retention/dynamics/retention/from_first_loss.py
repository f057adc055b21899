"""Correctness from the first loss on, t = 0 there: how a lost sample comes back. Samples never lost have no point."""

import numpy as np

from retention.dynamics.events import events
from retention.dynamics.points import Points

SINGLE = True


def points(correct: np.ndarray) -> Points:
    """Correctness t epochs after the first forgetting event, t = 0, 1, …; it is 0 at t = 0."""
    samples, epochs = correct.shape
    lost, _ = events(correct)
    first = np.where(lost.any(axis=1), lost.argmax(axis=1) + 1, epochs)
    times = np.arange(epochs - 1)
    position = first[:, None] + times
    exists = position < epochs
    values = correct[np.arange(samples)[:, None], np.minimum(position, epochs - 1)] & exists
    return times.astype(float), values.astype(float), exists.astype(float)
