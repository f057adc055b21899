"""The scores that a training set may be pruned by, and which end of each is the forgotten one.

All are columns of samples.parquet, but for one_minus_retention, which is made of one.
"""

from collections.abc import Iterable, Mapping
from itertools import product

from retention.common.parts import part_names

# Columns whose NaN says something, last_forgotten (never) and learned_for_good (not at the end), are none:
# a sample without a score is kept by lot.
LARGER, SMALLER = 1, -1  # the more forgotten, or the harder to learn, a sample is
DIRECTIONS = {
    "decay_constant": LARGER,
    "decay_constant_from_1": LARGER,
    "hazard": LARGER,
    "forgetting_events": LARGER,
    "one_minus_retention": LARGER,
    "mean_retention": SMALLER,
    "half_life": SMALLER,
    "unforgettable": SMALLER,
    "first_learned": LARGER,
    "confidence": SMALLER,
    "aum": SMALLER,
    "variability": LARGER,
    "error_norm": LARGER,
    "loss_0": LARGER,
}
# Of a fit. Its decay constant alone ranks no samples where the curve has a floor or a scale: score does.
FITTED = {"score": LARGER, "half_life": SMALLER}
OF_LOST_ONES = (
    "from_first_loss"  # a trace that samples never lost do not have: it ranks none of them
)
ROOMS = {"retention": "retention.dynamics.retention", "curve": "retention.dynamics.curves"}


def every_fit() -> list[dict[str, str]]:
    """Return all pairs of a retention trace and a curve, as `dynamics.fits` has them."""
    return [dict(zip(ROOMS, fit, strict=True)) for fit in product(*map(part_names, ROOMS.values()))]


def prunable(fits: Iterable[Mapping[str, str]] | None = None) -> dict[str, int]:
    """Return the direction of every score that samples.parquet has with these `dynamics.fits`.

    fits: all that there are, where left out.
    """
    fits = every_fit() if fits is None else fits
    fitted = {
        f"{fit['retention']}_{fit['curve']}_{column}": direction
        for fit in fits
        if fit["retention"] != OF_LOST_ONES
        for column, direction in FITTED.items()
    }
    return DIRECTIONS | fitted
