"""Studies from traces upward, whose truth is known: what each sample shares between runs is what a cell says.

A run sees sample i of class c and group g at a difficulty

    d = γ_c + √a u_i + √b v_ai + √(1 − a − b) e_asi + δ_asc + α_as

u: the sample's own, v: the architecture's, e: this run's; a group shares the part `dependence` (its intraclass
correlation) of each. γ: classes differ; δ: a run favours classes of its own; α: runs differ in how much they
forget. Without `signal` a = b = 0 and γ = 0: runs share nothing.

A trace has two states. A sample is first learned the later the more difficult it is (`learned` by "difficulty"; else by
its "class", or at "random"). Known, it is lost at an epoch with a probability that rises with d and falls with the epoch; lost, it is
relearned, the sooner the shorter ago that was. The threshold of d is set so that in the population the share `ever` is
forgotten at least once. A collapsed run loses nearly everything at epoch 1 and relearns little of it.
"""

import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from retention.dynamics.description import confusions, describe
from retention.dynamics.split_half import chances
from retention.dynamics.trace_table import Traces
from retention.runs.reading import Run

ARCHITECTURES = ("a", "b")
IMBALANCED = (320, 180, 110, 80, 60, 30, 20)  # 16 : 1, 800 samples
EPOCHS = 20
STEEPNESS = 2.0  # log odds of losing a sample per standard deviation of its difficulty
FALLING = 10.0  # epochs in which losing gets e times rarer
RELEARNED = 0.6  # probability at the epoch after the loss; half of it, and so on, later
LATEST = 6.0  # epochs after which most samples are first learned
PILOT = 200_000  # samples by which the threshold is set
SHUFFLES = 20


@dataclass(frozen=True)
class Cell:
    """One point of the grid."""

    seeds: int = 3
    ever: float = 0.05  # share of the samples that a run forgets at least once
    group_size: int = 1
    dependence: float = 0.0
    sample: float = 0.0  # share of a difficulty's variance that is the sample's own
    architecture: float = 0.0  # that is the sample's in this architecture
    classes: float = 0.0  # standard deviation of classes
    class_x_seed: float = 0.0  # of the classes that a run favours
    seed: float = 0.0  # of runs' own levels
    learned: str = "difficulty"  # what learning times rise with, or "class" or "random"
    collapsed: int = 0  # runs that collapse, the last ones of the first architecture
    sizes: tuple[int, ...] = IMBALANCED

    @property
    def signal(self) -> bool:
        """Whether runs share anything."""
        return bool(self.sample or self.architecture or self.classes or self.learned == "class")


@dataclass(frozen=True)
class Study:
    """The runs of one study, and per architecture confusions.csv of its runs together."""

    runs: list[Run]
    confusions: dict[str, pd.DataFrame]


def draw_study(cell: Cell, draws: np.random.Generator) -> Study:
    """Return one study, described as the workflow describes it."""
    classes = np.repeat(np.arange(len(cell.sizes)), cell.sizes)
    groups = _groups(cell, classes)
    threshold = _threshold(replace(cell, seeds=1, collapsed=0))
    of_class = cell.classes * _class_effects(len(cell.sizes))[classes]
    own = _effect(cell, groups, draws)
    runs, confused = [], {}
    for architecture in ARCHITECTURES:
        of_architecture, of_runs = _effect(cell, groups, draws), []
        for seed in range(cell.seeds):
            difficulty = of_class + _difficulty(cell, classes, groups, own, of_architecture, draws)
            collapses = architecture == ARCHITECTURES[0] and seed >= cell.seeds - cell.collapsed
            late = _lateness(cell, difficulty, classes, draws)
            correct = _traces(difficulty, late, threshold, draws)
            if collapses:
                correct = _collapse(correct, draws)
            loss = np.exp(0.5 * difficulty + 0.5 * draws.normal(size=len(difficulty)))
            traces = _table(correct, classes, loss, draws)
            samples = _described(traces, classes, groups)
            halves = chances(correct, draws, classes)
            runs.append(Run("simulated", architecture, seed, samples, chances=halves))
            of_runs.append(confusions(traces, classes))
        confused[architecture] = pd.concat(of_runs)
    return Study(runs, confused)


def correctness(cell: Cell, draws: np.random.Generator, samples: int) -> np.ndarray:
    """Return the traces of one run of as many samples, bool [N, EPOCHS + 1], in one class and no groups."""
    alone = replace(cell, classes=0.0, class_x_seed=0.0)
    zeros = np.zeros(samples, dtype=int)
    effects = [draws.normal(size=samples) for _ in range(2)]
    difficulty = _difficulty(alone, zeros, np.arange(samples), *effects, draws)
    late = _lateness(alone, difficulty, zeros, draws)
    return _traces(difficulty, late, _threshold(cell), draws)


