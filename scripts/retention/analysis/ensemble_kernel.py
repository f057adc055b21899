"""Which samples the averaged probabilities of an ensemble get right, compiled.

Only what decides is looked at: a class that no member puts before the label can not win in any
average. On a sample that every member gets right nothing is left to look at.
"""

import numpy as np
from numba import njit


def rivals(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return what may beat the label in an average over some of the members.

    probabilities: float16 [R, n, C], labels: int [n]. Returns starts int64 [n + 1]; leads float32
    [total, R], how far each member puts a rival before the label; first bool [total], whether the
    rival has the lower number and so wins a tie, as in argmax. float32 holds the differences of
    float16 numbers of [0, 1] exactly.
    """
    rows = np.arange(len(labels))
    ahead = np.zeros(probabilities.shape[1:], dtype=bool)
    lower = np.arange(probabilities.shape[2]) < labels[:, None]
    for member in probabilities:
        label = member[rows, labels][:, None]
        ahead |= (member > label) | (lower & (member == label))
    ahead[rows, labels] = False
    sample, rival = np.nonzero(ahead)
    leads = np.empty((len(sample), len(probabilities)), dtype=np.float32)
    for r, member in enumerate(probabilities):
        label = member[sample, labels[sample]].astype(np.float32)
        leads[:, r] = member[sample, rival].astype(np.float32) - label
    starts = np.r_[0, np.cumsum(ahead.sum(axis=1))]
    return starts, leads, rival < labels[sample]


@njit(cache=True, nogil=True)
def held_by_average(starts, leads, first, members, sizes, held):
    """Fill held, uint8 [n, I]: whether the label has the largest sum over each ensemble's members.

    starts, leads, first: of `rivals`; members: int64 [I, 3], sizes: int64 [I] of them count.
    """
    for s in range(len(starts) - 1):
        for i in range(len(sizes)):
            right = 1
            for k in range(starts[s], starts[s + 1]):
                lead = 0.0
                for m in range(sizes[i]):
                    lead += leads[k, members[i, m]]
                if lead > 0 or (lead == 0 and first[k]):
                    right = 0
                    break
            held[s, i] = right
