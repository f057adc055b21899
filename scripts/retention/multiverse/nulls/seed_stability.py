"""F3: samples change places between seeds.

Where seeds share nothing, a sample of one seed could as well be any other one. All runs of a seed are put in the same
order, so what architectures share within a seed stays. A second version stays within class.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

from retention.multiverse.choices import Levels
from retention.multiverse.combinations import Combination
from retention.multiverse.estimates.seed_stability import STATISTIC
from retention.multiverse.exchanged import (
    PLAIN,
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
NAME = "seed_stability"


def permuted(
    frame: Frame, scores: Scores, listed: Sequence[Combination], version: str, times: int
) -> Permuted:
    """Return the numbers in the data and under each exchange."""
    seeds = sorted({run.seed for run in frame.study.runs})

    def compared(frame: Frame, levels: Levels) -> Iterator[tuple[str, Ranked]]:
        found = scores.of(levels)
        for name, rows in frame.study.architectures.items():
            if len(rows) > 1:
                units = [seeds.index(seed) for seed in frame.study.seeds(rows)]
                pairs = list(combinations(range(len(rows)), 2))
                yield name, Ranked(found[rows], units, pairs, levels["class"] == "adjusted")

    return under_exchanges(frame, NAME, listed, compared, len(seeds), version, times)


def said(frame: Frame, version: str) -> str:
    """Return what to say of the exchanges themselves."""
    return few_move(frame, version)
