"""P(correct Δ epochs after an epoch at which it was correct), weighted by its n(Δ)."""

import numpy as np

from retention.dynamics.points import Points

MINIMUM_ANCHORS = 3


def points(correct: np.ndarray) -> Points:
    """P(correct Δ epochs after an epoch at which it was correct), weighted by its n(Δ)."""
    epochs = correct.shape[1]
    lags = np.arange(1, max((epochs - 1) // 2, 1) + 1)
    pairs = [(correct[:, :-step], correct[:, step:]) for step in lags]
    anchors = np.stack([start.sum(axis=1) for start, _ in pairs], axis=1).astype(float)
    kept = np.stack([(start & end).sum(axis=1) for start, end in pairs], axis=1)
    weights = np.where(anchors >= MINIMUM_ANCHORS, anchors, 0.0)
    values = np.where(weights > 0, kept / np.maximum(anchors, 1), 0.0)
    return lags.astype(float), values, weights
