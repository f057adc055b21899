"""From the long table of traces to one matrix a quantity, samples by epochs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.storage import read_metadata, read_parquet, require_columns

VALUES = ("loss", "margin", "confidence", "error_norm", "predicted")
SHOWN = 5


@dataclass(frozen=True)
class Traces:
    """Traces of N samples over E epochs.

    keys: [N] rows of `split` and `sample_index` or `sample_id`; epochs: [E] int;
    correct: bool [N, E]; values: name → float or int [N, E]; metadata of the file.
    """

    keys: pd.DataFrame
    epochs: np.ndarray
    correct: np.ndarray
    values: dict[str, np.ndarray] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


def read_traces(path: str | Path) -> Traces:
    """Read traces made by this workflow, or any file with sample, `epoch` and `correct` columns.

    Raises `UserError` naming rows that are repeated, missing or not finite.
    """
    table = read_parquet(path)
    require_columns(path, table.columns, ["epoch", "correct"])
    sample = next((name for name in ("sample_index", "sample_id") if name in table), None)
    if sample is None:
        raise UserError(f"{path}: lacks a column sample_index or sample_id")
    if "split" not in table:
        table["split"] = "train"
    present = [name for name in VALUES if name in table]
    for name in ["epoch", "correct", *present]:
        bad = table.index[~np.isfinite(table[name].to_numpy(dtype=float, na_value=np.nan))]
        _refuse(path, bad, f"{name} is not finite")
    _refuse(path, table.index[~table["correct"].isin([0, 1])], "correct is neither 0 nor 1")
    keys = ["split", sample]
    _refuse(path, table.index[table.duplicated([*keys, "epoch"])], "sample and epoch stand twice")
    table = table.sort_values([*keys, "epoch"], kind="stable")
    epochs = np.sort(table["epoch"].unique())
    first = table.drop_duplicates(keys)[keys].reset_index(drop=True)
    if len(table) != len(first) * len(epochs):
        counts = table.groupby(keys, observed=True).size()
        short = counts[counts < len(epochs)]
        raise UserError(
            f"{path}: {len(short)} samples lack epochs that others have, the first are "
            f"{', '.join(str(name) for _, name in short.index[:SHOWN])}; every sample needs all "
            f"{len(epochs)} epochs"
        )
    gaps = np.setdiff1d(np.arange(epochs[0], epochs[-1] + 1), epochs)
    if len(gaps):
        raise UserError(f"{path}: no row has the epoch(s) {', '.join(map(str, gaps[:SHOWN]))}")
    shape = (len(first), len(epochs))
    return Traces(
        keys=first,
        epochs=epochs,
        correct=table["correct"].to_numpy(dtype=bool).reshape(shape),
        values={name: table[name].to_numpy().reshape(shape) for name in present},
        metadata=read_metadata(path),
    )


def _refuse(path: str | Path, rows: Sequence[int], fault: str) -> None:
    if len(rows):
        shown = ", ".join(str(row) for row in rows[:SHOWN])
        raise UserError(f"{path}: {fault} in {len(rows)} rows, the first are {shown} (from 0)")
