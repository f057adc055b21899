"""1 − forgetting events so far / number of epochs after first learned, t = 1, 2, … epochs after first learned."""

import numpy as np

from retention.dynamics.points import Points
from retention.dynamics.retention import aligned
from retention.dynamics.retention.aligned import start

__all__ = ["points", "start"]


def points(correct: np.ndarray) -> Points:
    """1 − forgetting events up to t / T; T is the number of epochs after first learned, whatever t is kept."""
    times, values, weights = aligned.points(correct)
    before = np.concatenate([np.ones((len(values), 1)), values[:, :-1]], axis=1)
    events = np.cumsum((before > values) & (weights > 0), axis=1)
    length = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    return times, (1 - events / length) * weights, weights
