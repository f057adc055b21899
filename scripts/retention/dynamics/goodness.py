"""How well a curve describes a trace: the forms of R²."""

from typing import NamedTuple

import numpy as np

from retention.dynamics.decay_kernel import FLAT


class Goodness(NamedTuple):
    """Of N traces and their curves, float [N] but flat.

    points: how many exist; sse: weighted sum of squares about the curve; raw: 1 − SSE/SST, NaN of a flat trace;
    correlation: squared, of trace and curve, weighted; flat: bool, the trace has no variance. NaN where there is no curve.
    """

    points: np.ndarray
    sse: np.ndarray
    raw: np.ndarray
    correlation: np.ndarray
    flat: np.ndarray


def goodness(values: np.ndarray, weights: np.ndarray, curve: np.ndarray) -> Goodness:
    """Return what R² is made of; values, weights, curve: float [N, K], weight 0 where a point is missing.

    The correlation is NaN where the curve is flat, as that of `numpy.corrcoef` is.
    """
    exists = weights > 0
    with np.errstate(all="ignore"):
        residuals = np.where(exists, values - curve, 0.0)
        sse = (weights * residuals**2).sum(axis=1)
        about, around = (_about_mean(array, weights) for array in (values, curve))
        sst, ssc = ((weights * array**2).sum(axis=1) for array in (about, around))
        product = (weights * about * around).sum(axis=1)
        correlation = np.where(_varies(curve, exists), product**2 / (sst * ssc), np.nan)
        raw = np.where(sst > FLAT, 1 - sse / sst, np.nan)
    return Goodness(exists.sum(axis=1).astype(float), sse, raw, correlation, sst <= FLAT)


def r_squared(found: Goodness, form: str) -> np.ndarray:
    """Return R² in one of its forms, float [N]; NaN where the trace is flat, but for r2_score, or has no curve.

    - raw: 1 − SSE/SST, of the trace's own weighted points.
    - clipped: raw, at least 0.
    - squared_correlation: of trace and curve; NaN where the curve is flat, too.
    - r2_score: raw; of a flat trace 1 where the curve meets it exactly and else 0, NaN of fewer than two points. As
      scikit-learn documents `sklearn.metrics.r2_score` (force_finite=True).
    """
    if form == "raw":
        return found.raw
    if form == "clipped":
        return np.maximum(found.raw, 0.0)  # NaN stays
    if form == "squared_correlation":
        return np.where(found.flat, np.nan, found.correlation)
    met = np.where(np.isnan(found.sse), np.nan, (found.sse == 0).astype(float))
    return np.where(found.points < 2, np.nan, np.where(found.flat, met, found.raw))


def _about_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = weights.sum(axis=1, keepdims=True)
    kept = np.where(weights > 0, values, 0.0)
    return np.where(weights > 0, values - (weights * kept).sum(axis=1, keepdims=True) / total, 0.0)


def _varies(curve: np.ndarray, exists: np.ndarray) -> np.ndarray:
    highest = np.where(exists, curve, -np.inf).max(axis=1)
    lowest = np.where(exists, curve, np.inf).min(axis=1)
    return highest > lowest
