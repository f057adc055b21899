"""Wickelgren's curve: (1 + t)^(−λ), halved after 2^(1/λ) − 1 epochs."""

import numpy as np

from retention.dynamics.curve import Curve
from retention.dynamics.decay_kernel import EXPONENTIAL


def half_life(rate: np.ndarray) -> np.ndarray:
    """Return 2^(1/λ) − 1."""
    return np.exp2(1 / rate) - 1


def written(time: np.ndarray, rate: float) -> np.ndarray:
    """Return (1 + t)^(−λ)."""
    return (1 + time) ** (-rate)


CURVE = Curve(EXPONENTIAL, clock=np.log1p, half_life=half_life, written=written)
