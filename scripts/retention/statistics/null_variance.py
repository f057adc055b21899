"""What a rank correlation varies by where there is nothing to find: whole groups permuted, not single samples.

Resampling can not see it where few samples are alike by chance: when none is forgotten in two runs, none is in any
resample either, and all of them agree on the same small negative number.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

Pairs = Sequence[tuple[int, int]]


def variance_of_permuted(first: np.ndarray, second: np.ndarray, pairs: Pairs, groups: np.ndarray) -> np.ndarray:
    """Return the variance of Spearman's ρ of each pair when its second row's groups are permuted, float [P].

    first, second: float [R, N]; groups: int [N]. NaN is dropped pair by pair, and NaN is the variance of a row in
    which nothing varies. With samples of their own it is 1/(n − 1) (Pitman, Supplement to the Journal of the Royal
    Statistical Society 4, 225, 1937). With ranks r, s of mean 0 and norm 1, and M ordered pairs of samples
    within a group, those add (Σ r_k r_l)(Σ s_k s_l)/M, sums over these pairs: what two members have in common
    in both rows. A negative sum counts as 0.
    """
    found = np.full(len(pairs), np.nan)
    for place, (i, j) in enumerate(pairs):
        kept = np.isfinite(first[i]) & np.isfinite(second[j])
        rows = [_standardised(values[kept]) for values in (first[i], second[j])]
        if kept.sum() < 3 or any(row is None for row in rows):
            continue
        member = np.unique(groups[kept], return_inverse=True)[1]
        ordered = np.sum(np.bincount(member) ** 2) - kept.sum()
        alike = [max(np.sum(np.bincount(member, row) ** 2) - 1.0, 0.0) for row in rows]
        found[place] = 1 / (kept.sum() - 1) + (alike[0] * alike[1] / ordered if ordered else 0.0)
    return found


def _standardised(values: np.ndarray) -> np.ndarray | None:
    """Return ranks of mean 0 and norm 1, None where all values are the same."""
    if not len(values):
        return None
    ranks = rankdata(values)
    ranks -= ranks.mean()
    norm = np.linalg.norm(ranks)
    return ranks / norm if norm else None
