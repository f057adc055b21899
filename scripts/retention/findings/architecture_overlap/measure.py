"""F1: do two architectures forget the same samples?

| comparison | statistic | chance | ceiling |
|---|---|---|---|
| "A vs B" | jaccard (pairs of different seeds), jaccard_same_seed | two random subsets | √(within A · within B) |
| "A vs B" | jaccard_null_within_class: overlap if each class kept its share of the top, its members being random | | |
| "A vs B" | jaccard_beyond_class: overlap less its mean when samples are exchanged within their class | 0 | |
| "A vs B" | spearman, rank_biased_overlap | 0; of random rankings | √(within A · within B) |
| "A vs B" | never_learned_jaccard: samples that were never learned, a stratum of their own | two random sets of these sizes | |
| "A vs A" | jaccard, spearman, rank_biased_overlap: pairs of seeds of one architecture | as above | |

Ties at the cut are broken at random many times; `note` says "degenerate" when more than half of the
places are given by lot. p: the interval's, of the chance value; of jaccard_beyond_class that of the permutation of
whole groups within their class, the same one for all runs of B. The ceiling is the agreement that
two runs of one architecture reach; it is a yardstick, no bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from retention.common.errors import UserError
from retention.common.few import IN_BOTH
from retention.findings.architecture_overlap.within_class import (
    alike,
    beyond_class,
    expected_within_class,
)
from retention.measuring.few import FewShared, forgotten_in_both, note_of_few, unusual_runs
from retention.measuring.table import Setting, finish, row, setting_of
from retention.runs.reading import (
    Run,
    by_architecture,
    column,
    read_runs,
    scores,
)
from retention.statistics.exchange import Exchange
from retention.statistics.few_events import worth, worth_in_top
from retention.statistics.null_variance import deviation_of_permuted
from retention.statistics.ranks import Pairs, mean_in_both, overlap_over_pairs, spearman_over_pairs
from retention.statistics.resampling import CORRELATION, ROUNDING, SHARE, Interval, p_value
from retention.statistics.top_fractions import (
    chance_jaccard,
    random_tie_moments,
    rank_biased_overlap,
    tied_at_cut,
)

NAME = "architecture_overlap"
DEPTH_TIE_BREAKS = 5  # rank-biased overlap looks at the whole list: fewer tie-breaks will do


@dataclass(frozen=True)
class Side:
    """The runs of one architecture."""

    name: str
    values: np.ndarray  # float [R, N], the score
    never: np.ndarray  # bool [R, N], never learned
    forgotten: np.ndarray  # bool [R, N], at least once
    seeds: list[int]
    unusual: str = ""  # what to say of runs that forgot nothing, or nearly all


def read(samples: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from samples.parquet of the runs."""
    return {"runs": read_runs(samples)}


