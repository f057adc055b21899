"""F3: how alike two seeds of an architecture rank the samples, Spearman's ρ."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from retention.findings.seed_stability.measure import measure
from retention.measuring.few import FewShared, forgotten_in_both, note_of_few
from retention.multiverse.choices import Levels
from retention.multiverse.frame import Estimate, Frame, Side, side_of
from retention.multiverse.scores import Scores
from retention.multiverse.study import Study
from retention.runs.reading import Run
from retention.statistics.few_events import worth
from retention.statistics.null_variance import deviation_of_permuted
from retention.statistics.ranks import mean_in_both, spearman_over_pairs
from retention.statistics.resampling import CORRELATION

STATISTIC = "spearman"
RANKED = True  # the scores matter by their ranks within a run alone


def lacking(study: Study) -> str:
    """Return why a study has no such number, "" where it has."""
    several = any(len(rows) > 1 for rows in study.architectures.values())
    return "" if several else "it compares seeds, and no architecture has two runs"


def measured(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's own table."""
    return measure(runs, statistics)


def values(scores: Scores, levels: Levels) -> np.ndarray:
    """Return what is scored, float [R, N]."""
    return scores.of(levels)


def estimates(frame: Frame, scores: Scores, levels: Levels) -> Iterator[Estimate]:
    """Yield the mean ρ over the pairs of seeds of each architecture that has two or more."""
    found = scores.of(levels)
    classes = frame.setting.classes if levels["class"] == "adjusted" else None
    for name, rows in frame.study.architectures.items():
        if len(rows) > 1:
            yield _agreement(
                frame, side_of(frame, found, rows, levels["split"]), classes, name, rows
            )


def _agreement(
    frame: Frame, side: Side, classes: np.ndarray | None, name: str, rows: Sequence[int]
) -> Estimate:
    matrix, setting = side.values, frame.setting
    pairs = list(combinations(range(len(rows)), 2))

    rho = spearman_over_pairs(matrix, matrix, pairs, classes)
    least = deviation_of_permuted(matrix, matrix, pairs, setting.groups, classes)
    interval = setting.over_pairs(rho, pairs, (side.seeds, side.seeds), CORRELATION, least)
    few = FewShared(side.forgotten, side.forgotten, pairs, setting.groups)
    interval = few.in_correlation(interval, worth(side.forgotten, side.forgotten, pairs))
    note = note_of_few(forgotten_in_both(side.forgotten, side.forgotten, pairs)).get("note", "")
    n = mean_in_both(matrix, matrix, pairs)
    return Estimate(name, name, STATISTIC, rows, interval, n, 0.0, interval.p_of(0.0), note)
