"""F3: does a sample that is forgotten in one run get forgotten in the next?

| comparison | statistic | chance | ceiling |
|---|---|---|---|
| "A" | spearman, kendall, spearman_ever_forgotten, phi_ever_forgotten: mean over pairs of seeds | 0 | split-half, for spearman |
| "A" | split_half: hazard at odd against even epochs within a run, Spearman–Brown to full length | 0 | |
| "A" | reliability_of_mean: of the mean score of all seeds; seeds_needed: for a reliability of 0.8 | | |
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from retention.analysis.finding_table import Setting, finish, row, setting_of
from retention.analysis.ranks import standardised_ranks, weighted_pearson, weighted_spearman
from retention.analysis.resampling import new_runs, p_value
from retention.analysis.runs import Run, by_architecture, column, scores

FINDING = "seed_stability"
WANTED_RELIABILITY = 0.8


def measure(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's table."""
    setting = setting_of(runs, statistics, FINDING)
    rows = [
        found
        for name, group in by_architecture(runs).items()
        if len(group) > 1
        for found in _rows(setting, name, group)
    ]
    return finish(rows, FINDING, runs[0].dataset, statistics["correction"])


def spearman_brown(correlation: float, length: float) -> float:
    """Return the reliability of a measure `length` times as long (Spearman 1910, Brown 1910)."""
    return length * correlation / (1 + (length - 1) * correlation)


def _rows(setting: Setting, name: str, group: Sequence[Run]) -> list[dict]:
    values = scores(group, setting.statistics["score"])
    forgotten = column(group, "forgetting_events") > 0
    pairs = list(combinations(range(len(group)), 2))
    involves = np.array([[s in pair for s in range(len(group))] for pair in pairs])
    shared = {"comparison": name, "architecture": name, "seeds": len(group), "n": values.shape[1]}

    def over_pairs(statistic: str, of_pair: Callable, **columns: object) -> dict:
        items = np.array([of_pair(i, j, setting.once)[0] for i, j in pairs])
        draws = np.stack([of_pair(i, j, setting.counts) for i, j in pairs], axis=1)
        interval = new_runs(items, draws, involves, setting.groups)
        return row(statistic, interval, **{"chance": 0.0, **shared, **columns})

    def ever(i: int, j: int, weights: np.ndarray) -> np.ndarray:
        kept = forgotten[i] | forgotten[j]
        return weighted_spearman(
            np.where(kept, values[i], np.nan), np.where(kept, values[j], np.nan), weights
        )

    def phi(i: int, j: int, weights: np.ndarray) -> np.ndarray:
        sides = [np.broadcast_to(forgotten[k].astype(float), weights.shape) for k in (i, j)]
        return weighted_pearson(*sides, weights)

    half = _split_half(setting, group)
    stability = over_pairs(
        "spearman",
        lambda i, j, weights: weighted_spearman(values[i], values[j], weights),
        p=_p_of_agreement(setting, values),
        ceiling=half["estimate"],
        definition=f"{setting.statistics['score']}, all pairs of seeds",
    )
    one = stability["estimate"]
    tau = [kendalltau(values[i], values[j], nan_policy="omit").statistic for i, j in pairs]
    usable = one > 0
    needed = (1 - one) / one * WANTED_RELIABILITY / (1 - WANTED_RELIABILITY) if usable else np.nan
    mean = spearman_brown(one, len(group)) if usable else np.nan
    return [
        stability,
        row("kendall", float(np.nanmean(tau)), chance=0.0, **shared),
        over_pairs("spearman_ever_forgotten", ever, definition="forgotten in either run"),
        over_pairs("phi_ever_forgotten", phi, definition="forgotten at least once, φ"),
        half | shared,
        row("reliability_of_mean", mean, definition="Spearman–Brown", **shared),
        row("seeds_needed", needed, definition="for a reliability of 0.8", **shared),
    ]


def _split_half(setting: Setting, group: Sequence[Run]) -> dict:
    odd, even = column(group, "hazard_odd"), column(group, "hazard_even")

    def full_length(weights: np.ndarray) -> np.ndarray:
        halves = [weighted_spearman(a, b, weights) for a, b in zip(odd, even, strict=True)]
        return spearman_brown(np.stack(halves, axis=1), 2)

    interval = new_runs(
        full_length(setting.once)[0],
        full_length(setting.counts),
        np.eye(len(group), dtype=bool),
        setting.groups,
    )
    return row(
        "split_half", interval, chance=0.0, definition="unsmoothed hazard, odd against even epochs"
    )


def _p_of_agreement(setting: Setting, values: np.ndarray) -> float:
    """Permute the samples of every run on its own: runs that share nothing."""
    ranks = standardised_ranks(values)
    upper = np.triu_indices(len(ranks), 1)
    permuted = []
    for _ in range(min(setting.statistics["resamples"], 999)):
        shuffled = setting.draws.permuted(ranks, axis=1)
        permuted.append((shuffled @ shuffled.T)[upper].mean())
    return p_value((ranks @ ranks.T)[upper].mean(), np.array(permuted))
