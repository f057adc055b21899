"""What a few events leave open, which resampling them cannot show: those that might as well have been there.

Limits of a Poisson count (Garwood, Biometrika 28, 437, 1936): a count of 0 is compatible with up to 3.69.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import chi2

from retention.statistics.top_fractions import top_probability

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


def of_unseen_in_top(
    first: np.ndarray,
    second: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    fraction: float,
    each: float = 1.0,
) -> float:
    """Return by how much the mean Jaccard of top fractions would rise by the shared events that 0 seen ones leave open.

    first, second: float [R, N], scores, NaN where a run has none. q being a sample's probability to be among the top k
    by lot, one more sample that both have, in the place of two that one has each, raises the expected intersection I
    by (1 − q)(1 − q'), and the Jaccard I/(2k − I) by 2k/(2k − I)² times that. each: how many samples have an event
    `together`. NaN where there is no top.
    """
    found = []
    for i, j in pairs:
        kept = np.isfinite(first[i]) & np.isfinite(second[j])
        tops = [top_probability(values[kept], fraction) for values in (first[i], second[j])]
        twice = sum(one.sum() for one in tops)
        if twice > 0:
            gained = np.prod([1 - one.min() for one in tops])
            found.append(gained * twice / (twice - tops[0] @ tops[1]) ** 2)
    return each * UNSEEN * float(np.mean(found)) / len(found) if found else float("nan")


def of_unseen_among(
    first: np.ndarray,
    second: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    groups: np.ndarray,
) -> float:
    """Return the like for ρ among the samples that either run of a pair has an event of.

    first, second: bool [R, N]. Of m and m' events, I of them shared, φ there is −√((m − I)(m' − I) / (m m')): one more
    shared event raises it by about 1/√(m m'). NaN where no pair has events in both runs.
    """
    numbers = np.array([first[i].sum() * second[j].sum() for i, j in pairs], dtype=float)
    numbers = numbers[numbers > 0]
    if not len(numbers):
        return float("nan")
    each = together(np.concatenate([first, second]), groups)
    return each * UNSEEN * float(np.mean(1 / np.sqrt(numbers))) / len(numbers)
