"""Spaced repetition, after the decay of memory in other runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.sampling.declaration import Sampler, Sources
from retention.sampling.keys import SCORED

if TYPE_CHECKING:
    import numpy as np

SAMPLER = Sampler(
    presentations="in proportion to λ*, the larger of its decay constant λ and its smoothed hazard, ¼ to 3",
    keys=SCORED,
    scheduled=True,
)


def scores(sources: Sources) -> dict[str, np.ndarray]:
    """Return λ*, the decay constant λ and the hazard of samples that have a λ, float [R, N] each."""
    import numpy as np

    decay, hazard = (sources.column(name) for name in ("decay_constant", "hazard"))
    hazard = np.where(np.isnan(decay), np.nan, hazard)
    weights = review_weights(decay, hazard)
    return {"review_weight": weights, "decay_constant": decay, "hazard": hazard}


def facts(sources: Sources) -> dict[str, str]:
    """Return how often λ has no say."""
    names = ("decay_constant", "hazard", "forgetting_events")
    return {"below_hazard": f"{below_hazard(*map(sources.column, names)):.4f}"}


def review_weights(decay_constant: np.ndarray, hazard: np.ndarray) -> np.ndarray:
    """Return λ* = max(λ, −ln(1 − h)), float, of the arguments' shape; NaN where λ is.

    h: (forgetting events + ½) / (epochs at risk + 1), the `hazard` of samples.parquet, which
    `adaptive_spaced_repetition` follows too. λ is fitted to a whole trace by least squares: a sample lost once and soon
    regained has a λ far below the rate at which it was lost. Alone it would rank such a sample among
    those that never were forgotten (λ = 0), which may still be lost at the rate of (0 + ½) / (n + 1).
    """
    import numpy as np

    from retention.common.hazard import rate_of

    return np.where(np.isnan(decay_constant), np.nan, np.fmax(decay_constant, rate_of(hazard)))


def below_hazard(decay: np.ndarray, hazard: np.ndarray, events: np.ndarray) -> float:
    """Return the share of forgotten samples whose λ says less than their hazard, over runs [R, N].

    Near 1, the rates are those of the hazards and λ has hardly a say; NaN where none was forgotten.
    """
    import numpy as np

    from retention.common.hazard import rate_of

    forgotten = (events > 0) & ~np.isnan(decay)
    smaller = decay[forgotten] < rate_of(hazard[forgotten])
    return float(smaller.mean()) if forgotten.any() else np.nan
