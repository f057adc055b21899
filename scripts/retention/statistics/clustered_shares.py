"""The interval of a share of samples that come in groups and were drawn several times.

Samples of a group stand or fall together, so that many of them tell little more than one. Groups are what is counted: of m_g
samples each they tell as much as (Σ m_g)² / Σ m_g² samples that have nothing in common, were those of a group all alike
(Kish, Survey Sampling, 1965). For so many the interval is the exact one of a binomial share (Clopper & Pearson, Biometrika
26, 404, 1934), which unlike a bootstrap has a width where everything or nothing was found. Where draws are three or more,
how they differ counts, too: the interval reaches as far as Student's t over the draws does.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import betaincinv, stdtrit

LEVEL = 0.95
FEWEST_DRAWS = 3  # of which it can be told how draws differ


def effective_groups(groups: np.ndarray) -> float:
    """Return how many samples with nothing in common samples of these groups are worth, at least; [P], one entry each."""
    _, sizes = np.unique(groups, return_counts=True)
    return float(sizes.sum() ** 2 / (sizes**2).sum()) if len(sizes) else 0.0


def exact_interval(share: float, trials: float, level: float = LEVEL) -> tuple[float, float]:
    """Return the Clopper–Pearson interval of a share of `trials`, which need be no whole numbers."""
    hits, tail = share * trials, (1 - level) / 2
    low = betaincinv(hits, trials - hits + 1, tail) if hits > 0 else 0.0
    high = betaincinv(hits + 1, trials - hits, 1 - tail) if hits < trials else 1.0
    return float(low), float(high)


def interval_of_draws(
    found: Sequence[np.ndarray], groups: Sequence[np.ndarray], level: float = LEVEL
) -> tuple[float, float]:
    """Return the interval of the share that is found, of D draws.

    found: per draw [P], how much of each sample is found, 0 to 1; groups: per draw [P], their groups, which draws may share.
    With fewer than three draws nothing of how draws differ is in it.
    """
    share = float(np.concatenate(found).mean())
    low, high = exact_interval(share, effective_groups(np.concatenate(groups)), level)
    if len(found) < FEWEST_DRAWS:
        return low, high
    means = np.array([one.mean() for one in found])
    error = means.std(ddof=1) / np.sqrt(len(means))
    reach = float(stdtrit(len(means) - 1, (1 + level) / 2) * error)
    return max(0.0, min(low, share - reach)), min(1.0, max(high, share + reach))
