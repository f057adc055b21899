"""How fast intervals and findings are, on one core.

ρ, Jaccard   10,000-resample percentile intervals of 5,994 samples against scipy.stats.bootstrap with
             the statistic vectorised, as its documentation advises, both in one run
findings     F1 to F5 of a study of CUB-200-2011's size: 2 architectures, 8 seeds, 5,994 samples,
             200 classes, with the options of config.yaml
cost         the same at other sizes and numbers of seeds

  python benchmarks/resampling.py --write
  python benchmarks/resampling.py --samples 600 --resamples 500 --seeds 3
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.stats
import yaml
from record import record
from scipy.stats import rankdata
from simulated_studies import Cell, draw_study

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from retention.findings.architecture_overlap import measure as architecture_overlap
from retention.findings.class_forgetting import measure as class_forgetting
from retention.findings.early_loss import measure as early_loss
from retention.findings.fit_quality import measure as fit_quality
from retention.findings.seed_stability import measure as seed_stability
from retention.runs.reading import Run
from retention.statistics.ranks import overlap_of_pairs, spearman_of_pairs
from retention.statistics.resampling import bootstrap_weights

FRACTION = 0.1
ROUNDS = 3  # the machine's own noise is a tenth
CHUNK = 500  # resamples at a time: bounds the memory of both sides


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=5994)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    draws = np.random.default_rng(0)
    x = draws.normal(size=arguments.samples)
    y = 0.3 * x + draws.normal(size=arguments.samples)
    ratios = {}
    for name, ours, theirs in (
        ("spearman", our_spearman, scipy_spearman),
        ("jaccard", our_jaccard, scipy_jaccard),
    ):
        ours(x[:50], y[:50], 10, draws)  # compiles
        seconds = best((ours, theirs), x, y, arguments.resamples, draws)
        ratios[f"{name}_seconds"] = seconds[0]
        ratios[f"{name}_speedup"] = seconds[1] / seconds[0]
    seconds = best((our_jaccard, partitioned_jaccard), x, y, arguments.resamples, draws)
    ratios["jaccard_speedup_over_partition"] = seconds[1] / seconds[0]
    all_findings(3, 1)  # compiles
    for seeds, repeats in sorted({(3, 1), (arguments.seeds, 1), (arguments.seeds, 3)}):
        samples = 2000 * repeats
        ratios[f"findings_seconds_{seeds}_seeds_{samples}_samples"] = all_findings(seeds, repeats)
    settings = {key: getattr(arguments, key) for key in ("samples", "resamples", "seeds")}
    record("resampling", settings, ratios, write=arguments.write)


def best(sides: Sequence[Callable], x, y, resamples: int, draws) -> list[float]:
    """Return the least of each side's seconds, measured in turn."""
    rounds = [[timed(side, x, y, resamples, draws) for side in sides] for _ in range(ROUNDS)]
    return np.min(rounds, axis=0).tolist()


def timed(interval: Callable, x: np.ndarray, y: np.ndarray, resamples: int, draws) -> float:
    start = time.perf_counter()
    low, high = interval(x, y, resamples, draws)
    assert low < high
    return time.perf_counter() - start


def our_interval(of_pairs: Callable, x, y, resamples, draws, *options) -> np.ndarray:
    groups, classes = np.arange(len(x)), np.zeros(len(x), dtype=int)
    found = []
    for start in range(0, resamples, CHUNK):
        number = min(CHUNK, resamples - start)
        weights = bootstrap_weights(groups, classes, number, draws)
        found.append(of_pairs(x[None], y[None], [(0, 0)], weights, *options)[:, 0])
    return np.percentile(np.concatenate(found), [2.5, 97.5])


def our_spearman(x, y, resamples, draws) -> np.ndarray:
    return our_interval(spearman_of_pairs, x, y, resamples, draws)


def our_jaccard(x, y, resamples, draws) -> np.ndarray:
    return our_interval(overlap_of_pairs, x, y, resamples, draws, FRACTION)


def scipy_interval(statistic: Callable, x, y, resamples, draws) -> tuple[float, float]:
    return scipy.stats.bootstrap(
        (x, y),
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        batch=CHUNK,
        method="percentile",
        rng=draws,
    ).confidence_interval


def scipy_spearman(x, y, resamples, draws) -> tuple[float, float]:
    def statistic(a, b, axis=-1):
        ranks = [rankdata(values, axis=axis) for values in (a, b)]
        centred = [rank - rank.mean(axis=axis, keepdims=True) for rank in ranks]
        norms = [np.sqrt((one * one).sum(axis=axis)) for one in centred]
        return (centred[0] * centred[1]).sum(axis=axis) / (norms[0] * norms[1])

    return scipy_interval(statistic, x, y, resamples, draws)


def scipy_jaccard(x, y, resamples, draws) -> tuple[float, float]:
    """The top k by sorting, as one usually writes it."""
    k = round(FRACTION * len(x))

    def statistic(a, b, axis=-1):
        tops = []
        for values in (a, b):
            top = np.zeros(values.shape, dtype=bool)
            np.put_along_axis(top, np.argsort(-values, axis=axis)[..., :k], True, axis=axis)
            tops.append(top)
        return (tops[0] & tops[1]).sum(axis=axis) / (tops[0] | tops[1]).sum(axis=axis)

    return scipy_interval(statistic, x, y, resamples, draws)


def partitioned_jaccard(x, y, resamples, draws) -> tuple[float, float]:
    """The top k by a partition: the best that numpy has."""
    k = round(FRACTION * len(x))

    def statistic(a, b, axis=-1):
        cuts = [np.partition(v, -k, axis=axis).take([-k], axis=axis) for v in (a, b)]
        tops = [values >= cut for values, cut in zip((a, b), cuts, strict=True)]
        return (tops[0] & tops[1]).sum(axis=axis) / (tops[0] | tops[1]).sum(axis=axis)

    return scipy_interval(statistic, x, y, resamples, draws)


def all_findings(seeds: int, repeats: int) -> float:
    """Return the seconds that F1 to F5 take for 200 classes of 10 · repeats samples."""
    options = yaml.safe_load((ROOT / "config.yaml").read_text())["statistics"]
    cell = Cell(seeds, 200, 0.3, 0.2, 0.0, True)
    runs = grown(draw_study(cell, np.random.default_rng(1)), repeats)
    centroids = {name: np.random.default_rng(2).normal(size=(200, 64)) for name in "ab"}
    start = time.perf_counter()
    for finding in (architecture_overlap, seed_stability, early_loss, fit_quality):
        finding.measure(runs, options)
    class_forgetting.measure(runs, options, {}, centroids, "last_word")
    return time.perf_counter() - start


def grown(runs: list[Run], repeats: int) -> list[Run]:
    """Return the runs with every sample several times over, a little different each time."""
    draws = np.random.default_rng(3)
    found = []
    for run in runs:
        copies = [run.samples.assign(group=run.samples["group"] + f"_{k}") for k in range(repeats)]
        table = pd.concat(copies, ignore_index=True)
        table["sample_index"] = np.arange(len(table))
        table["decay_constant"] *= 1 + 0.01 * draws.normal(size=len(table))
        found.append(Run(run.dataset, run.architecture, run.seed, table))
    return found


if __name__ == "__main__":
    main()
