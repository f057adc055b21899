"""Described runs in memory whose scores are planted, and how tests read a table of findings."""

import numpy as np
import pandas as pd

from retention.runs.reading import Run

OPTIONS = {
    "top_fraction": 0.1,
    "resamples": 199,
    "tie_breaks": 20,
    "score": "decay_constant",
    "correction": "holm",
    "seed": 0,
}
N = 400


def run_of(architecture, seed, classes=None, **columns):
    """A run whose samples have what a test plants, and harmless values elsewhere."""
    draws = np.random.default_rng([seed, len(architecture)])
    score = np.asarray(columns.get("decay_constant", draws.random(N)))
    number = len(score)
    classes = np.arange(number) % 4 if classes is None else classes
    table = pd.DataFrame(
        {
            "sample_index": np.arange(number),
            "label": classes,
            "class_name": np.char.add("c", classes.astype(str)),
            "group": np.arange(number).astype(str),
            "never_learned": False,
            "decay_constant": score,
            "decay_constant_from_1": score,
            "loss_0": draws.random(number),
            "forgetting_events": np.ones(number),
            "hazard": score,
            "hazard_odd": score,
            "hazard_even": score,
            "r_squared": 0.5 + 0.1 * draws.normal(size=number),
            "r_squared_null": 0.5,
            "fit_status": "ok",
        }
    )
    return Run("planted", architecture, seed, table.assign(**columns))


def normal_runs(correlation, seeds=4, architectures=("a", "b"), number=N):
    """Runs whose scores are normal and correlate pairwise by design."""
    draws = np.random.default_rng(5)
    shared = draws.normal(size=number)
    return [
        run_of(
            name,
            seed,
            decay_constant=np.sqrt(correlation) * shared
            + np.sqrt(1 - correlation) * draws.normal(size=number),
        )
        for name in architectures
        for seed in range(seeds)
    ]


def pick(table, comparison, statistic):
    found = table[(table["comparison"] == comparison) & (table["statistic"] == statistic)]
    assert len(found) == 1, (comparison, statistic)
    return found.iloc[0]


def class_runs(signal):
    draws = np.random.default_rng(11)
    classes = np.arange(N) % 8
    return [
        run_of(name, seed, classes, hazard=0.1 + 0.02 * signal * classes + 0.05 * draws.random(N))
        for name in "ab"
        for seed in range(3)
    ]


def runs_forgetting_at_random(share: float, draws) -> list[Run]:
    """Return three runs of two networks that each forget other samples, at random."""
    runs = []
    for run in normal_runs(0.0, seeds=3, number=800):
        forgotten = draws.random(800) < share
        table = run.samples.assign(
            decay_constant=np.where(forgotten, draws.random(800), 0.0),
            forgetting_events=forgotten.astype(float),
        )
        runs.append(Run(run.dataset, run.architecture, run.seed, table))
    return runs
