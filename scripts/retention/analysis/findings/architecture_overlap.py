"""F1: do two architectures forget the same samples?

| comparison | statistic | chance | ceiling |
|---|---|---|---|
| "A vs B" | jaccard (different seeds), jaccard_same_seed, spearman | two random subsets | √(within A · within B) |
| "A vs A" | jaccard: pairs of seeds of one architecture | two random subsets | |

Ties at the cut are broken at random many times; `note` says "degenerate" when more than half of the
places are given by lot. `chance_within_class` keeps each class's share of the top.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import numpy as np
import pandas as pd

from retention.analysis.finding_table import Setting, finish, row, setting_of
from retention.analysis.ranks import (
    chance_jaccard,
    expected_jaccard,
    random_tie_jaccard,
    tied_at_cut,
    top_probability,
    weighted_spearman,
)
from retention.analysis.resampling import new_runs, p_value
from retention.analysis.runs import Run, by_architecture, scores

FINDING = "architecture_overlap"
Pair = tuple[int, int]


def measure(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's table."""
    setting = setting_of(runs, statistics, FINDING)
    groups = by_architecture(runs)
    values = {name: scores(group, statistics["score"]) for name, group in groups.items()}
    seeds = {name: [run.seed for run in group] for name, group in groups.items()}
    rows, within = [], {}
    for name in groups:
        pairs = list(combinations(range(len(seeds[name])), 2))
        if pairs:
            within[name] = _jaccard_row(setting, values, seeds, (name, name), pairs)
            rows.append(within[name])
    for first, second in combinations(groups, 2):
        pairs = list(product(range(len(seeds[first])), range(len(seeds[second]))))
        same = [(i, j) for i, j in pairs if seeds[first][i] == seeds[second][j]]
        other = [pair for pair in pairs if pair not in same]
        ceiling = np.nan
        if first in within and second in within:
            ceiling = float(np.sqrt(within[first]["estimate"] * within[second]["estimate"]))
        for statistic, chosen in (("jaccard", other), ("jaccard_same_seed", same)):
            if chosen:
                found = _jaccard_row(setting, values, seeds, (first, second), chosen)
                rows.append(found | {"statistic": statistic, "ceiling": ceiling})
        if other:
            rows.append(_spearman_row(setting, values, seeds, (first, second), other))
    return finish(rows, FINDING, runs[0].dataset, statistics["correction"])


def _jaccard_row(
    setting: Setting,
    values: Mapping[str, np.ndarray],
    seeds: Mapping[str, list[int]],
    names: tuple[str, str],
    pairs: Sequence[Pair],
) -> dict:
    fraction = setting.statistics["top_fraction"]
    first, second = values[names[0]], values[names[1]]
    items = np.array(
        [
            random_tie_jaccard(
                first[i], second[j], fraction, setting.statistics["tie_breaks"], setting.draws
            )
            for i, j in pairs
        ]
    )
    tops = {}
    for side, i in {(0, i) for i, _ in pairs} | {(1, j) for _, j in pairs}:
        tops[side, i] = top_probability((first, second)[side][i], setting.counts, fraction)
    draws = np.stack(
        [expected_jaccard(tops[0, i], tops[1, j], setting.counts) for i, j in pairs], axis=1
    )
    interval = new_runs(items, draws, _involves(seeds, names, pairs), setting.groups)
    sizes = [int(np.sum(np.isfinite(first[i]) & np.isfinite(second[j]))) for i, j in pairs]
    lots = [tied_at_cut(v, fraction) for v in (*first, *second)]
    n = round(np.mean(sizes))
    degenerate = max(lots) > fraction * n / 2
    return row(
        "jaccard",
        interval,
        comparison=f"{names[0]} vs {names[1]}",
        architecture=names[0] if names[0] == names[1] else "",
        p=_p_of_overlap(setting, first, second, pairs),
        n=n,
        chance=chance_jaccard(n, round(fraction * n)),
        definition=f"top {fraction:g} by {setting.statistics['score']}, random tie-breaks",
        seeds=len(set(seeds[names[0]]) | set(seeds[names[1]])),
        note=f"{'degenerate: ' if degenerate else ''}up to {max(lots)} of {round(fraction * n)} places given by lot; "
        f"chance within class {_within_class(setting, first, second, pairs):.3f}",
    )


def _spearman_row(setting, values, seeds, names, pairs) -> dict:
    first, second = values[names[0]], values[names[1]]
    items = np.array([weighted_spearman(first[i], second[j], setting.once)[0] for i, j in pairs])
    draws = np.stack(
        [weighted_spearman(first[i], second[j], setting.counts) for i, j in pairs], axis=1
    )
    interval = new_runs(items, draws, _involves(seeds, names, pairs), setting.groups)
    return row(
        "spearman",
        interval,
        comparison=f"{names[0]} vs {names[1]}",
        architecture="",
        p=interval.p_of(0.0),
        n=first.shape[1],
        chance=0.0,
        definition=f"{setting.statistics['score']}, pairs of different seeds",
        seeds=len(set(seeds[names[0]]) | set(seeds[names[1]])),
    )


def _involves(seeds, names, pairs) -> np.ndarray:
    every = sorted(set(seeds[names[0]]) | set(seeds[names[1]]))
    return np.array(
        [[s in (seeds[names[0]][i], seeds[names[1]][j]) for s in every] for i, j in pairs]
    )


def _p_of_overlap(setting, first, second, pairs) -> float:
    """Permute the samples of the first lists against the second: no shared signal."""
    tops = [
        np.stack(
            [top_probability(v, setting.once, setting.statistics["top_fraction"])[0] for v in m]
        )
        for m in (first, second)
    ]
    chosen = tuple(np.array(pairs).T)
    permuted = []
    for _ in range(min(setting.statistics["resamples"], 999)):
        # Each first list has a permutation of its own: pairs of one architecture share the rows.
        shuffled = setting.draws.permuted(tops[0], axis=1)
        permuted.append((shuffled @ tops[1].T)[chosen].mean())
    return p_value((tops[0] @ tops[1].T)[chosen].mean(), np.array(permuted))


def _within_class(setting, first, second, pairs) -> float:
    """Expected Jaccard when each class keeps its share of the top, its members being random."""
    indicator = (setting.classes[:, None] == np.unique(setting.classes)).astype(float)
    sizes = indicator.sum(axis=0)
    found = []
    for i, j in pairs:
        tops = [
            top_probability(v, setting.once, setting.statistics["top_fraction"])[0]
            for v in (first[i], second[j])
        ]
        shared = ((tops[0] @ indicator) * (tops[1] @ indicator) / sizes).sum()
        found.append(shared / (tops[0].sum() + tops[1].sum() - shared))
    return float(np.mean(found))
