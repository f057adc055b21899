"""F2: the mean R² of the samples' decay curves, and how two architectures differ in it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from retention.findings.fit_quality.measure import measure
from retention.multiverse.choices import Levels
from retention.multiverse.frame import Estimate, Frame
from retention.multiverse.scores import Scores
from retention.multiverse.study import Study
from retention.runs.reading import Run
from retention.statistics.resampling import Interval

STATISTIC, DIFFERENCE = "mean_r_squared", "difference_r_squared"
RANKED = False
PART = 128  # resamples whose weights are turned into float64 at a time


def lacking(study: Study) -> str:
    """Return why a study has no such number, "" where it has."""
    return "" if study.runs else "there is no run"


def measured(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's own table."""
    return measure(runs, statistics)


def values(scores: Scores, levels: Levels) -> np.ndarray:
    """Return what is scored, float [R, N]."""
    return scores.r_squared(levels)


def estimates(frame: Frame, scores: Scores, levels: Levels) -> Iterator[Estimate]:
    """Yield the mean of each architecture, and the difference of each two that have the same seeds."""
    found, sides, nan = scores.r_squared(levels), frame.study.architectures, float("nan")
    for name, rows in sides.items():
        interval = _over_runs(frame, [found[rows]])
        n = _mean_number(found[rows])
        yield Estimate(name, name, STATISTIC, rows, interval, n, nan, nan)
    for one, other in combinations(sides, 2):
        if frame.study.seeds(sides[one]) == frame.study.seeds(sides[other]):
            two = [found[sides[one]], found[sides[other]]]
            interval = _over_runs(frame, two)
            n = round(np.mean([np.isfinite(side).sum(axis=1) for side in two]))
            name, rows = f"{one} minus {other}", [*sides[one], *sides[other]]
            yield Estimate(name, "", DIFFERENCE, rows, interval, n, 0.0, interval.p_of(0.0))


def _over_runs(frame: Frame, sides: Sequence[np.ndarray]) -> Interval:
    """Return the interval of the mean over runs of R², or of the first side's minus the second's."""

    def of_runs(weights: np.ndarray) -> np.ndarray:
        parts = []
        for start in range(0, len(weights), PART):
            part = weights[start : start + PART].astype(float)
            means = [means_of_runs(part, side) for side in sides]
            parts.append(means[0] - means[1] if len(means) > 1 else means[0])
        return np.concatenate(parts)

    setting = frame.setting
    groups = [len(np.unique(setting.groups[np.isfinite(side).any(axis=0)])) for side in sides]
    return setting.over_runs(of_runs, len(sides[0])).of_few(min(groups))


def means_of_runs(weights: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Return each run's mean over the samples that have a value, [B, R]; NaN where none has."""
    finite = np.isfinite(side)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights @ np.where(finite, side, 0.0).T) / (weights @ finite.T.astype(float))


def _mean_number(side: np.ndarray) -> int:
    return round(np.isfinite(side).sum(axis=1).mean())