def measure(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's table; raise `UserError` when there is one run alone."""
    if len(runs) < 2:
        raise UserError("--samples: names one run; an overlap needs two or more")
    setting = setting_of(runs, statistics, NAME)
    sides = [
        Side(
            name,
            scores(group, statistics["score"]),
            column(group, "never_learned") > 0,
            column(group, "forgetting_events") > 0,
            [run.seed for run in group],
        )
        for name, group in by_architecture(runs).items()
    ]
    said = unusual_runs(
        {side.name: side.forgotten for side in sides}, {side.name: side.seeds for side in sides}
    )
    sides = [replace(side, unusual=said[side.name]) for side in sides]
    rows: list[dict] = []
    within: dict[tuple[str, str], float] = {}
    for side in sides:
        pairs = list(combinations(range(len(side.seeds)), 2))
        if pairs:
            found = _agreement_rows(setting, side, side, pairs, {})
            within |= {(side.name, r["statistic"]): r["estimate"] for r in found}
            rows += found
    for first, second in combinations(sides, 2):
        rows += _cross_rows(setting, first, second, within)
    run, correction = runs[0], statistics["correction"]
    return finish(rows, NAME, run.dataset, correction, IN_BOTH, treatment=run.treatment)


def _cross_rows(setting: Setting, first: Side, second: Side, within: Mapping) -> list[dict]:
    pairs = list(product(range(len(first.seeds)), range(len(second.seeds))))
    same = [(i, j) for i, j in pairs if first.seeds[i] == second.seeds[j]]
    other = [pair for pair in pairs if pair not in same]
    ceilings = {
        name: _geometric_mean(within.get((first.name, name)), within.get((second.name, name)))
        for name in ("jaccard", "spearman", "rank_biased_overlap")
    }
    rows = _agreement_rows(setting, first, second, other, ceilings) if other else []
    if same:
        found = _jaccard_row(setting, first, second, same)
        rows.append(found | {"statistic": "jaccard_same_seed", "ceiling": ceilings["jaccard"]})
    compared = other or same
    rows += _class_rows(setting, first, second, compared)
    rows.append(_never_learned_row(setting, first, second, compared))
    return rows


def _geometric_mean(first: float | None, second: float | None) -> float:
    if first is None or second is None or not min(first, second) >= 0:
        return float("nan")
    return float(np.sqrt(first * second))


def _shared(setting: Setting, first: Side, second: Side) -> dict:
    return {
        "comparison": f"{first.name} vs {second.name}",
        "architecture": first.name if first.name == second.name else "",
        "seeds": len(set(first.seeds) | set(second.seeds)),
        "n": len(setting.classes),
    }


def _agreement_rows(
    setting: Setting, first: Side, second: Side, pairs: Pairs, ceilings: Mapping
) -> list[dict]:
    rho = spearman_over_pairs(first.values, second.values, pairs)
    least = deviation_of_permuted(
        first.values, second.values, pairs, setting.groups, together=first is not second
    )
    interval = setting.over_pairs(rho, pairs, (first.seeds, second.seeds), CORRELATION, least)
    few = FewShared(first.forgotten, second.forgotten, pairs, setting.groups)
    interval = few.in_correlation(interval, worth(first.forgotten, second.forgotten, pairs))
    fraction = setting.statistics["top_fraction"]
    shared = _shared(setting, first, second)
    shared["n"] = mean_in_both(first.values, second.values, pairs)
    unusual = dict.fromkeys((first.unusual, second.unusual))
    in_both = forgotten_in_both(first.forgotten, second.forgotten, pairs)
    spearman = row(
        "spearman",
        interval,
        p=interval.p_of(0.0),
        chance=0.0,
        ceiling=ceilings.get("spearman", np.nan),
        definition=f"{setting.statistics['score']}, pairs of different seeds",
        **shared,
        **in_both,
        **note_of_few(in_both, *unusual),
    )
    weighted = row(
        "rank_biased_overlap",
        _rank_biased(setting, first, second, pairs),
        chance=fraction,
        ceiling=ceilings.get("rank_biased_overlap", np.nan),
        definition=f"whole rankings, mean depth {fraction:g} of them",
        **shared,
    )
    jaccard = _jaccard_row(setting, first, second, pairs)
    return [jaccard | {"ceiling": ceilings.get("jaccard", np.nan)}, spearman, weighted]


def _rank_biased(setting: Setting, first: Side, second: Side, pairs: Pairs) -> float:
    fraction = setting.statistics["top_fraction"]
    times = min(DEPTH_TIE_BREAKS, setting.statistics["tie_breaks"])
    found = [
        rank_biased_overlap(first.values[i], second.values[j], fraction, times, setting.draws)
        for i, j in pairs
    ]
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")


def _jaccard_row(setting: Setting, first: Side, second: Side, pairs: Pairs) -> dict:
    fraction = setting.statistics["top_fraction"]

    overlap = overlap_over_pairs(first.values, second.values, pairs, fraction)
    interval = setting.over_pairs(overlap, pairs, (first.seeds, second.seeds), SHARE)
    interval = _over_tie_breaks(setting, interval, first, second, pairs)
    few = FewShared(first.forgotten, second.forgotten, pairs, setting.groups)
    gained = worth_in_top(first.values, second.values, pairs, fraction)
    interval = few.in_estimate(interval, gained)
    n = mean_in_both(first.values, second.values, pairs)
    chance = chance_jaccard(n, round(fraction * n))
    lots, places = max(
        (_given_by_lot(first.values[i], second.values[j], fraction) for i, j in pairs),
        key=lambda found: found[0] / max(found[1], 1),
    )
    degenerate = "degenerate: " if lots > places / 2 else ""
    by_lot = f"{degenerate}up to {lots} of {places} places given by lot" if lots else ""
    in_both = forgotten_in_both(first.forgotten, second.forgotten, pairs)
    return row(
        "jaccard",
        interval,
        p=interval.p_of(chance),
        chance=chance,
        definition=f"top {fraction:g} by {setting.statistics['score']}, random tie-breaks",
        **(_shared(setting, first, second) | {"n": n}),
        **in_both,
        **note_of_few(in_both, by_lot, *dict.fromkeys((first.unusual, second.unusual))),
    )


def _over_tie_breaks(
    setting: Setting, interval: Interval, first: Side, second: Side, pairs: Pairs
) -> Interval:
    """Put the mean over tie-breaks in the interval's place, with the variance of the lots drawn.

    The resampled overlaps are means over all lots, so they know nothing of it; where few samples were
    ever forgotten it is nearly all there is.
    """
    fraction, times = setting.statistics["top_fraction"], setting.statistics["tie_breaks"]
    found = np.array(
        [
            random_tie_moments(first.values[i], second.values[j], fraction, times, setting.draws)
            for i, j in pairs
        ]
    )
    found = found[np.isfinite(found[:, 0])]
    if not len(found):
        return replace(interval, estimate=float("nan"))
    mean, of_lots = found[:, 0].mean(), found[:, 1].sum() / len(found) ** 2
    error = np.hypot(interval.standard_error, np.sqrt(of_lots)) if interval.varies else 0.0
    return replace(interval, estimate=float(mean), standard_error=float(error))


def _given_by_lot(x: np.ndarray, y: np.ndarray, fraction: float) -> tuple[int, int]:
    """Return how many places of the longer-tied list are given by lot, of how many.

    Both of the samples that have a score in both runs, as the overlap is.
    """
    kept = np.isfinite(x) & np.isfinite(y)
    lots = max(tied_at_cut(values[kept], fraction) for values in (x, y))
    return lots, round(fraction * kept.sum())


def _class_rows(setting: Setting, first: Side, second: Side, pairs: Pairs) -> list[dict]:
    """Return what the classes explain of the overlap, and what is beyond them."""
    fraction, shared = setting.statistics["top_fraction"], _shared(setting, first, second)
    two = first.values, second.values
    exchange = Exchange(alike(*two, setting.classes), setting.groups)
    draws = setting.draws.spawn(1)[0]
    found, permuted = beyond_class(
        *two, pairs, fraction, exchange.permutations(setting.permutations, draws)
    )
    movable, varies = exchange.movable, np.ptp(permuted) > ROUNDING
    by_class = row(
        "jaccard_null_within_class",
        expected_within_class(*two, pairs, setting.classes, fraction),
        definition="each class keeps its share of the top, members random",
        **shared,
    )
    beyond = row(
        "jaccard_beyond_class",
        found - permuted.mean() if movable else np.nan,
        p=p_value(found, permuted) if varies else np.nan,
        chance=0.0,
        definition="overlap less its mean when groups of equal classes are exchanged; p: of as large a one",
        note=f"{movable} of {len(setting.classes)} samples are in groups that can be exchanged",
        **shared,
    )
    return [by_class, beyond]


def _never_learned_row(setting: Setting, first: Side, second: Side, pairs: Pairs) -> dict:
    shared = np.array([np.sum(first.never[i] & second.never[j]) for i, j in pairs])
    either = np.array([np.sum(first.never[i] | second.never[j]) for i, j in pairs])
    sizes = [side.never.sum(axis=1).mean() for side in (first, second)]
    usable = either > 0
    return row(
        "never_learned_jaccard",
        float(np.mean(shared[usable] / either[usable])) if usable.any() else np.nan,
        chance=_chance_of_sizes(len(setting.classes), *map(round, sizes)),
        definition="samples that were never learned, in no top fraction",
        note=f"{sizes[0]:.0f} and {sizes[1]:.0f} samples a run on average",
        **_shared(setting, first, second),
    )


def _chance_of_sizes(n: int, first: int, second: int) -> float:
    """Return the expected Jaccard of random subsets of two sizes; NaN when both are empty."""
    if first + second == 0:
        return float("nan")
    shared = np.arange(max(0, first + second - n), min(first, second) + 1)
    return float(
        np.sum(shared / (first + second - shared) * hypergeom.pmf(shared, n, first, second))
    )
