"""How the loss at epoch 0 and the decay constant from epoch 1 on lie together, the samples of all seeds as one.

| statistic | what |
|---|---|
| density | share of the samples in a bin of loss (x) and decay constant (y); the row without edges: of those that lack one of the two |
| lower_quartile, median, upper_quartile | of the decay constants of samples of about one loss, the median of which is `loss` |

Columns architecture, seeds (how many), samples (of a run), statistic, x_low, x_high (edges, nats; below 0.001 is one bin), y_low, y_high (edges, per
epoch; from 0 to 0: never lost), loss and estimate.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from retention.runs.reading import Run, by_architecture, column, read_runs
from retention.statistics.densities import joint_shares, quartiles_along

EDGES = ["x_low", "x_high", "y_low", "y_high"]
QUARTILES = ("lower_quartile", "median", "upper_quartile")
COLUMNS = ["architecture", "seeds", "samples", "statistic", *EDGES, "loss", "estimate"]
LEAST = 1e-3  # nats: of smaller losses it is no matter how small they are, and one bin
MOST, EACH = 10, 30  # groups of samples of about one loss, and the fewest samples of one


def read(samples: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from samples.parquet of the runs."""
    return {"runs": read_runs(samples)}


def measure(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the table, architectures by name; raise `UserError` where a run has no loss at epoch 0."""
    tables = [_of_architecture(name, group) for name, group in by_architecture(runs).items()]
    return pd.concat(tables, ignore_index=True)


def _of_architecture(name: str, group: Sequence[Run]) -> pd.DataFrame:
    loss, decay = (column(group, key) for key in ("loss_0", "decay_constant_from_1"))
    tables = [_density(loss.ravel(), decay.ravel()), _quartiles(loss.ravel(), decay.ravel())]
    table = pd.concat(tables, ignore_index=True)
    table["architecture"], table["seeds"], table["samples"] = name, len(group), loss.shape[1]
    return table[COLUMNS]


def _density(loss: np.ndarray, decay: np.ndarray) -> pd.DataFrame:
    edges, found = joint_shares(np.where(loss < LEAST, 0.0, loss), decay)
    edges[edges[:, 0] == 0, 1] = LEAST
    table = pd.DataFrame(edges, columns=EDGES).assign(loss=np.nan, estimate=found)
    table.loc[len(table)] = [np.nan] * (len(EDGES) + 1) + [1 - found.sum()]
    return table.assign(statistic="density")


def _quartiles(loss: np.ndarray, decay: np.ndarray) -> pd.DataFrame:
    known = np.isfinite(loss) & np.isfinite(decay)
    groups = int(np.clip(known.sum() // EACH, 1, MOST))
    at, *found = quartiles_along(loss[known], decay[known], groups).T
    tables = [
        pd.DataFrame({"statistic": name, "loss": at, "estimate": values})
        for name, values in zip(QUARTILES, found, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)
