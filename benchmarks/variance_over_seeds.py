"""How the variance over seeds of a mean over pairs is estimated, and what covers (decision 0010).

Two intervals of ρ between the seeds of one architecture, alike but for V_seeds, of studies whose truth
is known (`simulated_studies.py`, 7 classes, dependence 0.3): `jackknife`, the library's, and `apart`,
the variances of seeds and of pairs by the method of moments, unbiased. Coverage is of the mean of the
estimates; the width is the median standard error over the true standard deviation.

    python benchmarks/variance_over_seeds.py --write
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from record import record
from simulated_studies import Cell, draw_study

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from retention.runs.reading import by_architecture, scores
from retention.statistics.ranks import once, spearman_of_pairs
from retention.statistics.resampling import CORRELATION, bootstrap_weights, crossed, new_runs

# seeds, heterogeneity, signal
CELLS = [(5, 0.2, True), (10, 0.2, False), (10, 0.2, True), (10, 0.0, True)]
RESAMPLES = 199


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=3000)
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    rows, ratios = [], {}
    for seeds, heterogeneity, signal in CELLS:
        cell = Cell(seeds, 7, 0.3, heterogeneity, 0.0, signal)
        found = pd.concat([measure(cell, study) for study in range(arguments.studies)])
        for estimator, studies in found.groupby("estimator"):
            key = {"seeds": seeds, "heterogeneity": heterogeneity, "signal": signal}
            rows.append(key | {"estimator": estimator} | judge(studies))
            name = f"{seeds}_seeds_{heterogeneity:g}_{'signal' if signal else 'null'}_{estimator}"
            ratios[f"coverage_{name}"] = rows[-1]["coverage"]
    table = pd.DataFrame(rows)
    print(table.round(3).to_string(index=False))
    settings = {"studies": arguments.studies, "resamples": RESAMPLES}
    record("variance_over_seeds", settings, ratios, write=arguments.write, table=table)


def measure(cell: Cell, seed: int) -> pd.DataFrame:
    """Return both intervals of one study."""
    draws = np.random.default_rng([seed, cell.seeds])
    runs = by_architecture(draw_study(cell, draws))["a"]
    values, samples = scores(runs, "decay_constant"), runs[0].samples
    _, groups = np.unique(samples["group"], return_inverse=True)
    weights = bootstrap_weights(groups, samples["label"].to_numpy(), RESAMPLES, draws)
    pairs = np.array(list(combinations(range(cell.seeds), 2)))
    involves = (pairs[:, :, None] == np.arange(cell.seeds)).any(axis=1)
    items = spearman_of_pairs(values, values, pairs, once(values.shape[1]))
    resampled = spearman_of_pairs(values, values, pairs, weights)
    number = int(groups.max()) + 1
    jackknife = new_runs(items[0], resampled, involves, number, CORRELATION)
    of_groups = resampled.mean(axis=1).var(ddof=1)
    of_seeds = seed_and_pair_apart(items, pairs, cell.seeds)[0]
    noise = seed_and_pair_apart(resampled - items, pairs, cell.seeds).mean()
    apart = crossed(items.mean(), of_groups, of_seeds, noise, cell.seeds, number, CORRELATION)
    ends = [(i.estimate, i.low, i.high, i.standard_error) for i in (jackknife, apart)]
    found = pd.DataFrame(ends, columns=["estimate", "low", "high", "standard_error"])
    return found.assign(estimator=["jackknife", "apart"])


def seed_and_pair_apart(items: np.ndarray, pairs: np.ndarray, seeds: int) -> np.ndarray:
    """Return 4 σ_a²/S + 2 σ_e²/(S(S − 1)) of rows of items [B, P], [B]; pairs: int [P, 2], all there are.

    h_ij = μ + a_i + a_j + e_ij by the method of moments of a round robin, unbiased: Warner, Kenny &
    Stoto, J. Personality and Social Psychology 37, 1742 (1979).
    """
    design = np.zeros((len(pairs), seeds))
    np.put_along_axis(design, pairs, 1.0, axis=1)
    effects = items @ np.linalg.pinv(design).T
    of_pair = np.sum((items - effects @ design.T) ** 2, axis=1) / (len(pairs) - seeds)
    # a least-squares effect has the pairs' noise in it: (D'D)⁻¹ σ_e², D'D = (S − 2) I + 1 1'
    of_seed = effects.var(axis=1, ddof=1) - of_pair / (seeds - 2)
    return 4 * of_seed / seeds + 2 * of_pair / (seeds * (seeds - 1))


def judge(studies: pd.DataFrame) -> dict[str, float]:
    truth, deviation = studies["estimate"].mean(), studies["estimate"].std()
    covered = (studies["low"] <= truth) & (truth <= studies["high"])
    width = (studies["standard_error"] / deviation).median()
    return {"truth": truth, "coverage": covered.mean(), "width_to_oracle": width}


if __name__ == "__main__":
    main()
