"""F5: how the loss at epoch 0 ranks the samples beside their later forgetting, Spearman's ρ."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from retention.findings.early_loss.measure import measure
from retention.multiverse.choices import Levels
from retention.multiverse.frame import (
    NO_PAIR,
    Comparison,
    Estimate,
    Frame,
    compared,
    nothing,
    side_of,
)
from retention.multiverse.scores import Scores
from retention.multiverse.study import Study
from retention.runs.reading import Run, column
from retention.statistics.null_variance import deviation_of_permuted
from retention.statistics.ranks import mean_in_both, spearman_over_pairs
from retention.statistics.resampling import CORRELATION

STATISTIC = "spearman"
RANKED = True  # the scores matter by their ranks within a run alone


def lacking(study: Study) -> str:
    """Return why a study has no such number, "" where it has."""
    known = all(
        "loss_0" in run.samples and run.samples["loss_0"].notna().any() for run in study.runs
    )
    return "" if known else "the runs have no loss_0, as their traces lack the column loss"


def measured(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's own table."""
    return measure(runs, statistics)


def values(scores: Scores, levels: Levels) -> np.ndarray:
    """Return what is scored, float [R, N]."""
    return scores.of(levels)


def estimates(frame: Frame, scores: Scores, levels: Levels) -> Iterator[Estimate]:
    """Yield the mean ρ over the pairs of a loss and a score of each architecture."""
    adjusted = levels["class"] == "adjusted"
    for name, comparison in comparisons(frame, scores, levels):
        rows = frame.study.architectures[name]
        if comparison is None:
            yield nothing(name, name, STATISTIC, rows, NO_PAIR)
        else:
            yield _correlation(comparison, adjusted, name, rows)


def comparisons(
    frame: Frame, scores: Scores, levels: Levels
) -> Iterator[tuple[str, Comparison | None]]:
    """Yield each architecture with its losses beside its scores, None where there is no such pair of runs."""
    found, loss = scores.of(levels), column(frame.study.runs, "loss_0")
    for name, rows in frame.study.architectures.items():
        first, second = (side_of(frame, one, rows, levels["split"]) for one in (loss, found))
        yield name, compared(frame, first, second, levels["pairs"])


def _correlation(
    comparison: Comparison, adjusted: bool, name: str, rows: Sequence[int]
) -> Estimate:
    loss, found, pairs = comparison.first.values, comparison.second.values, comparison.pairs
    setting = comparison.setting
    classes = setting.classes if adjusted else None

    rho = spearman_over_pairs(loss, found, pairs, classes)
    least = deviation_of_permuted(loss, found, pairs, setting.groups, classes, together=True)
    interval = comparison.interval(rho, CORRELATION, least)
    n = mean_in_both(loss, found, pairs)
    return Estimate(name, name, STATISTIC, rows, interval, n, 0.0, interval.p_of(0.0))
