"""What a few events leave open, which resampling them cannot show: those that might as well have been there.

Limits of a Poisson count (Garwood, Biometrika 28, 437, 1936): a count of 0 is compatible with up to 3.69.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import chi2

LEVEL = 0.95
UNSEEN = float(chi2.isf((1 - LEVEL) / 2, 2) / 2)  # the upper limit of a count of 0
FEW = 10  # from so many on resampling sees about as much


def poisson_limits(count: int) -> tuple[float, float]:
    """Return the 95 % limits of the mean of a Poisson count."""
    tail = (1 - LEVEL) / 2
    low = chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.isf(tail, 2 * count + 2) / 2)


def together(events: np.ndarray, groups: np.ndarray) -> float:
    """Return how many samples of a group have the event where any has it, the mean over runs and groups, 1 or more.

    events: bool [R, N]; groups: int [N], from 0. What groups have in common comes or stays away as one.
    """
    with_any = sum(len(np.unique(groups[row])) for row in events)
    return float(events.sum() / with_any) if with_any else 1.0


def of_unseen(
    first: np.ndarray,
    second: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    groups: np.ndarray | None = None,
) -> float:
    """Return by how much the mean over pairs of φ would rise by the shared events that 0 seen ones leave open.

    first, second: bool [R, N], who had an event, a pair is a row of each. One more sample that both have raises the φ
    of a pair by 1/(N s t), s and t the standard deviations of the two rows. groups: int [N], from 0; what is not seen then
    are so many groups, with as many samples each as had it `together`. NaN where no pair has two rows that vary.
    """
    deviations = [np.std(rows.astype(float), axis=1) for rows in (first, second)]
    products = np.array([deviations[0][i] * deviations[1][j] for i, j in pairs])
    products = products[products > 0]
    if not len(products):
        return float("nan")
    each = 1.0 if groups is None else together(np.concatenate([first, second]), groups)
    return each * UNSEEN * float(np.mean(1 / (first.shape[1] * products))) / len(products)
