"""F1: samples change places between architectures.

Where architectures share nothing, a sample of one could as well be any other one of the other. All runs of an
architecture are put in the same order, so what its seeds share stays: with an order for each run, seeds that agree would
seem to be more comparisons than they are. A second version stays within class. Samples tied at the cut share the places.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from retention.multiverse.choices import Levels
from retention.multiverse.combinations import Combination
from retention.multiverse.estimates.architecture_overlap import STATISTIC, comparisons
from retention.multiverse.exchanged import (
    PLAIN,
    STAYS,
    WITHIN_CLASS,
    Permuted,
    Ranked,
    few_move,
    under_exchanges,
)
from retention.multiverse.frame import Frame
from retention.multiverse.scores import Scores

VERSIONS, TWO_SIDED, AVERAGED = (PLAIN, WITHIN_CLASS), False, True
EXHAUSTIVE = False
__all__ = ["AVERAGED", "EXHAUSTIVE", "STATISTIC", "TWO_SIDED", "VERSIONS", "permuted", "said"]
NAME = "architecture_overlap"


def permuted(
    frame: Frame, scores: Scores, listed: Sequence[Combination], version: str, times: int
) -> Permuted:
    """Return the numbers in the data and under each exchange; the first architecture stays as it is."""
    names = list(frame.study.architectures)

    def of(frame: Frame, levels: Levels) -> Iterator[tuple[str, Ranked]]:
        for (one, other), pair in comparisons(frame, scores, levels):
            if pair is not None:
                first, second = pair.first.values, pair.second.values
                units = [_unit(names, one)] * len(first) + [_unit(names, other)] * len(second)
                pairs = [(i, len(first) + j) for i, j in pair.pairs]
                rows = np.concatenate([first, second])
                adjusted = levels["class"] == "adjusted"
                ranked = Ranked(rows, units, pairs, adjusted, float(levels["top_fraction"]))
                yield f"{one} vs {other}", ranked

    return under_exchanges(frame, NAME, listed, of, len(names) - 1, version, times)


def _unit(names: Sequence[str], name: str) -> int:
    """Return which order an architecture follows; the first one stays."""
    return names.index(name) - 1 if name != names[0] else STAYS


def said(frame: Frame, version: str) -> str:
    """Return what to say of the exchanges themselves."""
    return few_move(frame, version)
