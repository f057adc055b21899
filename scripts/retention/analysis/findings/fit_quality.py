"""F2: how well does an exponential describe a sample's retention?

| comparison | statistic | chance |
|---|---|---|
| "A" | mean_r_squared (constant traces dropped), mean_r_squared_one (they count 1), constant_fraction | mean R² of shuffled traces |
| "A" | excess_r_squared: R² minus that of the same trace with its epochs shuffled | 0 |
| "A minus B" | difference_r_squared, difference_excess, paired by seed | 0 |
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from retention.analysis.finding_table import Setting, finish, row, setting_of
from retention.analysis.resampling import new_runs
from retention.analysis.runs import Run, by_architecture, column

FINDING = "fit_quality"


def measure(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's table."""
    setting = setting_of(runs, statistics, FINDING)
    groups = by_architecture(runs)
    quality = {name: _quality(group) for name, group in groups.items()}
    rows = [r for name, group in groups.items() for r in _rows(setting, name, group, quality[name])]
    for first, second in combinations(groups, 2):
        seeds = [run.seed for run in groups[first]]
        if seeds != [run.seed for run in groups[second]]:
            continue
        for key, statistic in (("drop", "difference_r_squared"), ("excess", "difference_excess")):
            items, draws = (
                _mean(setting, quality[first][key], weights)
                - _mean(setting, quality[second][key], weights)
                for weights in (setting.once, setting.counts)
            )
            interval = new_runs(items[0], draws, np.eye(len(seeds), dtype=bool), setting.groups)
            rows.append(
                row(
                    statistic,
                    interval,
                    comparison=f"{first} minus {second}",
                    architecture="",
                    p=interval.p_of(0.0),
                    n=len(setting.classes),
                    chance=0.0,
                    definition="aligned × exponential, constant traces dropped",
                    seeds=len(seeds),
                )
            )
    return finish(rows, FINDING, runs[0].dataset, statistics["correction"])


def _quality(group: Sequence[Run]) -> dict[str, np.ndarray]:
    r_squared, null = column(group, "r_squared"), column(group, "r_squared_null")
    status = np.stack([run.samples["fit_status"].to_numpy(dtype=str) for run in group])
    fitted = ~np.isin(status, ["never_learned", "too_short"])
    constant = fitted & np.isnan(r_squared)
    return {
        "drop": r_squared,
        "one": np.where(constant, 1.0, r_squared),
        "constant": np.where(fitted, constant, np.nan),
        "null": null,
        "excess": r_squared - null,
    }


def _rows(setting: Setting, name: str, group: Sequence[Run], quality: Mapping) -> list[dict]:
    null = float(np.nanmean(_mean(setting, quality["null"], setting.once)))
    wanted = (
        ("mean_r_squared", "drop", null),
        ("mean_r_squared_one", "one", np.nan),
        ("constant_fraction", "constant", np.nan),
        ("excess_r_squared", "excess", 0.0),
    )
    rows = []
    for statistic, key, chance in wanted:
        items = _mean(setting, quality[key], setting.once)[0]
        draws = _mean(setting, quality[key], setting.counts)
        interval = new_runs(items, draws, np.eye(len(group), dtype=bool), setting.groups)
        rows.append(
            row(
                statistic,
                interval,
                comparison=name,
                architecture=name,
                p=interval.p_of(0.0) if key == "excess" else np.nan,
                n=round(np.isfinite(quality[key]).sum(axis=1).mean()),
                chance=chance,
                definition="aligned × exponential",
                seeds=len(group),
            )
        )
    return rows


def _mean(setting: Setting, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted mean of each run's finite values, [B, R]."""
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights @ np.where(finite, values, 0).T) / (weights @ finite.T.astype(float))
