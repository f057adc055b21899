"""Do intervals cover and tests hold their level from the traces upward, also where little is forgotten?

Studies of `simulated_training.py` go through `describe` and `measure`, as a user's traces do; every row that has an
interval or a p is judged. The core: 0.5, 1, 2, 5, 25, 60 and 90 % of the samples forgotten at least once, 3, 5 and 10
seeds, with and without anything that runs share. Beside it: 8 seeds; groups of 2 and 10 with an intraclass correlation of
0.8; classes and levels that a run favours; learning times that are not tied to difficulty; a collapsed run.

The truth of a row is the mean of its estimate over the cell's studies: each draws fresh samples and fresh runs. Without
signal the truth of the agreement between runs is 0. What is judged, and when a cell fails, is as in `calibration.py`.

Studies are kept in --store and added to; --write makes the table of all.

    python benchmarks/calibration_from_traces.py --store traces_studies --minutes 60 --processes 2 --write
    python benchmarks/calibration_from_traces.py --cells 2 --minutes 0.5
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"  # one per process: threads of several processes wait for each other

import warnings
from dataclasses import fields, replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from calibration import FAULTS, OPTIONS, judge, judged_row, worst
from record import record
from simulated_training import Cell, draw_study
from stored_studies import options, simulated

from retention.findings.architecture_overlap import measure as architecture_overlap
from retention.findings.class_forgetting import measure as class_forgetting
from retention.findings.early_loss import measure as early_loss
from retention.findings.seed_stability import measure as seed_stability

SIGNAL = {"sample": 0.3, "architecture": 0.2, "classes": 0.4}
RATES = (0.005, 0.01, 0.02, 0.05, 0.25, 0.6, 0.9)
CORE = [
    replace(Cell(), seeds=seeds, ever=ever, **shared)
    for seeds, ever, shared in product((3, 5, 10), RATES, ({}, SIGNAL))
]
BESIDE = [
    *(
        replace(Cell(), seeds=8, ever=ever, **shared)
        for ever in (0.01, 0.05)
        for shared in ({}, SIGNAL)
    ),
    *(
        replace(Cell(), seeds=seeds, ever=ever, group_size=size, dependence=0.8, **shared)
        for seeds, ever, size, shared in product((3, 5), (0.01, 0.05, 0.25), (2, 10), ({}, SIGNAL))
    ),
    *(
        replace(Cell(), seeds=seeds, ever=ever, **SIGNAL, class_x_seed=0.4, seed=0.3)
        for seeds, ever in product((3, 5), (0.05, 0.25))
    ),
    *(replace(Cell(), ever=ever, tied_learning=False) for ever in (0.05, 0.25)),
    *(replace(Cell(), ever=ever, collapsed=1) for ever in (0.01, 0.05)),
]
GRID = CORE + BESIDE
KEYS = [field.name for field in fields(Cell) if field.name != "sizes"] + ["signal"]
TABLE = Path(__file__).parent / "results" / "calibration_from_traces.csv"


def main() -> None:
    arguments = options(__doc__, len(GRID))
    table = simulated(arguments, GRID, measure_study, judged)
    if arguments.write:
        table.round(4).to_csv(TABLE, index=False)
    print(worst(table).to_string(index=False))
    failing = table[table[FAULTS].any(axis=1)]
    print(f"{len(failing)} of {len(table)} rows fail")
    shown = [*KEYS, "statistic", "studies", "truth", "coverage", "rejections", *FAULTS]
    print(failing[shown].to_string(index=False))
    settings = {"cells": arguments.cells, "resamples": OPTIONS["resamples"]}
    settings["studies"] = int(table.groupby(KEYS)["studies"].max().sum())
    ratios = {f"share_without_{fault}": float((~table[fault]).mean()) for fault in FAULTS}
    record("calibration_from_traces", settings, ratios, write=arguments.write)


def judged(studies: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    """Return one row per statistic of a cell."""
    return judge(studies, cell, KEYS, known_value, is_null)


def measure_study(cell: Cell, seed: int) -> list[dict]:
    """Return every row of one study that has an interval or a p."""
    runs, statistics = draw_study(cell, np.random.default_rng(seed)), OPTIONS | {"seed": seed}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # runs in which nothing is forgotten
        tables = [
            seed_stability.measure(runs, statistics),
            architecture_overlap.measure(runs, statistics),
            early_loss.measure(runs, statistics),
            class_forgetting.measure(runs, statistics, {}, {}),
        ]
    return [
        judged_row(
            f"{found.finding}: {found.comparison} {found.statistic}",
            *(found.estimate, found.low, found.high, found.p, found.standard_error),
        )
        for found in pd.concat(tables).itertuples()
        if np.isfinite(found.low) or np.isfinite(found.p)
    ]


def known_value(statistic: str, cell: Cell) -> float:
    """Return what a statistic estimates where that has a closed form, else NaN."""
    finding, _, name = statistic.partition(": ")
    between_runs = {"spearman", "phi_ever_forgotten"} if finding != "early_loss" else set()
    shares_nothing = name.split()[-1] in {*between_runs, "spearman_across_seeds"}
    return 0.0 if shares_nothing and not cell.signal else float("nan")


def is_null(statistic: str, cell: Cell) -> bool:
    """Return whether a rejection is a false positive.

    The loss at epoch 0 tells of its own run in every cell, and a run that favours classes is no null of overlaps.
    """
    of_own_run = statistic.startswith("early_loss") and not statistic.endswith("across_seeds")
    return not (cell.signal or of_own_run or cell.class_x_seed or cell.seed)


if __name__ == "__main__":
    main()
