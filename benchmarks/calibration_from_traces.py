"""Do intervals cover and tests hold their level from the traces upward, also where little is forgotten?

Studies of `simulated_training.py` go through `describe` and `measure`, as a user's traces do; every row that has an
interval or a p is judged. The core: 0.5, 1, 2, 5, 25, 60 and 90 % of the samples forgotten at least once, 3, 5 and 10
seeds, with and without anything that runs share. Beside it: 8 seeds; groups of 2 and 10 with an intraclass correlation of
0.8; classes and levels that a run favours; learning times tied to the class, and to nothing; runs that share classes
alone; a collapsed run.

The truth of a row is the mean of its estimate over the cell's studies: each draws fresh samples and fresh runs. Without
signal the truth of the agreement between runs is 0. The ends of `seeds_needed` are those of ρ, and are not judged again.
What is judged, and when a cell fails, is as in `calibration.py`.

Studies are kept in --store and added to; --write makes two tables: of all cells together, which docs/calibration.md shows, and
with a row per cell, which names what fails there.

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
from calibration import FAULTS, judge, judged_row, worst
from record import record
from simulated_training import Cell, draw_study
from stored_studies import OPTIONS, options, simulated
from traced_findings import CHECK, measured

from retention.reporting.few import too_few

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
    *(replace(Cell(), ever=ever, learned="random") for ever in (0.05, 0.25)),
    *(
        replace(Cell(), ever=ever, classes=classes, learned=learned)
        for ever in (0.05, 0.25)
        for classes, learned in ((0.8, "difficulty"), (0.0, "class"))
    ),
    *(replace(Cell(), ever=ever, collapsed=1) for ever in (0.01, 0.05)),
]
GRID = CORE + BESIDE
SETTINGS = OPTIONS | {"treatment": {"metric": "balanced_accuracy", "margin": 0.01}}
KEYS = [field.name for field in fields(Cell) if field.name != "sizes"] + ["signal"]
WRONG = [fault for fault in FAULTS if fault != "too_wide"]
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    arguments = options(__doc__, len(GRID))
    table = simulated(arguments, GRID, measure_study, judged)
    print(worst(table).to_string(index=False))
    of_all = pooled(table)
    print(of_all.to_string(index=False))
    if arguments.write:
        of_all.to_csv(RESULTS / "calibration_from_traces.csv", index=False)
        of_cells(table).to_csv(RESULTS / "calibration_from_traces_cells.csv", index=False)
    failing = table[table[WRONG].any(axis=1)]
    print(f"{len(failing)} of {len(table)} rows fail, {int(table['too_wide'].sum())} are wide")
    shown = [*KEYS, "statistic", "studies", "truth", "coverage", "rejections", *WRONG]
    print(failing[shown].to_string(index=False))
    settings = {"cells": arguments.cells, "resamples": OPTIONS["resamples"]}
    settings["studies"] = int(table.groupby(KEYS)["studies"].max().sum())
    ratios = {f"share_without_{fault}": float((~table[fault]).mean()) for fault in FAULTS}
    record("calibration_from_traces", settings, ratios, write=arguments.write)


def pooled(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per finding and statistic, all cells and comparisons together: what few studies a cell can tell."""
    parts = table["statistic"].map(_parts)
    known = {"finding": parts.str[0], "statistic": parts.str[1], "studies": table["studies"]}
    rates = {"coverage": table["coverage"], "false_positives": false_positives(table)}
    rows = pd.DataFrame(known | rates)
    found = []
    for names, group in rows.groupby(["finding", "statistic"]):
        row = dict(zip(("finding", "statistic"), names, strict=True))
        for column in ("coverage", "false_positives"):
            there = group[column].notna()
            number = group.loc[there, "studies"]
            row |= {f"judged_{column}": int(number.sum())}
            mean = (
                (group.loc[there, column] * number).sum() / number.sum() if there.any() else np.nan
            )
            row[column] = round(float(mean), 4)
        found.append(row)
    return pd.DataFrame(found)


