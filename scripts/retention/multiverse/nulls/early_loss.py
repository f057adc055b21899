"""F5: losses at epoch 0 change places, whole groups within their class.

Where the loss tells no more of a sample than its class does, another sample of the class could as well have it. All runs
are put in one order, so what losses of different seeds share stays, as in the interval of the finding itself.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from retention.multiverse.choices import Levels
from retention.multiverse.combinations import Combination
from retention.multiverse.estimates.early_loss import STATISTIC, comparisons
from retention.multiverse.exchanged import (
    STAYS,
    WITHIN_CLASS,
    Permuted,
    Ranked,
    few_move,
    under_exchanges,
)
from retention.multiverse.frame import Frame
from retention.multiverse.scores import Scores

VERSIONS, TWO_SIDED, AVERAGED = (WITHIN_CLASS,), True, True
EXHAUSTIVE = False
__all__ = ["AVERAGED", "EXHAUSTIVE", "STATISTIC", "TWO_SIDED", "VERSIONS", "permuted", "said"]
NAME = "early_loss"


def permuted(
    frame: Frame, scores: Scores, listed: Sequence[Combination], version: str, times: int
) -> Permuted:
    """Return the numbers in the data and under each exchange."""

    def of(frame: Frame, levels: Levels) -> Iterator[tuple[str, Ranked]]:
        for name, pair in comparisons(frame, scores, levels):
            if pair is not None:
                first, second = pair.first.values, pair.second.values
                units = [0] * len(first) + [STAYS] * len(second)
                pairs = [(i, len(first) + j) for i, j in pair.pairs]
                both = np.concatenate([first, second])
                yield name, Ranked(both, units, pairs, levels["class"] == "adjusted")

    return under_exchanges(frame, NAME, listed, of, 1, version, times)


def said(frame: Frame, version: str) -> str:
    """Return what to say of the exchanges themselves."""
    return few_move(frame, version)
