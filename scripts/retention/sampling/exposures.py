"""How often samples are presented: rates with a fixed sum, and whole counts that follow them.

Schedules made beforehand and samplers that choose as they go share it. Of N samples every epoch
presents exactly N, so that treatments differ in what is shown and never in how much.
"""

import numpy as np

from retention.common.errors import UserError

LOWEST, HIGHEST = 0.25, 3.0  # presentations of a sample per epoch, on average
HALVINGS = 100  # log κ lies in an interval shorter than 2,000: the last ones change no bit


def rates_of(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Return presentations per epoch r = clip(w / κ, ¼, 3), float [N], with Σ r = N, and κ.

    weights: float [N], not negative; NaN (nothing is known) is held at r = 1. κ is found by
    bisection and is NaN where every weight is. Raises `UserError` when no κ gives the sum: so many
    weights are 0, whose rate is ¼ whatever κ, that the others cannot make up for them.
    """
    known = ~np.isnan(weights)
    rates, given = np.ones(len(weights)), weights[known]
    if not known.any():
        return rates, np.nan
    if (given < 0).any() or np.isinf(given).any():
        raise UserError("review rates: a weight is negative or infinite; expected 0 or more")
    positive = given > 0
    most = HIGHEST * positive.sum() + LOWEST * (~positive).sum()
    if most < len(given):
        raise UserError(
            f"review rates: {int((~positive).sum())} of {len(given)} weights are 0, so the rates add up to "
            f"{most:g} at most; expected {len(given)}. Choose a score that tells more samples apart"
        )
    ordered = np.sort(given)  # κ is that of the weights, to the last bit, whoever has which
    low, high = np.log(given[positive].min() / HIGHEST), np.log(given.max() / LOWEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if np.clip(ordered / np.exp(middle), LOWEST, HIGHEST).sum() > len(given):
            low = middle
        else:
            high = middle
    scale = float(np.exp(high))
    rates[known] = np.clip(given / scale, LOWEST, HIGHEST)
    return rates, scale


class Exposures:
    """Turns rates into whole numbers of presentations, epoch by epoch, exactly N in each.

    After e epochs at rate r a sample was presented ⌊e·r + u⌋ times, u its own offset in [0, 1):
    evenly through the epochs, and e·r on average over u. These counts add up to about e·N. What
    lacks is brought forward from the samples next due, what is too much is put off of those last
    due, and both are settled in the next epoch, so that a sample stays within one presentation of
    its rate for ever. The fractions in which they are due are distributed alike whatever the rate:
    nobody is brought forward or put off more often than others.
    """

    def __init__(self, offsets: np.ndarray):
        self.due = np.array(offsets, dtype=float)  # presentations due less those given, [N]

    def next_epoch(self, rates: np.ndarray) -> np.ndarray:
        """Return how often each sample is presented in the next epoch, int64 [N] of sum N.

        rates: float [N] of sum N for this epoch; a sample of rate 0 is never presented.
        """
        self.due += rates
        shown = rates > 0
        counts = np.where(shown, np.maximum(np.floor(self.due), 0), 0).astype(np.int64)
        while lacking := len(counts) - int(counts.sum()):
            ahead = self.due - counts
            if lacking > 0:
                chosen = np.flatnonzero(shown)
                first = np.argsort(-ahead[chosen], kind="stable")[:lacking]
                counts[chosen[first]] += 1
            else:
                chosen = np.flatnonzero(counts)
                first = np.argsort(ahead[chosen], kind="stable")[:-lacking]
                counts[chosen[first]] -= 1
        self.due -= counts
        return counts
