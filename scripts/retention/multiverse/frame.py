"""What is compared with what: rows of runs, means over runs, or runs one after another."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np

from retention.common.randomness import generator
from retention.findings.class_forgetting.structure import permuted_labels
from retention.measuring.table import Setting, setting_of
from retention.multiverse.study import Study
from retention.statistics.ranks import Pairs
from retention.statistics.redrawn import Redrawn
from retention.statistics.resampling import Interval

BY_POSITION = "by_position"
NO_PAIR = "no pair of such runs"


@dataclass(frozen=True)
class Estimate:
    """A combination's number of one comparison.

    architecture: "" where there are several; rows: the runs that it is of; p: of `chance`; both may be NaN.
    """

    comparison: str
    architecture: str
    statistic: str
    rows: Sequence[int]
    interval: Interval
    n: int
    chance: float
    p: float
    note: str = ""


@dataclass(frozen=True)
class Frame:
    """What the combinations of a finding share: the study, the group bootstrap of the finding, the options.

    draws: how often labels are permuted where a finding permutes them.
    """

    study: Study
    statistics: Mapping
    setting: Setting
    draws: int

    @cached_property
    def labellings(self) -> Redrawn:
        """Class labels permuted among whole groups, int [draws, N], as F4 permutes them; all combinations share them."""
        classes, groups = self.setting.classes, self.setting.groups

        def labels_of(draws: np.random.Generator, times: int) -> np.ndarray:
            return permuted_labels(classes, groups, times, draws)

        return Redrawn(labels_of, self.draws, deepcopy(self.setting.draws))


@dataclass(frozen=True)
class Side:
    """Rows of samples on one side of a comparison.

    values: float [R, N]; forgotten: bool [R, N], at least once; seeds: of the rows.
    """

    values: np.ndarray
    forgotten: np.ndarray
    seeds: Sequence[int]


@dataclass(frozen=True)
class Comparison:
    """Two sides and which rows of them are paired; setting: of as many samples as the sides have."""

    first: Side
    second: Side
    pairs: Pairs
    setting: Setting

    @property
    def seeds(self) -> tuple[Sequence[int], Sequence[int]]:
        """Return the seeds of both sides, as `Setting.over_pairs` takes them."""
        return self.first.seeds, self.second.seeds


def frame_of(study: Study, finding: str, statistics: Mapping, options: Mapping) -> Frame:
    """Return the frame of a finding; options: of the multiverse, resamples and draws among them.

    The resamples are those that the finding itself draws, as far as they go.
    """
    of_finding = {**statistics, "resamples": options["resamples"]}
    setting = setting_of(study.runs, of_finding, finding)
    return Frame(study, statistics, setting, options["draws"])


def matched(frame: Frame, rows: np.ndarray, split: str) -> np.ndarray:
    """Return rows of runs, [R, N]; where samples are matched by position, each in the order of its seed's own split."""
    if split != BY_POSITION:
        return rows
    study, seed = frame.study, frame.statistics["seed"]
    return np.stack(
        [
            row[_order(run.dataset, seed, run.seed, len(row))]
            for run, row in zip(study.runs, rows, strict=True)
        ]
    )


def _order(dataset: str, seed: int, of_run: int, samples: int) -> np.ndarray:
    return generator(dataset, seed, "multiverse", "split", of_run).permutation(samples)


def side_of(frame: Frame, values: np.ndarray, rows: Sequence[int], split: str) -> Side:
    """Return the runs of an architecture as one side; values: float [R, N] of all runs, not yet `matched`."""
    forgotten = matched(frame, frame.study.forgotten, split)
    return Side(matched(frame, values, split)[rows], forgotten[rows], frame.study.seeds(rows))


def compared(frame: Frame, first: Side, second: Side, pairs: str) -> Comparison | None:
    """Return the comparison that a level of the dimension pairs makes of two sides; None where it has no pair."""
    if pairs == "averaged":
        return Comparison(_averaged(first), _averaged(second), [(0, 0)], frame.setting)
    if pairs == "pooled":
        return _pooled(frame.setting, first, second)
    every = product(range(len(first.seeds)), range(len(second.seeds)))
    same = pairs == "same_seed"
    chosen = [(i, j) for i, j in every if (first.seeds[i] == second.seeds[j]) == same]
    return Comparison(first, second, chosen, frame.setting) if chosen else None


def _averaged(side: Side) -> Side:
    """Return the mean over the runs in which a sample has a value; forgotten: in any run."""
    finite = np.isfinite(side.values)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(finite, side.values, 0.0).sum(axis=0) / finite.sum(axis=0)
    return Side(mean[None], np.atleast_2d(side.forgotten.any(axis=0)), [0])


def _pooled(setting: Setting, first: Side, second: Side) -> Comparison | None:
    """Return the samples of all seeds that both sides have, one seed after another."""
    shared = [seed for seed in first.seeds if seed in second.seeds]
    if not shared:
        return None
    one, other = (_in_a_row(side, shared) for side in (first, second))
    return Comparison(one, other, [(0, 0)], _repeated(setting, len(shared)))


def _in_a_row(side: Side, seeds: Sequence[int]) -> Side:
    rows = [list(side.seeds).index(seed) for seed in seeds]
    return Side(side.values[rows].reshape(1, -1), side.forgotten[rows].reshape(1, -1), [0])


class _Repeated(Redrawn):
    """Resamples of N samples as those of the samples of several seeds in a row: a group is drawn with all its rows."""

    def __init__(self, resamples: Redrawn, times: int):
        self._resamples, self._times, self.rows = resamples, times, resamples.rows

    def over(self, statistic: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return self._resamples.over(lambda weights: statistic(np.tile(weights, (1, self._times))))


def _repeated(setting: Setting, times: int) -> Setting:
    groups, classes = (np.tile(one, times) for one in (setting.groups, setting.classes))
    return replace(
        setting, resamples=_Repeated(setting.resamples, times), groups=groups, classes=classes
    )


def nothing(
    comparison: str, architecture: str, statistic: str, rows: Sequence[int], note: str
) -> Estimate:
    """Return the estimate of what can not be estimated, with the reason."""
    nan = float("nan")
    return Estimate(
        comparison, architecture, statistic, rows, Interval(nan, nan, 1.0, ""), 0, nan, nan, note
    )
