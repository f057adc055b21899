"""What one reported number says of another, without the data behind either."""

from bisect import bisect_left
from collections.abc import Callable, Iterable

import numpy as np
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm, t

FEWEST, MOST = 4, 10**9  # samples between which a test's size is sought


def p_by_t(correlation: float, samples: int) -> float:
    """Return the two-sided p of Spearman's ρ by Student's t, as scipy.stats.spearmanr has it.

    t = ρ √((n − 2)/(1 − ρ²)) with n − 2 degrees of freedom. It takes samples for independent.
    """
    times = abs(correlation) * np.sqrt((samples - 2) / (1 - correlation**2))
    return float(2 * t.sf(times, samples - 2))


def p_by_fisher(correlation: float, samples: int) -> float:
    """Return the two-sided p of a correlation by Fisher's z, whose variance is 1/(n − 3) (Metron 1, 3, 1921).

    For ranks the variance is rather 1.06/(n − 3) (Fieller, Hartley & Pearson, Biometrika 44, 470, 1957), which asks for
    more samples. It takes samples for independent.
    """
    return float(2 * norm.sf(np.arctanh(abs(correlation)) * np.sqrt(samples - 3)))


def samples_needed(
    correlation: float, p: float, test: Callable[[float, int], float] = p_by_t
) -> int:
    """Return the least number of samples at which a correlation has a p-value below `p`.

    test: `p_by_t` or `p_by_fisher`; p falls with the number of samples.
    """
    sizes = range(FEWEST, MOST)
    return sizes[bisect_left(sizes, True, key=lambda samples: test(correlation, samples) < p)]


def largest_spearman(tied: Iterable[float], samples: float) -> float:
    """Return the largest |ρ| of a variable with ties and one without any.

    tied: the sizes of its tied sets, of `samples` in all; samples that are tied with none may be left out.

    Mid-ranks are the others' ranks averaged over each tied set, at best. So the covariance is the variance of the
    mid-ranks, and ρ² is that variance over the one of untied ranks:
    1 − Σ (t³ − t)/(n³ − n) (Kendall, Biometrika 33, 239, 1945, has the correction for ties). In large samples,

    - a share 1 − m is tied at one value, all others differ: √(1 − (1 − m)³);
    - two values alone, in shares m and 1 − m: √(3m(1 − m)).

    Two variables that are both tied have no such bound: equal ones correlate at 1.
    """
    sizes = np.asarray(list(tied), dtype=float)
    lost = np.sum(sizes**3 - sizes) / (samples**3 - samples)
    return float(np.sqrt(max(1 - lost, 0.0)))


def untied_needed(correlation: float) -> float:
    """Return the least share of samples outside one tied set that leaves |ρ| with an untied variable possible.

    The inverse of √(1 − (1 − m)³), the first case of `largest_spearman`: any further tie needs more.
    """
    return float(1 - (1 - correlation**2) ** (1 / 3))


def implied_stability(across: float, loss_agreement: float = 1.0) -> float:
    """Return the least agreement between seeds that a prediction across seeds implies: ρ²/q.

    across: Spearman's ρ of the loss in one run and the decay constant in another; loss_agreement: q, that of the losses
    of two runs.

    Let L and D be ranks of loss and decay, standardised in each run, and l and d their means over all runs that could be
    made. Runs are independent given the sample. So of two different runs Corr(L, D) = Cov(l, d) = ρ, Corr(L, L) = Var(l)
    = q, and Corr(D, D) = Var(d) = r. By Cauchy and Schwarz ρ² ≤ q r. The floor is met where d follows l alone.

    *Assumes* seeds that are drawn alike and the same decay constants on both sides. It is about the mean over all
    seeds: a few may lie below by chance. A q that is NaN or not above ρ² (no floor above 1 makes sense) counts as 1.
    """
    usable = np.isfinite(loss_agreement) and loss_agreement > across**2
    return across**2 / min(loss_agreement, 1.0) if usable else across**2


def stability_of_own_loss(within: float, loss_agreement: float) -> float:
    """Return the least agreement between seeds where a run's loss tells of its decay as one number: ρ² q.

    within: Spearman's ρ of loss and decay in the same run; loss_agreement: q, that of the losses of two runs.

    Model, on standardised ranks: L = √q S + √(1 − q) E, where S is the sample's and E the run's own, and D = ρ L + N.
    Then loss and decay of two runs correlate at ρ q, and decay and decay at ρ² q + (1 − ρ²) c ≥ ρ² q.

    *Assumes* that S and E tell of decay alike, and that what else decides it agrees between seeds at c ≥ 0. This is a
    floor under a model and no theorem: where E alone tells, D = k E + N, seeds need not agree at all.
    """
    return within**2 * loss_agreement


def implied_rank_correlation(jaccard: float, fraction: float) -> float:
    """Return Spearman's ρ of two normal scores whose top fractions overlap by a Jaccard index.

    Of the k members of one top fraction 2J/(1+J) are in the other, so both are above the cut with
    probability q · 2J/(1+J); the bivariate normal's correlation r with that upper tail gives
    ρ = 6/π · asin(r/2) (Pearson 1907). NaN outside what correlations in [−0.999, 0.999] reach.
    """
    if not np.isfinite(jaccard):
        return float("nan")
    cut, shared = norm.ppf(fraction), fraction * 2 * jaccard / (1 + jaccard)

    def excess(r: float) -> float:
        return multivariate_normal.cdf([cut, cut], cov=[[1, r], [r, 1]]) - shared

    if excess(-0.999) > 0 or excess(0.999) < 0:
        return float("nan")
    return float(6 / np.pi * np.arcsin(brentq(excess, -0.999, 0.999) / 2))


def shared_top_correlation(jaccard: float, fraction: float) -> tuple[float, float]:
    """Return which share of samples is first in two rankings that else share nothing, and the rankings' ρ.

    Their top fractions q overlap by the Jaccard index. With a share a first in both, in any order, and all others at
    random, a + (q − a)²/(1 − a) of all samples are in both tops: q · 2J/(1 + J). As blocks of sizes a and 1 − a alone
    agree, ρ = 3a(1 − a) (`largest_spearman`, squared).
    """
    shared = fraction * 2 * jaccard / (1 + jaccard)
    first = (shared - fraction**2) / (1 - 2 * fraction + shared)
    return first, 3 * first * (1 - first)
