"""Whether enough samples are forgotten for two runs to be compared by them, and runs that forgot nearly all."""

from collections.abc import Mapping, Sequence

import numpy as np

from retention.common.few import IN_BOTH, MANY_TIMES, MOST, TOO_FEW, are_few
from retention.statistics.few_events import unseen, unseen_beyond
from retention.statistics.ranks import Pairs
from retention.statistics.resampling import THESE_RUNS, Interval


class FewShared:
    """What the shared samples that were not seen leave open in a mean over pairs of runs.

    first, second: bool [R, N], who was forgotten; groups: int [N], from 0.
    """

    def __init__(self, first: np.ndarray, second: np.ndarray, pairs: Pairs, groups: np.ndarray):
        self.unseen = unseen(np.concatenate([first, second]), groups)
        self.beyond = unseen_beyond(first, second, pairs, groups)

    def in_correlation(self, interval: Interval, gained: float) -> Interval:
        """Return the interval, no narrower than `unseen` allow and reaching up to what might be `beyond` those seen.

        gained: what one more shared sample adds where there is no agreement, so on Fisher's scale.
        """
        wide = interval.no_narrower_than(self.unseen * gained)
        return wide.reaching_up(self.beyond * gained)

    def in_estimate(self, interval: Interval, gained: float) -> Interval:
        """Return the like where `gained` is in the estimate's own unit and at its value.

        Of new runs the seeds tell how wide an interval is below.
        """
        if not interval.varies:
            return interval
        on_scale = gained * float(interval.scale.slope(interval.estimate))
        if interval.target == THESE_RUNS:
            interval = interval.no_narrower_than(self.unseen * on_scale)
        return interval.reaching_up(self.beyond * on_scale)


def forgotten_in_both(first: np.ndarray, second: np.ndarray, pairs: Pairs) -> dict[str, float]:
    """Return the samples that both runs of a pair forgot, summed over the pairs, and how many are expected.

    first, second: bool [R, N]. Expected: Σ over pairs of n_a n_b / N, of runs that share nothing. It rests on how many
    each run forgot, and not on whether these are the same: deciding by it censors no low agreement.
    """
    both = sum(int(np.sum(first[i] & second[j])) for i, j in pairs)
    expected = sum(first[i].sum() * second[j].sum() for i, j in pairs) / first.shape[1]
    return {IN_BOTH[0]: float(both), IN_BOTH[1]: float(expected)}


def note_of_few(in_both: Mapping[str, float], *others: str) -> dict[str, str]:
    """Return the note of a row, with `others`, which says so where its runs forgot too few samples to be compared by."""
    few = (TOO_FEW,) if are_few(in_both[IN_BOTH[1]]) else ()
    said = [note for note in (*few, *others) if note]
    return {"note": "; ".join(said)} if said else {}


def unusual_runs(
    forgotten: Mapping[str, np.ndarray], seeds: Mapping[str, Sequence[int]]
) -> dict[str, str]:
    """Return per architecture what to say of runs that forgot nothing, or most samples, while the others did not.

    forgotten: bool [R, N] per architecture, R as its seeds; "" where there is no such run. What a run forgot that lost
    nearly all at once tells nothing of the samples.
    """
    shares = {name: rows.mean(axis=1) for name, rows in forgotten.items()}
    usual = float(np.median(np.concatenate(list(shares.values()))))

    def said(name: str, seed: int, share: float) -> str:
        if not share and usual:
            return f"seed {seed} of {name} forgot nothing: its pairs have no correlation and are left out"
        if share >= MOST and share > MANY_TIMES * usual:
            return (
                f"seed {seed} of {name} forgot {share:.0%} of the samples, the median run {usual:.0%}: "
                "it may have collapsed"
            )
        return ""

    return {
        name: "; ".join(filter(None, map(said, [name] * len(found), seeds[name], found)))
        for name, found in shares.items()
    }
