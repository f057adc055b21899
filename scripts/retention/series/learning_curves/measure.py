"""Accuracy and mean loss of every run at every epoch, of training and of held-out samples.

Columns architecture, seed, split, epoch, samples (how many were evaluated), accuracy (share that is right) and loss (mean
cross-entropy, NaN where traces have none). All in evaluation mode: training loss under augmentation is not comparable
with that of held-out samples.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from retention.common.columns import require_columns
from retention.common.parquet_tables import read_parquet
from retention.dynamics.trace_table import SAMPLE
from retention.measuring.same_runs import require_same_runs
from retention.runs.reading import identity_of

COLUMNS = ["architecture", "seed", "split", "epoch", "samples", "accuracy", "loss"]
BATCH = 1_000_000  # rows read at a time, bounds the memory


def read(traces: Sequence[Path], samples: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, traces.parquet and samples.parquet of each run; `UserError` where they are of other runs."""
    require_same_runs(samples, traces)
    return {"runs": list(zip(traces, samples, strict=True))}


def measure(runs: Sequence[tuple[Path, Path]]) -> pd.DataFrame:
    """Return the table, ordered by architecture, seed, split and epoch; raise `UserError` for a run without a name."""
    pieces = []
    for traces, samples in runs:
        name = identity_of(samples)
        found = by_epoch(traces, samples)
        pieces.append(found.assign(architecture=name["architecture"], seed=int(name["seed"])))
    table = pd.concat(pieces, ignore_index=True)[COLUMNS]
    return table.sort_values(COLUMNS[:4], ignore_index=True)


def by_epoch(traces: Path, samples: Path) -> pd.DataFrame:
    """Return split, epoch, samples, accuracy and loss of one run.

    samples: says which samples are held out where the traces do not. Raises `UserError` for a lacking column.
    """
    names = pq.read_schema(traces).names
    require_columns(traces, names, ["epoch", "correct"])
    keys = [] if "split" in names else [name for name in SAMPLE if name in names][:1]
    splits = read_parquet(samples, [*keys, "split"]).set_index(keys[0])["split"] if keys else None
    read = [name for name in ("split", *keys, "epoch", "correct", "loss") if name in names]
    sums = [
        _sums(batch.to_pandas(), splits)
        for batch in pq.ParquetFile(traces).iter_batches(BATCH, columns=read)
    ]
    total = pd.concat(sums).groupby(level=["split", "epoch"]).sum(min_count=1).reset_index()
    return total.assign(
        samples=total["samples"].astype(int),
        accuracy=total["correct"] / total["samples"],
        loss=total["loss"] / total["samples"],
    ).drop(columns="correct")


def _sums(rows: pd.DataFrame, splits: pd.Series | None) -> pd.DataFrame:
    """Return how many rows each split and epoch has, how many are right, and the sum of their losses."""
    split = rows["split"] if splits is None else rows[splits.index.name].map(splits)
    rows = rows.assign(
        split=split.astype(str),
        correct=rows["correct"].astype(float),
        loss=rows["loss"].astype(float) if "loss" in rows else float("nan"),
    )
    grouped = rows.groupby(["split", "epoch"])
    return pd.DataFrame(
        {
            "samples": grouped.size(),
            "correct": grouped["correct"].sum(),
            "loss": grouped["loss"].sum(min_count=1),
        }
    )
