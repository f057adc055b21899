"""The scores that a training set may be pruned by, and which end of each is the forgotten one.

All are columns of samples.parquet, but for one_minus_retention, which is made of one.
"""

from collections.abc import Iterable, Mapping
from itertools import product

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
RETENTIONS = ("aligned", "lag", "cumulative", "raw")
CURVES = ("exponential", "exponential_floor", "scaled_exponential", "power")
EVERY_FIT = [
    dict(zip(("retention", "curve"), fit, strict=True)) for fit in product(RETENTIONS, CURVES)
]


def prunable(fits: Iterable[Mapping[str, str]] = EVERY_FIT) -> dict[str, int]:
    """Return the direction of every score that samples.parquet has with these `dynamics.fits`."""
    fitted = {
        f"{fit['retention']}_{fit['curve']}_{column}": direction
        for fit in fits
        for column, direction in FITTED.items()
    }
    return DIRECTIONS | fitted
