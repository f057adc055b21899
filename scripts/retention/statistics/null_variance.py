"""What a mean of rank correlations varies by where there is nothing to find: whole groups permuted, not single samples.

Resampling can not see it where few samples are alike by chance: when none is forgotten in two runs, none is in any
resample either, and all of them agree on the same small negative number.
"""

import numpy as np
from scipy.stats import rankdata

from retention.statistics.ranks import Pairs


def deviation_of_permuted(
    first: np.ndarray,
    second: np.ndarray,
    pairs: Pairs,
    groups: np.ndarray,
    classes: np.ndarray | None = None,
    together: bool = False,
) -> float:
    """Return the standard deviation of the mean over pairs of Spearman's ρ when groups of samples are permuted.

    first, second: float [R, N], a pair is a row of each; groups: int [N]; classes: int [N], with them each class's
    mean rank is taken off and groups move within their class. together: all rows of `second` are permuted in one way,
    so that what its rows share stays; else each row on its own. NaN where no pair has two rows that vary.

    With ranks r, s of mean 0 and norm 1 the variance of one ρ is 1/(n − 1) (Pitman, Supplement to the Journal of the
    Royal Statistical Society 4, 225, 1937). Where groups hold M ordered pairs of samples (k, l), Σ r_k r_l Σ s_k s_l / M
    is added: what members of a group have in common in both rows. Of G groups it is G/(G − 1) times the sum of both
    parts over n. Missing values are given the mean rank.
    """
    rows, columns = (_standardised(values, classes) for values in (first, second))
    varying = [(i, j) for i, j in pairs if rows[i].any() and columns[j].any()]
    if not varying:
        return float("nan")
    i, j = np.array(varying).T
    member = np.unique(groups, return_inverse=True)[1]
    number, strata = member.max() + 1, 1 if classes is None else len(np.unique(classes))
    ordered = np.sum(np.bincount(member) ** 2) - len(groups)
    alike = [values @ values.T for values in (rows, columns)]
    of_groups = [
        _of_groups(values, member) - one for values, one in zip((rows, columns), alike, strict=True)
    ]
    if not together:
        of_groups = [np.maximum(one, 0.0) for one in of_groups]
    variance = alike[0][np.ix_(i, i)] * alike[1][np.ix_(j, j)] / _in_both(first, second, varying)
    if ordered:
        variance += of_groups[0][np.ix_(i, i)] * of_groups[1][np.ix_(j, j)] / ordered
    variance *= number / max(number - strata, 1)
    total = variance.sum() if together else np.trace(variance)
    return float(np.sqrt(max(total, 0.0)) / len(varying))


def _standardised(values: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
    """Return each row's ranks with mean 0 (of each class, where there are any) and norm 1; 0 where nothing varies."""
    ranks = rankdata(values, axis=1, nan_policy="omit")
    finite = np.isfinite(ranks)
    number = np.maximum(finite.sum(axis=1, keepdims=True), 1)
    ranks = np.where(
        finite, ranks - np.where(finite, ranks, 0.0).sum(axis=1, keepdims=True) / number, 0.0
    )
    if classes is not None:
        member = np.unique(classes, return_inverse=True)[1]
        sums = np.stack([np.bincount(member, row) for row in ranks])
        ranks = ranks - (sums / np.bincount(member))[:, member]
    norm = np.linalg.norm(ranks, axis=1, keepdims=True)
    return np.divide(ranks, norm, out=np.zeros_like(ranks), where=norm > 1e-9)


def _of_groups(rows: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Return Σ over groups of the products of two rows' sums in it, [R, R]."""
    sums = np.stack([np.bincount(member, row) for row in rows])
    return sums @ sums.T


def _in_both(first: np.ndarray, second: np.ndarray, pairs: Pairs) -> float:
    finite = np.isfinite(first), np.isfinite(second)
    return float(np.mean([np.sum(finite[0][i] & finite[1][j]) for i, j in pairs]))
