"""F4: class labels change places among whole groups, the same for all runs.

Where classes are not what samples are forgotten by, a group could as well be of another class.
"""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256

import numpy as np

from retention.findings.class_forgetting.structure import class_rates
from retention.multiverse.combinations import Combination
from retention.multiverse.estimates.class_forgetting import (
    STATISTIC,
    compared_runs,
    concordances,
    summed,
)
from retention.multiverse.exchanged import PLAIN, NotTestable, Permuted
from retention.multiverse.frame import Frame
from retention.multiverse.scores import Scores

VERSIONS, TWO_SIDED, AVERAGED = (PLAIN,), False, True
EXHAUSTIVE = False
__all__ = ["AVERAGED", "EXHAUSTIVE", "STATISTIC", "TWO_SIDED", "VERSIONS", "permuted", "said"]


def permuted(
    frame: Frame, scores: Scores, listed: Sequence[Combination], version: str, times: int
) -> Permuted:
    """Return the numbers in the data and under each labelling, those that the p of each combination rests on."""
    number, classes = len(frame.setting.class_names), frame.setting.classes
    if number < 2:
        raise NotTestable("there is one class")
    found: Permuted = {}
    known: dict[bytes, dict[str, np.ndarray]] = {}
    for one in listed:
        sums, mass = summed(scores, one.levels)
        key = sha256(np.stack([sums, mass]).tobytes()).digest()
        if key not in known:
            rates = partial(_rates, sums, mass, frame.setting.once, number)
            values = np.concatenate([rates(classes[None, :]), frame.labellings.over(rates)[:times]])
            of_runs = compared_runs(frame.study)
            known[key] = {name: concordances(values[:, rows]) for name, rows in of_runs.items()}
        for name, numbers in known[key].items():
            found[one.number, name] = numbers
    return found


def said(frame: Frame, version: str) -> str:
    """Return what to say of the exchanges themselves."""
    return ""


def _rates(
    sums: np.ndarray, mass: np.ndarray, once: np.ndarray, number: int, labels: np.ndarray
) -> np.ndarray:
    return class_rates(sums, mass, labels, once, number)
