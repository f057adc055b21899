"""A small study with what figures of single samples are drawn from, and the same counted sample by sample."""

import math
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
from described_study import command
from multiverse_study import write_runs

from retention.commands import measure_finding, measure_series
from retention.common.csv_tables import read_csv
from retention.common.parts import load_part
from retention.reporting.look import look_of

LOOK = look_of(["b", "a"], {"b": "Net B"})
STATISTICS = '{"resamples": 99, "tie_breaks": 3}'
SEEDS, ARCHITECTURES = "decay_constants_between_seeds", "decay_constants_between_architectures"
FIGURES = {
    SEEDS: ("seed_stability", "constants", "decay_constants"),
    ARCHITECTURES: ("architecture_overlap", "constants", "decay_constants"),
    "early_loss_against_decay": ("early_loss", "losses", "early_loss_against_decay"),
    "fit_r2_against_null": ("fit_quality", "distribution", "fit_r2_against_null"),
}


def write_study(folder: Path, findings: bool) -> Path:
    """Write runs, the series of single samples, and where they are wanted the findings; return the folder."""
    runs = write_runs(folder, 96, 10)
    for finding, _, _ in FIGURES.values() if findings else ():
        words = ["--samples", *runs[1], "--statistics", STATISTICS]
        command(measure_finding, finding, *words, "--output", folder / f"{finding}.csv")
    for name in {name for *_, name in FIGURES.values()}:
        measured(name, runs, folder)
    return folder


def measured(name, runs, folder) -> pd.DataFrame:
    reads = load_part("retention.series", name).SERIES.reads
    files = {"traces": runs[0], "samples": runs[1]}
    words = [word for option in reads for word in (f"--{option}", *files[option])]
    command(measure_series, name, *words, "--output", folder / f"{name}.csv")
    return read_csv(folder / f"{name}.csv")


def tables_of(study, figure) -> tuple[pd.DataFrame, pd.DataFrame]:
    finding, _, series = FIGURES[figure]
    return read_csv(study / f"{finding}.csv"), read_csv(study / f"{series}.csv")


def drawn(figure, finding, series, look=LOOK):
    return load_part("retention.figures", figure, f"draw_{figure}").draw(finding, series, look)


def training(study, architecture, seed) -> pd.DataFrame:
    """Return the training samples of a run by sample_index."""
    table = pd.read_parquet(study / architecture / f"seed{seed}" / "samples.parquet")
    return table[table["split"] == "train"].sort_values("sample_index", ignore_index=True)


def bin_of(value: float) -> tuple[float, float]:
    """Return the sixth of a decade that a value lies in; 0 lies in one of its own."""
    if value == 0:
        return 0.0, 0.0
    sixth = math.floor(6 * math.log10(value))
    return 10 ** (sixth / 6), 10 ** ((sixth + 1) / 6)


def counted(pairs) -> dict[tuple[float, ...], float]:
    """Return the share of pairs of numbers in each bin; of those with a NaN under the key ()."""
    counts: dict[tuple[float, ...], float] = {}
    for x, y in pairs:
        key = () if math.isnan(x) or math.isnan(y) else (*bin_of(x), *bin_of(y))
        counts[key] = counts.get(key, 0) + 1 / len(pairs)
    return {tuple(round(edge, 12) for edge in key): share for key, share in counts.items()}


def shares_in(rows) -> dict[tuple[float, ...], float]:
    """Return what a series says as `counted` does; a share of 0 without edges is left out."""
    edges = rows[["x_low", "x_high", "y_low", "y_high"]].to_numpy()
    found = {}
    for key, share in zip(edges, rows["estimate"], strict=True):
        if share > 1e-12:
            found[() if np.isnan(key[0]) else tuple(key.round(12))] = share
    return found


def pairs_of(study, one, other) -> list[tuple[float, float]]:
    """Return λ of every sample in every pair of runs of two architectures, of different seeds."""
    seeds = combinations(range(3), 2) if one == other else product(range(3), repeat=2)
    found = []
    for first, second in seeds:
        if first != second:
            x, y = training(study, one, first), training(study, other, second)
            found += list(zip(x["decay_constant"], y["decay_constant"], strict=True))
    return found
