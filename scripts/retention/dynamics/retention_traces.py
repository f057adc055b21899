"""Retention traces: the curves derived from correctness that decay curves are fitted to.

Each function takes correct, bool [N, E], and returns (times [K], values [N, K], weights [N, K]);
weight 0 marks a point that does not exist. The forced point t = 0 is left out (not of `raw`).
"""

import numpy as np

from retention.dynamics.events import first_learned

Points = tuple[np.ndarray, np.ndarray, np.ndarray]
MINIMUM_ANCHORS = 3


def aligned(correct: np.ndarray) -> Points:
    """Correctness t epochs after first learned, t = 1, 2, …"""
    samples, epochs = correct.shape
    times = np.arange(1, epochs)
    first = first_learned(correct)
    position = np.nan_to_num(first, nan=epochs).astype(int)[:, None] + times
    exists = position < epochs
    rows = np.arange(samples)[:, None]
    values = correct[rows, np.minimum(position, epochs - 1)] & exists
    return times.astype(float), values.astype(float), exists.astype(float)


def cumulative(correct: np.ndarray) -> Points:
    """The running mean of `aligned`, its forced start t = 0 counted in."""
    times, values, weights = aligned(correct)
    return times, (1 + np.cumsum(values, axis=1)) / (1 + times) * weights, weights


def lag(correct: np.ndarray) -> Points:
    """P(correct Δ epochs after an epoch at which it was correct), weighted by its n(Δ)."""
    epochs = correct.shape[1]
    lags = np.arange(1, (epochs - 1) // 2 + 1)
    pairs = [(correct[:, :-step], correct[:, step:]) for step in lags]
    anchors = np.stack([start.sum(axis=1) for start, _ in pairs], axis=1).astype(float)
    kept = np.stack([(start & end).sum(axis=1) for start, end in pairs], axis=1)
    weights = np.where(anchors >= MINIMUM_ANCHORS, anchors, 0.0)
    values = np.where(weights > 0, kept / np.maximum(anchors, 1), 0.0)
    return lags.astype(float), values, weights


def raw(correct: np.ndarray) -> Points:
    """Correctness from epoch 0 on."""
    times = np.arange(correct.shape[1], dtype=float)
    return times, correct.astype(float), np.ones(correct.shape)


RETENTION_TRACES = {"aligned": aligned, "lag": lag, "cumulative": cumulative, "raw": raw}
