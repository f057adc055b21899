"""The distribution of the samples' R² in every run, beside that of the same traces with their epochs shuffled.

| statistic | what |
|---|---|
| observed | share of the samples whose R² (exponential, aligned trace) is at most r_squared |
| shuffled | the same of their traces with the epochs after first learned in random order |
| constant | share of all samples whose trace never varies after it was first learned: it has no R² |
| unidentified | share of all samples that have no fit: never learned, or too few epochs after it |

Columns architecture, seed, statistic, r_squared (−1, −0.99, …, 1: no fit of ours is beyond; NaN of the last two), samples (of which it is
the share) and estimate. The shuffles are those of which describe_samples takes the mean as the null of F2, the first `SHUFFLES` of each number of
epochs and of correct ones among them.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from retention.common.randomness import generator
from retention.dynamics.decay import fit
from retention.dynamics.retention import aligned
from retention.multiverse.study import Study, read_study
from retention.runs.reading import Run

COLUMNS = ["architecture", "seed", "statistic", "r_squared", "samples", "estimate"]
GRID = np.arange(-100, 101) / 100
SHUFFLES = 100
ROUNDING = 1e-9  # of what is at most a number of the grid
UNFITTED = ("never_learned", "too_short", "failed", "undetermined")


def read(traces: Sequence[Path], samples: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from traces.parquet and samples.parquet of the runs in one order."""
    return {"study": read_study(traces, samples)}


def measure(study: Study) -> pd.DataFrame:
    """Return the table, runs by architecture and seed; of runs whose samples have no R² the shares alone."""
    pieces = [
        piece.assign(architecture=run.architecture, seed=run.seed)
        for run, correct in zip(study.runs, study.correct, strict=True)
        for piece in _of_run(run, correct)
    ]
    return pd.concat(pieces, ignore_index=True)[COLUMNS]


def shuffled_shares(correct: np.ndarray) -> np.ndarray:
    """Return which share of shuffled traces has an R² of at most `GRID`, the mean over the traces, float [G].

    correct: bool [N, E], of traces that have an R².
    """
    _, values, weights = aligned.points(correct)
    pairs = np.stack([weights.sum(axis=1), values.sum(axis=1)], axis=1).astype(int)
    distinct, counts = np.unique(pairs, axis=0, return_counts=True)
    shares = np.stack([_shares(_shuffled(*map(int, pair))) for pair in distinct])
    return np.asarray(counts @ shares / counts.sum())


def _of_run(run: Run, correct: np.ndarray) -> Iterator[pd.DataFrame]:
    found = run.samples["r_squared"].to_numpy(dtype=float)
    known = np.isfinite(found)
    unfitted = run.samples["fit_status"].isin(UNFITTED).to_numpy()
    if known.any():
        distributions = {"observed": _shares(found[known])}
        distributions["shuffled"] = shuffled_shares(correct[known])
        for name, shares in distributions.items():
            table = {"statistic": name, "r_squared": GRID, "samples": known.sum()}
            yield pd.DataFrame(table | {"estimate": shares})
    for name, chosen in (("constant", ~known & ~unfitted), ("unidentified", ~known & unfitted)):
        table = {"statistic": name, "r_squared": np.nan, "samples": len(known)}
        yield pd.DataFrame(table | {"estimate": [chosen.mean()]})


def _shares(values: np.ndarray) -> np.ndarray:
    """Return which share of the values is at most `GRID`, float [G]."""
    return np.searchsorted(np.sort(values), GRID + ROUNDING, side="right") / len(values)


@cache  # runs share most of them
def _shuffled(length: int, correct: int) -> np.ndarray:
    """Return the R² of traces with so many correct epochs in random order, float [SHUFFLES], the same in every run."""
    draws = generator("r_squared_null", length, correct)
    trace = np.zeros((SHUFFLES, length))
    trace[:, :correct] = 1.0
    times = np.arange(1.0, length + 1)
    table = fit(times, draws.permuted(trace, axis=1), np.ones(trace.shape), "exponential")
    return table["r_squared"].to_numpy()
