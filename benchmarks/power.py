"""What care for rare forgetting costs where forgetting is common: power beside that of an earlier version.

Studies of `simulated_training.py` in which runs share little, something, or nothing, with 1, 5 and 25 % of the samples
forgotten. The same studies, to the byte, are measured by the sources here and by those of a checkout of the earlier
version, in a process of their own. Power is the share of studies in which p < 0.05, where runs share nothing of false
positives; both versions take as many resamples.

    git worktree add ../before 6953e51
    python benchmarks/power.py --before ../before --studies 60 --processes 2 --write
    python benchmarks/power.py --before . --studies 2 --cells 1
"""

import argparse
import importlib
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from types import ModuleType

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"  # one per process: threads of several processes wait for each other

import numpy as np
import pandas as pd
from stored_studies import OPTIONS

FINDINGS = ("architecture_overlap", "seed_stability", "early_loss")
LAYOUTS = ("retention.findings.{}.measure", "retention.analysis.findings.{}")  # now, and in 0.1.0
RUNS = ("retention.runs.reading", "retention.analysis.runs")
STATISTICS = ("jaccard", "spearman", "phi_ever_forgotten", "split_half", "spearman_across_seeds")
WEAK = {"sample": 0.05, "architecture": 0.05, "classes": 0.15}
SOME = {"sample": 0.15, "architecture": 0.1, "classes": 0.3}
CELLS = list(product((3, 5), (0.01, 0.05, 0.25), (("weak", WEAK), ("some", SOME), ("nothing", {}))))
LEVEL = 0.05


def main() -> None:
    from record import record

    arguments = options()
    if arguments.measure:
        measured(arguments.measure).to_parquet(arguments.measure / "p.parquet")
        return
    places = [
        (cell, study) for cell in range(arguments.cells) for study in range(arguments.studies)
    ]
    shares = [places[number :: arguments.processes] for number in range(arguments.processes)]
    before = arguments.before.resolve()
    with ProcessPoolExecutor(arguments.processes) as pool:
        parts = list(pool.map(compared, shares, [before] * len(shares)))
    table = powers(pd.concat(parts))
    print(table.to_string(index=False))
    ratios = {
        f"{which}_{finding}_{statistic}": float(group[which].mean())
        for (finding, statistic), group in table.groupby(["finding", "statistic"])
        for which in ("before", "now")
    }
    settings = {"studies": arguments.studies, "cells": arguments.cells, **OPTIONS}
    record("power", settings, ratios, arguments.write, table)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, help="a checkout of the earlier version")
    parser.add_argument("--studies", type=int, default=60, help="of each cell")
    parser.add_argument("--cells", type=int, default=len(CELLS), help="the first so many")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="keep the table in results/")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def compared(places: list[tuple[int, int]], before: Path) -> pd.DataFrame:
    """Draw studies, let both versions measure them, and return a row per study, statistic and version."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "studies.pickle").write_bytes(pickle.dumps([drawn(*place) for place in places]))
        parts = []
        for which, sources in (("before", before), ("now", Path(__file__).parents[1])):
            environment = os.environ | {"PYTHONPATH": str(sources / "scripts")}
            command = [sys.executable, __file__, "--measure", name]
            subprocess.run(command, check=True, env=environment)
            parts.append(pd.read_parquet(folder / "p.parquet").assign(version=which))
        return pd.concat(parts)


def drawn(cell: int, study: int) -> tuple[int, int, list[dict]]:
    """Return a study as what every version can read: a map per run."""
    from simulated_training import Cell, draw_study

    seeds, ever, (_, shared) = CELLS[cell]
    draws = np.random.default_rng([cell, study])
    runs = draw_study(Cell(seeds=seeds, ever=ever, **shared), draws).runs
    names = ("dataset", "architecture", "seed", "samples", "treatment", "chances")
    return cell, study, [{name: getattr(run, name) for name in names} for run in runs]


def measured(folder: Path) -> pd.DataFrame:
    """Return the p of every finding of every study, by the version of retention that is imported."""
    kind = _first(RUNS).Run
    known = set(kind.__dataclass_fields__)
    modules = [_first([layout.format(finding) for layout in LAYOUTS]) for finding in FINDINGS]
    rows = []
    for cell, study, maps in pickle.loads((folder / "studies.pickle").read_bytes()):
        runs = [kind(**{key: one[key] for key in one if key in known}) for one in maps]
        tables = [module.measure(runs, OPTIONS | {"seed": study}) for module in modules]
        found = pd.concat(tables, ignore_index=True).assign(cell=cell, study=study)
        rows.append(found[found["statistic"].isin(STATISTICS) & found["p"].notna()])
    columns = ["cell", "study", "finding", "comparison", "statistic", "p"]
    return pd.concat(rows)[columns].astype({"p": float})


def _first(names: Sequence[str]) -> ModuleType:
    """Return the first of the modules that this version has."""
    for name in names:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in name:
                raise
    raise SystemExit(
        f"none of {', '.join(names)} is there: is --before a checkout of this project?"
    )


def powers(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row per cell, finding and statistic: the share of p < 0.05 of either version."""
    table = table.assign(told=table["p"] < LEVEL)
    keys = ["cell", "finding", "statistic"]
    wide = table.pivot_table(index=keys, columns="version", values="told").dropna().reset_index()
    cells = wide.pop("cell").map(lambda number: CELLS[number])
    wide.insert(0, "seeds", cells.str[0])
    wide.insert(1, "ever", cells.str[1])
    wide.insert(2, "shared", cells.map(lambda cell: cell[2][0]))
    return wide


if __name__ == "__main__":
    main()
