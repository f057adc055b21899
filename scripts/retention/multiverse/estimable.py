"""Whether a combination's number rests on enough to be told, and why there is none.

With a handful of samples a resample is one of a few sets, so intervals and p say nothing. The study's own combination is
told as its finding has it.
"""

import numpy as np

from retention.common.lists import plural
from retention.multiverse.choices import CLASS_VALUE, TOP_FRACTION, Levels
from retention.multiverse.frame import Estimate

SAMPLES = 10  # the fewest that a number is told of, the mean over the runs compared
PLACES = 3  # of a top fraction
CLASSES = 3  # that are ranked


def why_not(one: Estimate, levels: Levels) -> str:
    """Return why an estimate is not told, "" where it is."""
    if one.note and not one.n:  # nothing is compared at all
        return one.note
    return _too_few(one.n, levels) or (
        "" if np.isfinite(one.interval.estimate) else _alike(one.n, levels)
    )


def _too_few(number: int, levels: Levels) -> str:
    if CLASS_VALUE in levels:
        if number < CLASSES:
            return f"{plural(number, 'class', 'classes')} with a value in every run, fewer than {CLASSES}"
        return ""
    if number < SAMPLES:
        return f"{plural(number, 'sample')}, fewer than {SAMPLES}"
    if TOP_FRACTION in levels:
        places = round(float(levels[TOP_FRACTION]) * number)
        if places < PLACES:
            return f"{plural(places, 'place')} in the top fraction of {number} samples, fewer than {PLACES}"
    return ""


def _alike(number: int, levels: Levels) -> str:
    """Return why there is no number though it could rest on enough."""
    adjusted = levels.get("class") == "adjusted"
    if TOP_FRACTION in levels:
        return (
            "no class has a place in its top fraction"
            if adjusted
            else "no pair of runs has a place in its top fraction"
        )
    what = "classes" if CLASS_VALUE in levels else "samples"
    inside = " of a class" if adjusted else ""
    return f"the {number} {what}{inside} have equal values in a run, and equal values have no order"
