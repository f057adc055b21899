"""Studies whose truth is known: runs whose scores share as much as a cell says, and no more.

A run's latent score of sample i in class c and group g is

    z = γ_c + √r (u_i + v_ai)/√2 + √(1−r) e_asi + √h δ_asc

u: the sample's own, v: the architecture's, e: this run's; each has a part that the group shares
(`dependence`). δ: each run favours other classes; r varies from run to run too (`heterogeneity` h).
γ: the classes', fixed in a cell. Without `signal` γ = 0 and r = 0: runs share nothing. With `tied`
mass the scores below the population's quantile are 0: most samples are never forgotten, and how many
are varies from study to study, and from run to run.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from retention.runs.reading import Run

ARCHITECTURES = ("a", "b")
RELIABILITY = 0.3
IMBALANCED = (260, 130, 80, 60, 40, 20, 10)  # 26 : 1, 600 samples
BIRDS = (10,) * 200  # 2,000 samples
LARGEST_GROUP = 4


@dataclass(frozen=True)
class Cell:
    """One point of the grid."""

    seeds: int
    classes: int  # 7 or 200
    dependence: float
    heterogeneity: float
    tied: float
    signal: bool


def draw_study(cell: Cell, draws: np.random.Generator, fixed: int | None = None) -> list[Run]:
    """Return the runs of one study; fixed: a seed for what belongs to the runs, the same in each."""
    sizes = IMBALANCED if cell.classes == 7 else BIRDS
    classes = np.repeat(np.arange(len(sizes)), sizes)
    groups = _groups(classes, draws)
    of_class = _class_effects(cell, sizes)
    limit = _population_quantile(cell, sizes)
    of_runs = draws if fixed is None else np.random.default_rng(fixed)
    u = [_effect(cell, groups, draws) for _ in range(3)]
    runs = []
    for architecture in ARCHITECTURES:
        v = [_effect(cell, groups, draws) for _ in range(3)]
        for seed in range(cell.seeds):
            spread = np.sqrt(cell.heterogeneity)
            reliability = np.clip(RELIABILITY * (1 + spread * of_runs.normal()), 0.0, 0.9)
            reliability *= cell.signal
            favour = spread * of_runs.normal(size=(3, len(sizes)))
            z = np.stack(
                [
                    of_class[classes]
                    + np.sqrt(reliability / 2) * (u[k] + v[k])
                    + np.sqrt(1 - reliability) * _effect(cell, groups, draws)
                    + favour[k][classes]
                    for k in range(3)
                ]
            )
            if cell.signal:  # the loss and the score have half of what they share in common
                z[1] = (z[0] + z[1]) / np.sqrt(2)
            samples = _samples(cell, classes, groups, z, limit, draws)
            runs.append(Run("simulated", architecture, seed, samples))
    return runs


def _class_effects(cell: Cell, sizes: Sequence[int]) -> np.ndarray:
    return np.random.default_rng(cell.classes).normal(size=len(sizes)) * 0.5 * cell.signal


def _population_quantile(cell: Cell, sizes: Sequence[int]) -> float:
    """Return the score below which the share `tied` of all samples of all runs lies, −∞ for none."""
    if not cell.tied:
        return -np.inf
    shares, deviation = np.array(sizes) / sum(sizes), np.sqrt(1 + cell.heterogeneity)
    centres = _class_effects(cell, sizes)

    def too_many(limit: float) -> float:
        return shares @ norm.cdf(limit, centres, deviation) - cell.tied

    return brentq(too_many, -10, 10)


def _groups(classes: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Cut each class into groups of 1 to 4 samples."""
    cut = draws.random(len(classes)) < 2 / (1 + LARGEST_GROUP)
    cut |= np.r_[True, np.diff(classes) != 0]
    return np.cumsum(cut) - 1


def _effect(cell: Cell, groups: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    shared = draws.normal(size=groups.max() + 1)[groups]
    own = draws.normal(size=len(groups))
    return np.sqrt(cell.dependence) * shared + np.sqrt(1 - cell.dependence) * own


def _samples(cell, classes, groups, z, limit, draws) -> pd.DataFrame:
    score, loss, fit = z
    forgotten = score > limit
    decay = np.where(forgotten, expit(score), 0.0)
    hazard = 0.02 + 0.5 * decay
    return pd.DataFrame(
        {
            "sample_index": np.arange(len(classes)),
            "label": classes,
            "class_name": np.char.add("class ", classes.astype(str)),
            "group": groups.astype(str),
            "never_learned": False,
            "decay_constant": decay,
            "decay_constant_from_1": decay,
            "loss_0": np.exp(loss),
            "forgetting_events": np.where(forgotten, 1 + np.floor(4 * decay), 0),
            "hazard": hazard,
            "hazard_odd": hazard + 0.1 * draws.normal(size=len(classes)),
            "hazard_even": hazard + 0.1 * draws.normal(size=len(classes)),
            "r_squared": 0.5 + 0.2 * (fit + (0.2 if cell.signal else 0.0)),
            "r_squared_null": 0.5,
            "fit_status": "ok",
        }
    )
