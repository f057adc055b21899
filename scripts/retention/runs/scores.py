"""Scores: per-sample numbers that rank samples as forgotten, the larger the more."""

import numpy as np
import pandas as pd

from retention.common.errors import UserError

SCORES = ("decay_constant", "hazard", "forgetting_events", "one_minus_retention")


def score_of(samples: pd.DataFrame, name: str) -> np.ndarray:
    """Return a score, float [N]; NaN where it is not defined (never learned, too short)."""
    if name not in SCORES:
        raise UserError(f"score: {name!r} is unknown; known are {', '.join(SCORES)}")
    if name == "one_minus_retention":
        return 1 - samples["mean_retention"].to_numpy(dtype=float)
    values = samples[name].to_numpy(dtype=float)
    # A sample that was never learned was never forgotten either: it has no count.
    return np.where(samples["never_learned"], np.nan, values)
