"""F2: how well does an exponential describe a sample's retention?

| comparison | statistic | chance |
|---|---|---|
| "A" | mean_r_squared (constant traces dropped), mean_r_squared_one (they count 1), constant_fraction | mean R² of shuffled traces |
| "A" | quartiles of R²: r_squared_25, r_squared_50, r_squared_75 | |
| "A" | excess_r_squared: R² minus that of the same trace with its epochs shuffled | 0 |
| "A" | aicc_preferred_<curve>: share of traces for which a curve has the lowest AICc (`aligned` alone) | |
| "A minus B" | difference_r_squared, difference_excess, paired by seed | 0 |
| "A minus B" | difference_matched_events: of R², traces with equally many forgetting events compared | 0 |

p: the interval's, of 0.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from retention.measuring.table import Setting, finish, row, setting_of
from retention.runs.reading import (
    Run,
    by_architecture,
    column,
    read_runs,
)
from retention.statistics.resampling import PLAIN, SHARE

NAME = "fit_quality"
CRITERION = re.compile(r"aligned_(?P<curve>\w+)_aicc")
PART = 128  # resamples whose weights are turned into float64 at a time
FIT = "aligned × exponential"
MOST_EVENTS = 6  # traces with more forgetting events are compared together


def read(samples: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from samples.parquet of the runs."""
    return {"runs": read_runs(samples)}


