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
from retention.multiverse.averaged import sets_of
from retention.multiverse.study import Study
from retention.statistics.ranks import OfWeights, Pairs
from retention.statistics.redrawn import Redrawn
from retention.statistics.resampling import Interval, Scale, new_runs

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

    draws: how often labels are permuted where a finding permutes them; averaged_over: how many seeds' scores are averaged.
    over_time: whether a test's time is over.
    """

    study: Study
    statistics: Mapping
    setting: Setting
    draws: int
    averaged_over: int
    over_time: Callable[[], bool] = bool  # never

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
    """Two sides and which rows of them are paired.

    setting: of as many samples as the sides have; sets: the seeds that each pair rests on, where rows are means over several.
    """

    first: Side
    second: Side
    pairs: Pairs
    setting: Setting
    sets: Sequence[frozenset[int]] = ()

    def interval(self, of_pairs: OfWeights, scale: Scale, least: float = 0.0) -> Interval:
        """Return the interval of the mean over the pairs, as `Setting.over_pairs` takes it."""
        if not self.sets:
            seeds = self.first.seeds, self.second.seeds
            return self.setting.over_pairs(of_pairs, self.pairs, seeds, scale, least)
        items = of_pairs(self.setting.once)[0]
        draws = self.setting.resamples.over(of_pairs)
        defined = np.isfinite(items)
        if not defined.any():
            return Interval(float("nan"), float("nan"), 1.0, "", scale)
        every = sorted(frozenset.union(*self.sets))
        involves = np.array([[seed in one for seed in every] for one in self.sets])[defined]
        involves = involves[:, involves.any(axis=0)]
        groups = self.setting.number_of_groups
        return new_runs(items[defined], draws[:, defined], involves, groups, scale).at_least(least)


def frame_of(study: Study, finding: str, statistics: Mapping, options: Mapping) -> Frame:
    """Return the frame of a finding; options: of the multiverse, resamples and draws among them.

    The resamples are those that the finding itself draws, as far as they go.
    """
    of_finding = {**statistics, "resamples": options["resamples"]}
    setting = setting_of(study.runs, of_finding, finding)
    return Frame(study, statistics, setting, options["draws"], options["averaged_over"])


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
        return _averaged(frame, first, second)
    if pairs == "pooled":
        return _pooled(frame.setting, first, second)
    every = product(range(len(first.seeds)), range(len(second.seeds)))
    same = pairs == "same_seed"
    chosen = [(i, j) for i, j in every if (first.seeds[i] == second.seeds[j]) == same]
    return Comparison(first, second, chosen, frame.setting) if chosen else None


def _averaged(frame: Frame, first: Side, second: Side) -> Comparison:
    """Return the means over each set of runs, a set of the first beside that of the second."""
    sets = [sets_of(len(side.seeds), frame.averaged_over) for side in (first, second)]
    paired = list(zip(*sets, strict=False))
    one, other = (_means(side, those) for side, those in zip((first, second), sets, strict=True))
    seeds = [
        frozenset([*(first.seeds[i] for i in of_first), *(second.seeds[j] for j in of_second)])
        for of_first, of_second in paired
    ]
    return Comparison(one, other, [(k, k) for k in range(len(paired))], frame.setting, seeds)


def _means(side: Side, sets: Sequence[Sequence[int]]) -> Side:
    """Return the mean over the runs of each set in which a sample has a value; forgotten: in any of them."""
    values, forgotten = [], []
    for rows in sets:
        found = side.values[list(rows)]
        finite = np.isfinite(found)
        with np.errstate(invalid="ignore", divide="ignore"):
            values.append(np.where(finite, found, 0.0).sum(axis=0) / finite.sum(axis=0))
        forgotten.append(side.forgotten[list(rows)].any(axis=0))
    return Side(np.stack(values), np.stack(forgotten), range(len(sets)))


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
