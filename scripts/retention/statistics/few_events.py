"""What a few events leave open, which resampling them cannot show: those that might as well have been there.

Limits of a Poisson count (Garwood, Biometrika 28, 437, 1936): a count of 0 is compatible with up to 3.69.
"""

import numpy as np
from scipy.stats import chi2

from retention.statistics.ranks import Pairs
from retention.statistics.top_fractions import top_probability

LEVEL = 0.95
UNSEEN = float(chi2.isf((1 - LEVEL) / 2, 2) / 2)  # the upper limit of a count of 0
FEW = 10  # from so many on resampling sees about as much


def poisson_limits(count: int) -> tuple[float, float]:
    """Return the 95 % limits of the mean of a Poisson count."""
    tail = (1 - LEVEL) / 2
    low = chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.isf(tail, 2 * count + 2) / 2)


def more_than(events: float) -> float:
    """Return by how much the mean of a Poisson count may be above a count of `events`, which need not be whole."""
    return float(chi2.isf((1 - LEVEL) / 2, 2 * events + 2) / 2 - events)


def as_many_events(of_groups: np.ndarray) -> float:
    """Return as how many events of equal weight a sum counts: (Σb)² / Σb² (Kish, Survey Sampling, 1965), 0 of nothing."""
    squares = float(np.sum(of_groups**2))
    return float(np.sum(of_groups)) ** 2 / squares if squares else 0.0


def together(events: np.ndarray, groups: np.ndarray) -> float:
    """Return how many samples of a group have the event where any has it, the mean over runs and groups, 1 or more.

    events: bool [R, N]; groups: int [N], from 0. What groups have in common comes or stays away as one.
    """
    with_any = sum(len(np.unique(groups[row])) for row in events)
    return float(events.sum() / with_any) if with_any else 1.0


def unseen(events: np.ndarray, groups: np.ndarray) -> float:
    """Return how many shared samples, summed over pairs of runs, 0 seen ones leave open: groups, as they are `together`."""
    return together(events, groups) * UNSEEN


def unseen_beyond(first: np.ndarray, second: np.ndarray, pairs: Pairs, groups: np.ndarray) -> float:
    """Return how many more shared samples than were seen might be expected, summed over the pairs.

    first, second: bool [R, N]; groups: int [N], from 0. What is hard is shared by many pairs at once: with b_g the pairs
    and samples of group g that are shared, Σb is a sum of about K events (`as_many_events`), whose Poisson limit is above K
    by so many events of Σb / K each. Of frequent events the numbers of the runs fix how many are
    shared but for a part (1 − m/N)(1 − m'/N). As none may have been seen, it is no less than `unseen`.
    """
    shared = np.zeros(int(groups.max()) + 1)
    for i, j in pairs:
        shared += np.bincount(groups[first[i] & second[j]], minlength=len(shared))
    least, events = unseen(np.concatenate([first, second]), groups), as_many_events(shared)
    if not events:
        return least
    rest = [1 - rows.mean(axis=1) for rows in (first, second)]
    open_part = np.mean([rest[0][i] * rest[1][j] for i, j in pairs])
    return max(least, float(more_than(events) * shared.sum() / events * open_part))


def worth(first: np.ndarray, second: np.ndarray, pairs: Pairs) -> float:
    """Return by how much the mean over pairs of φ rises by one more sample that both runs of a pair have.

    first, second: bool [R, N], who had an event, a pair is a row of each. It raises the φ of its pair by 1/(N s t), s and t
    the standard deviations of the two rows. NaN where no pair has two rows that vary.
    """
    deviations = [np.std(rows.astype(float), axis=1) for rows in (first, second)]
    products = np.array([deviations[0][i] * deviations[1][j] for i, j in pairs])
    return _mean_share(1 / (first.shape[1] * products[products > 0]))


def worth_in_top(first: np.ndarray, second: np.ndarray, pairs: Pairs, fraction: float) -> float:
    """Return the like for the mean Jaccard of top fractions.

    first, second: float [R, N], scores, NaN where a run has none. q being a sample's probability to be among the top k
    by lot, one more sample that both have, in the place of two that one has each, raises the expected intersection I
    by (1 − q)(1 − q'), and the Jaccard I/(2k − I) by 2k/(2k − I)² times that. NaN where there is no top.
    """
    found = []
    for i, j in pairs:
        kept = np.isfinite(first[i]) & np.isfinite(second[j])
        tops = [top_probability(values[kept], fraction) for values in (first[i], second[j])]
        twice = sum(one.sum() for one in tops)
        if twice > 0:
            gained = np.prod([1 - one.min() for one in tops])
            found.append(gained * twice / (twice - tops[0] @ tops[1]) ** 2)
    return _mean_share(np.array(found))


def worth_among(first: np.ndarray, second: np.ndarray, pairs: Pairs) -> float:
    """Return the like for ρ among the samples that either run of a pair has an event of.

    first, second: bool [R, N]. Of m and m' events, I of them shared, φ there is −√((m − I)(m' − I) / (m m')): one more
    shared event raises it by about 1/√(m m'). NaN where no pair has events in both runs.
    """
    numbers = np.array([first[i].sum() * second[j].sum() for i, j in pairs], dtype=float)
    return _mean_share(1 / np.sqrt(numbers[numbers > 0]))


def _mean_share(of_pairs: np.ndarray) -> float:
    """Return what one pair's gain adds to the mean over the pairs."""
    return float(np.mean(of_pairs) / len(of_pairs)) if len(of_pairs) else float("nan")
