"""How reliable a mean of several measures is, from what two of them agree on."""

from typing import Any, TypeVar

import numpy as np

Value = TypeVar("Value", float, np.ndarray)

WANTED_RELIABILITY = 0.8


def spearman_brown(correlation: Value, length: float) -> Value:
    """Return the reliability of a measure `length` times as long (Spearman 1910, Brown 1910).

    Halves that disagree are no parallel measures; what the formula makes of them ends at −1.
    """
    below = 1 + (length - 1) * np.asarray(correlation)
    with np.errstate(divide="ignore"):
        found = np.maximum(np.divide(length * correlation, below), -1.0)
    ended: Any = np.where(below > 0, found, np.where(np.isnan(below), np.nan, -1.0))[()]
    return ended


def seeds_needed(correlation: float) -> float:
    """Return how many seeds' mean score is reliable to 0.8; infinite where they do not agree."""
    if np.isnan(correlation):
        return float("nan")
    odds = WANTED_RELIABILITY / (1 - WANTED_RELIABILITY)
    return (1 - correlation) / correlation * odds if correlation > 0 else float("inf")
