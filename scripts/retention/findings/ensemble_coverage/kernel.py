"""Which samples the averaged probabilities of an ensemble get right, compiled.

Only what decides is looked at: a class that no member puts before the label can not win in any
average. On a sample that every member gets right nothing is left to look at. Numbers are whole: float16
numbers of [0, 1] are multiples of 2⁻²⁴, so their sums and ties are exact in int32, and as uint16 they
have the same order.
"""

import numpy as np

from retention.common.compiled import compiled

UNIT = 2.0**24


def rivals(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return what may beat the label in an average over some of the members.

    probabilities: float16 [R, n, C] in [0, 1], labels: int [n]. Returns starts int64 [n + 1]; leads int32
    [R, total], how far each member puts a rival before the label, in 2⁻²⁴; needed int32 [total], the
    lead with which a rival wins: 1, or 0 for a lower number, to which a tie goes as in argmax.
    """
    rows, order = np.arange(len(labels)), probabilities.view(np.uint16)
    ahead = np.zeros(order.shape[1:], dtype=bool)
    tied = np.arange(order.shape[2]) < labels[:, None]
    for member in order:
        label = member[rows, labels][:, None]
        ahead |= member >= label + (~tied)  # at least as probable, or more so
    ahead[rows, labels] = False
    sample, rival = np.nonzero(ahead)
    leads = np.empty((len(probabilities), len(sample)), dtype=np.int32)
    for r, member in enumerate(probabilities):
        label = member[sample, labels[sample]].astype(np.float32)
        leads[r] = (member[sample, rival].astype(np.float32) - label) * np.float32(UNIT)
    starts = np.r_[0, np.cumsum(ahead.sum(axis=1))]
    return starts, leads, np.where(rival < labels[sample], 0, 1).astype(np.int32)


@compiled()
def held_by_average(
    starts: np.ndarray, leads: np.ndarray, needed: np.ndarray, held: np.ndarray
) -> None:
    """Fill held, uint8 [n, I]: whether the label has the largest sum over each ensemble's members.

    starts, leads, needed: of `rivals`; ensembles: all sets of one, then of two, then of three of the R
    members, in lexical order.
    """
    runs = len(leads)
    nothing = np.zeros(np.max(np.diff(starts)), dtype=np.int32)
    for s in range(len(starts) - 1):
        lead = leads[:, starts[s] : starts[s + 1]].copy()  # in one piece, for vector registers
        enough = needed[starts[s] : starts[s + 1]]
        two, three = runs, runs + runs * (runs - 1) // 2
        for a in range(runs):
            alone = lead[a] - enough
            held[s, a] = _none_reaches(alone, nothing)
            for b in range(a + 1, runs):
                pair = alone + lead[b]
                held[s, two] = _none_reaches(pair, nothing)
                two += 1
                for c in range(b + 1, runs):
                    held[s, three] = _none_reaches(pair, lead[c])
                    three += 1


@compiled()
def _none_reaches(first: np.ndarray, second: np.ndarray) -> np.bool_:
    """Return whether all sums are negative; the largest of them all is found in vector registers."""
    largest = np.int32(-1)
    for k in range(len(first)):
        largest = max(largest, np.int32(first[k] + second[k]))
    return largest < 0