def measure(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's table."""
    setting = setting_of(runs, statistics, NAME)
    groups = by_architecture(runs)
    quality = {name: _quality(group) for name, group in groups.items()}
    rows = [r for name, group in groups.items() for r in _rows(setting, name, group, quality[name])]
    for first, second in combinations(groups, 2):
        if [run.seed for run in groups[first]] == [run.seed for run in groups[second]]:
            fit = runs[0].definition or FIT
            rows += _differences(setting, (first, second), quality, fit)
    run, correction = runs[0], statistics["correction"]
    return finish(rows, NAME, run.dataset, correction, treatment=run.treatment)


def _quality(group: Sequence[Run]) -> dict[str, np.ndarray]:
    r_squared, null = column(group, "r_squared"), column(group, "r_squared_null")
    status = np.stack([run.samples["fit_status"].to_numpy(dtype=str) for run in group])
    fitted = ~np.isin(status, ["never_learned", "too_short", "failed"])
    constant = fitted & np.isnan(r_squared) & (status != "undetermined")
    return {
        "drop": r_squared,
        "one": np.where(constant, 1.0, r_squared),
        "constant": np.where(fitted, constant, np.nan),
        "null": null,
        "excess": r_squared - null,
        "events": column(group, "forgetting_events"),
    }


def _rows(setting: Setting, name: str, group: Sequence[Run], quality: Mapping) -> list[dict]:
    nulls = _mean(setting.once, quality["null"])
    null = float(np.nanmean(nulls)) if np.isfinite(nulls).any() else np.nan
    wanted = (
        ("mean_r_squared", "drop", null),
        ("mean_r_squared_one", "one", np.nan),
        ("constant_fraction", "constant", np.nan),
        ("excess_r_squared", "excess", 0.0),
    )
    shared = {"comparison": name, "architecture": name, "seeds": len(group)}
    rows = []
    for statistic, key, chance in wanted:
        values = quality[key]
        scale = SHARE if key == "constant" else PLAIN
        interval = setting.over_runs(_in_parts(_mean, values), len(group), scale)
        interval = interval.of_few(_groups_with(setting, values))
        rows.append(
            row(
                statistic,
                interval,
                p=interval.p_of(0.0) if key == "excess" else np.nan,
                n=round(np.isfinite(values).sum(axis=1).mean()),
                chance=chance,
                definition=group[0].definition or FIT,
                **shared,
            )
        )
    defined = np.isfinite(quality["drop"])
    for percent in (25, 50, 75) if defined.any() else ():
        found = np.percentile(quality["drop"][defined], percent)
        rows.append(row(f"r_squared_{percent}", found, n=int(defined.sum()), **shared))
    return rows + _preference_rows(group, shared)


def _preference_rows(group: Sequence[Run], shared: Mapping) -> list[dict]:
    columns = _columns_of_criteria(group)
    present = list(columns)
    if len(present) < 2:
        return []
    criteria = np.stack([column(group, columns[curve]) for curve in present])  # [K, R, N]
    judged = np.isfinite(criteria).all(axis=0)
    lowest = criteria[:, judged].argmin(axis=0) if judged.any() else np.zeros(0)
    return [
        row(
            f"aicc_preferred_{curve}",
            float(np.mean(lowest == place)) if judged.any() else np.nan,
            n=int(judged.sum()),
            definition="lowest AICc, aligned",
            note="traces of all runs with an AICc for every curve",
            **shared,
        )
        for place, curve in enumerate(present)
    ]


def _columns_of_criteria(group: Sequence[Run]) -> dict[str, str]:
    """Return the column of the AICc of each curve that all runs were fitted with on `aligned`."""
    first, *others = group
    curves = {
        found["curve"]: found[0] for found in map(CRITERION.fullmatch, first.samples) if found
    }
    return {
        curve: name for curve, name in curves.items() if all(name in run.samples for run in others)
    }


def _differences(
    setting: Setting, names: tuple[str, str], quality: Mapping, fit: str
) -> list[dict]:
    first, second = (quality[name] for name in names)
    seeds = len(first["drop"])

    def difference(weights: np.ndarray, key: str) -> np.ndarray:
        return _mean(weights, first[key]) - _mean(weights, second[key])

    def matched(weights: np.ndarray) -> np.ndarray:
        return _matched_difference(weights, first, second)[0]

    fitted = np.mean([np.isfinite(side["drop"]).sum(axis=1) for side in (first, second)])
    compared = _matched_difference(setting.once, first, second)[1].mean()
    rows = []
    for statistic, of_runs, n, definition in (
        ("difference_r_squared", _in_parts(difference, "drop"), fitted, "constant traces dropped"),
        ("difference_excess", _in_parts(difference, "excess"), fitted, "constant traces dropped"),
        (
            "difference_matched_events",
            _in_parts(matched),
            compared,
            "within equal numbers of forgetting events",
        ),
    ):
        interval = setting.over_runs(of_runs, seeds)
        interval = interval.of_few(
            min(_groups_with(setting, one["drop"]) for one in quality.values())
        )
        rows.append(
            row(
                statistic,
                interval,
                comparison=f"{names[0]} minus {names[1]}",
                architecture="",
                p=interval.p_of(0.0),
                n=round(n),
                chance=0.0,
                definition=f"{fit}, {definition}",
                seeds=seeds,
            )
        )
    return rows


def _groups_with(setting: Setting, values: np.ndarray) -> int:
    """Return how many groups have a value in any run; values: float [R, N]."""
    return len(np.unique(setting.groups[np.isfinite(values).any(axis=0)]))


def _in_parts(of_runs: Callable, *options: object) -> Callable:
    """Return of_runs(weights, …) as it is of all weights, of few resamples at a time.

    Products want the weights in float64: a copy of few is as quick, and small.
    """

    def of_all(weights: np.ndarray) -> np.ndarray:
        parts = range(0, len(weights), PART)
        return np.concatenate(
            [of_runs(weights[part : part + PART].astype(float), *options) for part in parts]
        )

    return of_all


def _matched_difference(
    weights: np.ndarray, first: Mapping, second: Mapping
) -> tuple[np.ndarray, np.ndarray]:
    """Difference of mean R² within each number of forgetting events, weighted by the smaller side.

    Return it and how many traces of a side it weighs, both [B, R].
    """
    total, mass = np.zeros(1), np.zeros(1)
    for events in range(1, MOST_EVENTS + 1):
        sides = []
        for side in (first, second):
            within = np.minimum(side["events"], MOST_EVENTS) == events
            kept = within & np.isfinite(side["drop"])
            values = np.where(kept, side["drop"], 0.0)
            sides.append((weights @ values.T, weights @ kept.T.astype(float)))
        (sum_a, mass_a), (sum_b, mass_b) = sides
        smaller = np.minimum(mass_a, mass_b)
        with np.errstate(invalid="ignore", divide="ignore"):
            gap = np.where(smaller > 0, sum_a / mass_a - sum_b / mass_b, 0.0)
        total, mass = total + smaller * gap, mass + smaller
    with np.errstate(invalid="ignore", divide="ignore"):
        return total / np.where(mass > 0, mass, np.nan), mass


def _mean(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the weighted mean of each run's finite values, [B, R]."""
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights @ np.where(finite, values, 0).T) / (weights @ finite.T.astype(float))
