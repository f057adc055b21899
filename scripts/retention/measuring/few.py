"""Whether enough samples are forgotten for two runs to be compared by them."""

import numpy as np

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