def of_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per cell: its lowest coverage, its most false positives, what fails, and how much is wide.

    too_few: the share of studies in which too little is forgotten to tell, the mean over F1's and F3's Spearman rows.
    """
    table = table.assign(false_positives=false_positives(table))
    rows = []
    for values, cell in table.groupby(KEYS, sort=False):
        row = dict(zip(KEYS, values, strict=True)) | {"studies": int(cell["studies"].max())}
        for column, extreme in (("coverage", "idxmin"), ("false_positives", "idxmax")):
            there = cell.reset_index(drop=True).dropna(subset=[column])
            place = getattr(there[column], extreme)() if len(there) else None
            row[f"judged_{column}"] = len(there)
            row[f"worst_{column}"] = round(there[column][place], 4) if len(there) else np.nan
            row[f"worst_{column}_of"] = there["statistic"][place] if len(there) else ""
        told = cell["statistic"].str.fullmatch("(architecture_overlap|seed_stability): .* spearman")
        row["too_few"] = round(float(cell.loc[told, "too_few"].mean()), 4)
        row["fails"] = "; ".join(
            f"{name} ({fault})"
            for fault in WRONG
            for name in cell.loc[cell[fault].astype(bool), "statistic"]
        )
        row["wide"] = int(cell["too_wide"].sum())
        rows.append(row)
    return pd.DataFrame(rows)


def false_positives(table: pd.DataFrame) -> pd.Series:
    """Return the share of rejections of each row that is a null in its cell, else NaN."""
    cells = table[KEYS[:-1]].itertuples(index=False)
    nulls = [
        is_null(name, Cell(**dict(zip(KEYS[:-1], values, strict=True))))
        for name, values in zip(table["statistic"], cells, strict=True)
    ]
    return table["rejections"].where(nulls)


def judged(studies: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    """Return one row per statistic of a cell that has an interval or a p in any of its studies."""
    if studies.empty:
        return studies
    if cell.seed or cell.class_x_seed:  # what is about these runs has no truth in fresh ones
        these = [about_these_runs(name, cell.seeds) for name in studies["statistic"]]
        studies = studies[~np.array(these)]
    of_statistic = studies.groupby("statistic", sort=False)
    table = judge(studies, cell, KEYS, known_value, is_null)
    table["too_few"] = of_statistic["too_few"].mean().reindex(table["statistic"]).to_numpy()
    return table[table["coverage"].notna() | table["rejections"].notna()]


def measure_study(cell: Cell, seed: int) -> list[dict]:
    """Return the rows of one study."""
    draws, statistics = np.random.default_rng(seed), SETTINGS | {"seed": seed}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # runs in which nothing is forgotten
        table = measured(draw_study(cell, draws), statistics, draws)
    said = table.apply(too_few, axis=1)
    return [
        judged_row(
            f"{found.finding}: {found.comparison} {found.statistic}",
            *(found.estimate, found.low, found.high, found.p, found.standard_error),
        )
        | {"too_few": bool(few)}
        for found, few in zip(table.itertuples(), said, strict=True)
        if found.statistic != "seeds_needed"
    ]


def about_these_runs(statistic: str, seeds: int) -> bool:
    """Return whether a row of F6 is about the runs that there are: matched, or sets of three of which a seed leaves none."""
    finding, name = _parts(statistic)
    if finding != "ensemble_coverage":
        return False
    kinds = statistic.split(": ")[1].removesuffix(f" {name}").split(" minus ")
    of_three = seeds == 3 and kinds[0].count("+") == 2
    mixed = len(set(kinds[0].split(" + "))) > 1
    return name.endswith("_matched") or (of_three and (len(kinds) > 1 or not mixed))


def known_value(statistic: str, cell: Cell) -> float:
    """Return what a statistic estimates where that has a closed form, else NaN."""
    finding, name = _parts(statistic)
    if name.startswith("difference") and not name.endswith("_from_better") and _alike(cell):
        return 0.0 if finding in ("fit_quality", "treatment_comparison") else np.nan
    between_runs = {"spearman", "phi_ever_forgotten"} if finding != "early_loss" else set()
    shares_nothing = name in {*between_runs, "spearman_across_seeds"}
    return 0.0 if shares_nothing and not cell.signal else float("nan")


def is_null(statistic: str, cell: Cell) -> bool:
    """Return whether a rejection is a false positive.

    What is coherent by construction, and what knows nothing of forgetting, is null in every cell; the fits of two
    architectures that are alike in each where both are; an overlap beyond the classes where samples share nothing. The
    loss at epoch 0 tells of its own run in every cell, and traces have an order in time. A run that favours classes is
    no null of overlaps.
    """
    finding, name = _parts(statistic)
    if name == "jaccard_beyond_class":
        return not cell.sample
    if finding == CHECK or name.startswith(("similarity_", "family_share_")):
        return True
    if finding == "fit_quality":
        return name.startswith("difference") and _alike(cell)
    of_own_run = finding == "early_loss" and name != "spearman_across_seeds"
    return not (cell.signal or of_own_run or cell.class_x_seed or cell.seed)


def _parts(statistic: str) -> tuple[str, str]:
    return statistic.split(":")[0], statistic.split()[-1]


def _alike(cell: Cell) -> bool:
    """Return whether the two architectures differ by chance alone."""
    return not cell.collapsed


if __name__ == "__main__":
    main()
