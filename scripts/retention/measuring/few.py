"""Whether enough samples are forgotten for two runs to be compared by them."""

from collections.abc import Mapping

import numpy as np

from retention.common.few import ENOUGH
from retention.statistics.ranks import Pairs

IN_BOTH = ("forgotten_in_both", "expected_in_both")


def forgotten_in_both(first: np.ndarray, second: np.ndarray, pairs: Pairs) -> dict[str, float]:
    """Return the samples that both runs of a pair forgot, summed over the pairs, and how many are expected.

    first, second: bool [R, N]. Expected: Σ over pairs of n_a n_b / N, of runs that share nothing. It rests on how many
    each run forgot, and not on whether these are the same: deciding by it censors no low agreement.
    """
    both = sum(int(np.sum(first[i] & second[j])) for i, j in pairs)
    expected = sum(first[i].sum() * second[j].sum() for i, j in pairs) / first.shape[1]
    return {IN_BOTH[0]: float(both), IN_BOTH[1]: float(expected)}


def note_of_few(in_both: Mapping[str, float]) -> dict[str, str]:
    """Return the note of a row whose runs forgot too few samples to be compared by; nothing where they forgot enough."""
    few = in_both[IN_BOTH[1]] < ENOUGH
    return {"note": "too few forgotten to tell"} if few else {}
