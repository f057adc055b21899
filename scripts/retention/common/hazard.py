"""The hazard of forgetting: how likely a sample that is known is to be lost in an epoch."""

import numpy as np


def smoothed_hazard(events: np.ndarray, at_risk: np.ndarray) -> np.ndarray:
    """Return (forgetting events + ½) / (epochs at risk + 1), float, of the arguments' shape.

    events, at_risk: whole numbers. The mean of a Beta posterior under Jeffreys' prior; NaN where a
    sample never was at risk.
    """
    return np.where(at_risk > 0, (events + 0.5) / (at_risk + 1), np.nan)


def rate_of(hazard: np.ndarray) -> np.ndarray:
    """Return −ln(1 − h), per epoch: the decay constant of a memory that is lost at this hazard."""
    return -np.log1p(-hazard)
