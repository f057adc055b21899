"""Simulated studies of a grid of cells, kept in a folder that is added to: stop and start as you like."""

import argparse
import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

# of the findings of a simulated study
OPTIONS = {
    "top_fraction": 0.1,
    "resamples": 499,
    "tie_breaks": 10,
    "score": "decay_constant",
    "correction": "holm",
}
Measure = Callable[[Any, int], list[dict]]  # of a cell and a seed: the judged rows of one study


def options(doc: str, cells: int) -> argparse.Namespace:
    """Return what the command line says; doc: the command's docstring, cells: how many the grid has."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after about so long")
    parser.add_argument("--cells", type=int, default=cells, help="the first so many of the grid")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--store", type=Path, help="folder of studies to add to")
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    return parser.parse_args()


def simulated(
    said: argparse.Namespace, grid: Sequence, measure: Measure, judge: Callable
) -> pd.DataFrame:
    """Add studies until the time is over; return the table of all: judge(studies of a cell, cell)."""
    with tempfile.TemporaryDirectory() as temporary:
        store = said.store or Path(temporary)
        store.mkdir(parents=True, exist_ok=True)
        cells, processes = grid[: said.cells], said.processes
        with ProcessPoolExecutor(processes) as pool:
            shares = [(store, cells, measure, said.minutes, n, processes) for n in range(processes)]
            list(pool.map(_simulate, *zip(*shares, strict=True)))
        return pd.concat([judge(_read(store, place), cell) for place, cell in enumerate(cells)])


def _simulate(
    store: Path, cells: Sequence, measure: Measure, minutes: float, share: int, shares: int
) -> None:
    """Add a share of the studies, to every cell in turn, until the time is over."""
    measure(cells[0], 10**6)  # compiles
    gc.freeze()  # statsmodels collects garbage at each correction
    end, study = time.monotonic() + 60 * minutes, 0
    while time.monotonic() < end:
        for number, cell in enumerate(cells):
            path = store / f"{number:02d}_{study:05d}.parquet"
            if path.exists() or (study + number) % shares != share:
                continue
            if time.monotonic() > end:
                return
            pd.DataFrame(measure(cell, 1000 * study + number)).to_parquet(path)
        study += 1


def _read(store: Path, place: int) -> pd.DataFrame:
    files = sorted(store.glob(f"{place:02d}_*.parquet"))
    return pd.concat([pd.read_parquet(path) for path in files]) if files else pd.DataFrame()
