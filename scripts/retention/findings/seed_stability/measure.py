"""F3: does a sample that is forgotten in one run get forgotten in the next?

| comparison | statistic | chance |
|---|---|---|
| "A" | spearman, kendall, phi_ever_forgotten: mean over pairs of seeds | 0 |
| "A" | spearman_ever_forgotten: among the samples that either run forgot | below 0: selected by their values |
| "A" | split_half: hazard at odd against even epochs within a run, Spearman–Brown to full length | simulated |
| "A" | split_half_null_within_class: split_half if all samples of a class were equally forgettable | |
| "A" | reliability_of_mean: of the mean score of all seeds; seeds_needed: for a reliability of 0.8 | |
| "all runs" | variance_<source>, variance_of_ranks_<source>: shares of the score's variance | 0 |

split_half is the agreement of two halves of one trace. It is no ceiling of the agreement between runs, which
may exceed it: halves of a trace are not independent.

p: the interval's, of ρ = 0. Variance components: `variance_components`.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, rankdata

from retention.common.errors import UserError
from retention.common.few import IN_BOTH, are_few
from retention.dynamics.split_half import CHANCE, CHANCE_WITHIN_CLASS
from retention.measuring.few import FewShared, forgotten_in_both, note_of_few, unusual_runs
from retention.measuring.table import Setting, finish, row, setting_of
from retention.runs.reading import (
    Run,
    by_architecture,
    column,
    read_runs,
    scores,
)
from retention.statistics.few_events import worth, worth_among
from retention.statistics.null_variance import deviation_of_permuted
from retention.statistics.ranks import Pairs, mean_in_both, spearman_of_pairs, spearman_over_pairs
from retention.statistics.reliability import seeds_needed, spearman_brown
from retention.statistics.resampling import CORRELATION, Interval
from retention.statistics.variance_components import SOURCES, blocks_of_classes, shares

NAME = "seed_stability"
LOST_IN_ONE_HALF = "no sample was lost both at odd and at even epochs: halves cannot agree"
CHANCE_PAIRS = 60  # pairs of permuted runs that the chance among the ever-forgotten is a mean of


def read(samples: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from samples.parquet of the runs."""
    return {"runs": read_runs(samples)}