def _groups(cell: Cell, classes: np.ndarray) -> np.ndarray:
    """Cut each class into groups of `group_size` samples, its last may be smaller."""
    place = np.concatenate([np.arange(size) // cell.group_size for size in cell.sizes])
    return np.unique(np.stack([classes, place]), axis=1, return_inverse=True)[1].ravel()


@cache
def _class_effects(number: int) -> np.ndarray:
    """Return the classes' effects, with mean 0 and deviation 1: fixed, as a data set's classes are."""
    effects = np.random.default_rng(number).normal(size=number)
    return (effects - effects.mean()) / max(effects.std(), 1e-9)


def _effect(cell: Cell, groups: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    shared = draws.normal(size=groups.max() + 1)[groups]
    own = draws.normal(size=len(groups))
    return np.sqrt(cell.dependence) * shared + np.sqrt(1 - cell.dependence) * own


def _difficulty(cell, classes, groups, own, of_architecture, draws) -> np.ndarray:
    rest = 1 - cell.sample - cell.architecture
    return (
        np.sqrt(cell.sample) * own
        + np.sqrt(cell.architecture) * of_architecture
        + np.sqrt(rest) * _effect(cell, groups, draws)
        + cell.class_x_seed * draws.normal(size=len(cell.sizes))[classes]
        + cell.seed * draws.normal()
    )


def _lateness(
    cell: Cell, difficulty: np.ndarray, classes: np.ndarray, draws: np.random.Generator
) -> np.ndarray:
    """Return what learning times rise with, about standard normal, [N]."""
    if cell.learned == "class":
        return _class_effects(len(cell.sizes))[classes]
    return difficulty if cell.learned == "difficulty" else draws.normal(size=len(difficulty))


def _traces(
    difficulty: np.ndarray, late: np.ndarray, threshold: float, draws: np.random.Generator
) -> np.ndarray:
    """Return two-state traces, bool [N, EPOCHS + 1]; threshold: the difficulty at which half are lost at once."""
    lost = expit(STEEPNESS * (difficulty - threshold))
    first = draws.geometric(1 / (1 + LATEST * expit(late))) - 1
    state, since = np.zeros(len(difficulty), dtype=bool), np.zeros(len(difficulty))
    columns = []
    for epoch in range(EPOCHS + 1):
        chance = draws.random(len(difficulty))
        known = epoch > first
        stays = chance >= lost * np.exp(-epoch / FALLING)
        comes_back = chance < RELEARNED * 0.5 ** (since - 1)
        state = np.where(known, np.where(state, stays, comes_back), epoch == first)
        since = np.where(state, 0, since + 1)
        columns.append(state)
    return np.stack(columns, axis=1)


@cache
def _threshold(cell: Cell) -> float:
    """Return the difficulty at which half are lost, so that the share `ever` is forgotten at least once."""
    draws = np.random.default_rng(26)
    shares = np.array(cell.sizes) / sum(cell.sizes)
    classes = draws.choice(len(cell.sizes), PILOT, p=shares)
    spread = np.sqrt(1 + cell.class_x_seed**2 + cell.seed**2)
    difficulty = cell.classes * _class_effects(len(cell.sizes))[classes] + spread * draws.normal(
        size=PILOT
    )
    late = _lateness(cell, difficulty, classes, draws)
    low, high = -12.0, 12.0
    for _ in range(20):
        middle = (low + high) / 2
        correct = _traces(difficulty, late, middle, np.random.default_rng(1))
        forgotten = (correct[:, :-1] & ~correct[:, 1:]).any(axis=1).mean()
        low, high = (middle, high) if forgotten > cell.ever else (low, middle)
    return (low + high) / 2


def _collapse(correct: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Lose nine in ten of the samples at epoch 1; a twentieth of them comes back at each epoch."""
    gone = draws.random(len(correct)) < 0.9
    back = 1 + draws.geometric(0.05, size=len(correct))
    lost = np.arange(correct.shape[1])[None, :] >= 1
    found = np.arange(correct.shape[1])[None, :] >= back[:, None]
    return np.where(gone[:, None] & lost & ~found, False, correct)


def _table(
    correct: np.ndarray, classes: np.ndarray, loss: np.ndarray, draws: np.random.Generator
) -> Traces:
    """Return the traces; what is wrong is taken for any of the other classes."""
    keys = pd.DataFrame({"split": "train", "sample_index": np.arange(len(correct))})
    number = classes.max() + 1
    other = (classes[:, None] + draws.integers(1, number, size=correct.shape)) % number
    predicted = np.where(correct, classes[:, None], other)
    return Traces(keys, np.arange(correct.shape[1]), correct, predicted, {"loss_0": loss})


def _described(traces: Traces, classes: np.ndarray, groups: np.ndarray) -> pd.DataFrame:
    labels = {
        "label": classes,
        "class_name": np.char.add("class ", classes.astype(str)),
        "group": groups.astype(str),
    }
    return describe(traces, [], SHUFFLES).assign(**labels)