def measure(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's table; raise `UserError` when no architecture has two runs."""
    setting = setting_of(runs, statistics, NAME)
    groups = by_architecture(runs)
    if max(map(len, groups.values())) < 2:
        raise UserError(
            "--samples: names one run of each architecture; the stability of seeds needs two or more"
        )
    said = unusual_runs(
        {name: column(group, "forgetting_events") > 0 for name, group in groups.items()},
        {name: [run.seed for run in group] for name, group in groups.items()},
    )
    rows = [
        found
        for name, group in groups.items()
        if len(group) > 1
        for found in _rows(setting, name, group, said[name])
    ]
    rows += _variance_rows(setting, list(groups.values()))
    first, correction = runs[0], statistics["correction"]
    return finish(rows, NAME, first.dataset, correction, IN_BOTH, treatment=first.treatment)


def _rows(setting: Setting, name: str, group: Sequence[Run], unusual: str) -> list[dict]:
    values = scores(group, setting.statistics["score"])
    forgotten = column(group, "forgetting_events") > 0
    seeds = [run.seed for run in group]
    pairs = list(combinations(range(len(group)), 2))
    shared = {"comparison": name, "architecture": name, "seeds": len(group)}
    shared["n"] = mean_in_both(values, values, pairs)

    agreement = spearman_over_pairs(values, values, pairs)
    events = forgotten.astype(float)
    phi = spearman_over_pairs(events, events, pairs)  # of two 0/1 variables Spearman's ρ is φ

    def ever(weights: np.ndarray) -> np.ndarray:
        return _among_forgotten(values, forgotten, pairs, weights)

    def between_seeds(of_pairs: Callable, matrix: np.ndarray) -> Interval:
        least = deviation_of_permuted(matrix, matrix, pairs, setting.groups)
        interval = setting.over_pairs(of_pairs, pairs, (seeds, seeds), CORRELATION, least)
        return few.in_correlation(interval, worth(forgotten, forgotten, pairs))

    few = FewShared(forgotten, forgotten, pairs, setting.groups)
    in_both = forgotten_in_both(forgotten, forgotten, pairs)
    half = _split_half(setting, group)
    stability = between_seeds(agreement, values)
    one = stability.estimate
    tau = [_kendall(values[i], values[j]) for i, j in pairs]
    needed: dict[str, object] = {
        "low": seeds_needed(stability.high),
        "high": seeds_needed(stability.low),
    }
    needed |= {"target": stability.target, "definition": "for a reliability of 0.8"}
    mean = spearman_brown(one, len(group)) if one > 0 else np.nan
    return [
        row(
            "spearman",
            stability,
            p=stability.p_of(0.0),
            chance=0.0,
            definition=f"{setting.statistics['score']}, all pairs of seeds",
            **shared,
            **in_both,
            **note_of_few(in_both, unusual),
        ),
        row("kendall", _mean(tau), chance=0.0, **shared),
        row(
            "spearman_ever_forgotten",
            few.in_estimate(
                setting.over_pairs(ever, pairs, (seeds, seeds), CORRELATION),
                worth_among(forgotten, forgotten, pairs),
            ),
            chance=_chance_among_forgotten(setting, values, forgotten, pairs),
            definition="forgotten in either run; chance: runs that share nothing, below 0",
            **shared
            | {"n": round(np.mean([np.sum(forgotten[i] | forgotten[j]) for i, j in pairs]))},
        ),
        row(
            "phi_ever_forgotten",
            between_seeds(phi, forgotten.astype(float)),
            chance=0.0,
            definition="forgotten at least once, φ",
            **shared | {"n": values.shape[1]},
            **in_both,
            **note_of_few(in_both, unusual),
        ),
        half | {key: value for key, value in shared.items() if key != "n"},
        row(
            "split_half_null_within_class",
            _mean_chance(group, CHANCE_WITHIN_CLASS),
            definition="samples of a class equally forgettable, simulated",
            **shared,
        ),
        row("reliability_of_mean", mean, definition="Spearman–Brown", **shared),
        row("seeds_needed", seeds_needed(one) if one > 0 else np.nan, **needed, **shared),
    ]


def _kendall(x: np.ndarray, y: np.ndarray) -> float:
    kept = np.isfinite(x) & np.isfinite(y)
    return float(kendalltau(x[kept], y[kept]).statistic) if kept.sum() > 1 else float("nan")


def _mean(found: Sequence[float] | np.ndarray) -> float:
    """Return the mean of what is finite, NaN where nothing is."""
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")


def _among_forgotten(
    values: np.ndarray, forgotten: np.ndarray, pairs: Pairs, weights: np.ndarray
) -> np.ndarray:
    """Return ρ of each pair among the samples that either of its runs forgot, [B, P]."""
    found = []
    for i, j in pairs:
        two = np.where(forgotten[i] | forgotten[j], values[[i, j]], np.nan)
        found.append(spearman_of_pairs(two, two, [(0, 1)], weights)[:, 0])
    return np.stack(found, axis=1)


def _chance_among_forgotten(
    setting: Setting, values: np.ndarray, forgotten: np.ndarray, pairs: Pairs
) -> float:
    """Permute each run's samples on their own: who is in for one run alone is low in the other."""
    found = []
    for _ in range(-(-CHANCE_PAIRS // len(pairs))):
        order = setting.draws.permuted(
            np.broadcast_to(np.arange(values.shape[1]), values.shape), axis=1
        )
        scored, lost = (np.take_along_axis(matrix, order, axis=1) for matrix in (values, forgotten))
        found.append(_mean(_among_forgotten(scored, lost, pairs, setting.once)))
    return _mean(found)


def _split_half(setting: Setting, group: Sequence[Run]) -> dict:
    odd, even = column(group, "hazard_odd"), column(group, "hazard_even")
    same = [(i, i) for i in range(len(group))]

    half = spearman_over_pairs(odd, even, same)

    def full_length(weights: np.ndarray) -> np.ndarray:
        return spearman_brown(half(weights), 2)

    chance = deviation_of_permuted(odd, even, same, setting.groups)
    # The slope of the lengthened correlation at 0, where it is steepest.
    interval = setting.over_runs(full_length, len(group), CORRELATION, 2 * chance)
    few = FewShared(odd > 0, even > 0, same, setting.groups)
    interval = few.in_correlation(interval, 2 * worth(odd > 0, even > 0, same))
    return row(
        "split_half",
        interval,
        chance=_mean_chance(group, CHANCE),
        n=mean_in_both(odd, even, same),
        definition="unsmoothed hazard, odd against even epochs; chance: samples equally forgettable, simulated",
        note="" if np.any((odd > 0) & (even > 0)) else LOST_IN_ONE_HALF,
    )


def _mean_chance(group: Sequence[Run], name: str) -> float:
    return _mean([run.chances.get(name, np.nan) for run in group])


def _variance_rows(setting: Setting, groups: Sequence[Sequence[Run]]) -> list[dict]:
    """Shares of variance over all runs; none where architectures differ in seeds or have one.

    Nor where no class has two groups: what is the class's and what the sample's can not be told apart.
    """
    if len({len(group) for group in groups}) > 1 or len(groups[0]) < 2:
        return []
    values = np.stack([scores(group, setting.statistics["score"]) for group in groups])
    kept = np.isfinite(values).all(axis=(0, 1))
    classes, blocks = setting.classes[kept], setting.groups[kept]
    if len(np.unique(blocks)) < 4 or len(np.unique(classes)) < 2:
        return []
    if np.all(blocks_of_classes(classes, blocks) < 0):
        return []
    jointly = rankdata(values[..., kept]).reshape(values[..., kept].shape)
    few = _too_few([run for group in groups for run in group])
    rows = []
    for prefix, matrix in (("variance", values[..., kept]), ("variance_of_ranks", jointly)):
        found = shares(matrix, classes, blocks)
        # of the score itself a few samples are nearly all the variance: no interval holds
        with_interval = prefix == "variance_of_ranks" and not few
        for source in SOURCES:
            if source in found:
                rows.append(
                    row(
                        f"{prefix}_{source}",
                        found[source] if with_interval else found[source].estimate,
                        comparison="all runs",
                        architecture="",
                        n=int(kept.sum()),
                        chance=np.nan if source == "residual" else 0.0,
                        seeds=len(groups[0]),
                        definition=f"share of the variance of {setting.statistics['score']}",
                        note="samples with a score in every run"
                        + (", too few forgotten for an interval" if few else ""),
                    )
                )
    return rows


def _too_few(runs: Sequence[Run]) -> bool:
    """Return whether too few samples were forgotten to tell what runs share: by all pairs, or one by each."""
    forgotten = column(runs, "forgetting_events") > 0
    pairs = list(combinations(range(len(runs)), 2))
    expected = forgotten_in_both(forgotten, forgotten, pairs)[IN_BOTH[1]]
    return are_few(expected) or expected < len(pairs)
