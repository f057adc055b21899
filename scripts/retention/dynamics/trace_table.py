"""From the long table of traces to matrices, samples by epochs.

A file that this workflow wrote has one row group per epoch, samples in one order: it is read epoch by
epoch, so that ImageNet's size fits in memory. Any other order is sorted first.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from retention.common.columns import require_columns
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, read_parquet

AVERAGED = ("margin", "confidence", "error_norm")
VALUES = ("loss", *AVERAGED, "predicted")
SAMPLE = ("sample_index", "sample_id")  # of both the first tells samples apart
SHOWN = 5
MINIMUM_EPOCHS = 3


@dataclass(frozen=True)
class Traces:
    """Traces of N samples over E epochs.

    keys: [N] rows of `split` and `sample_index` or `sample_id` or both; epochs: [E] int;
    correct: bool [N, E]; predicted: int [N, E] or None; per_sample: name → float [N], the mean over
    epochs of margin, confidence and error_norm, variability (the deviation of the confidence) and
    loss_0 (the loss at the first epoch), as far as the file has them; metadata of the file;
    has_splits: False where the file has no split, which is train then. whole: name → float [N, E] of the columns that
    were asked for at every epoch.
    """

    keys: pd.DataFrame
    epochs: np.ndarray
    correct: np.ndarray
    predicted: np.ndarray | None = None
    per_sample: dict[str, np.ndarray] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    has_splits: bool = True
    whole: dict[str, np.ndarray] = field(default_factory=dict)


def read_traces(path: str | Path, whole: Collection[str] = ()) -> Traces:
    """Read traces made by this workflow, or any file with sample, `epoch` and `correct` columns.

    whole: columns of `AVERAGED` that are kept at every epoch, too, which takes their memory.
    Raises `UserError` naming rows that are repeated, missing or not finite.
    """
    metadata = read_metadata(path)
    names = pq.read_schema(path).names
    require_columns(path, names, ["epoch", "correct", *whole])
    samples = [name for name in SAMPLE if name in names]
    if not samples:
        raise UserError(f"{path}: lacks a column sample_index or sample_id")
    present = [name for name in VALUES if name in names]
    columns = [*(["split"] if "split" in names else []), *samples, "epoch", "correct", *present]
    file = pq.ParquetFile(path)
    if not file.metadata.num_rows:
        raise UserError(f"{path}: has no rows")
    for name in ("epoch", "correct", *present):
        kind = file.schema_arrow.field(name).type
        if not (
            pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
        ):
            raise UserError(f"{path}: column {name} is of type {kind}; expected numbers")
    found = _by_row_group(path, columns, samples, whole) or _sorted(path, columns, samples, whole)
    if len(found.epochs) < MINIMUM_EPOCHS:
        raise UserError(
            f"{path}: has {len(found.epochs)} epoch(s); dynamics need at least {MINIMUM_EPOCHS}"
        )
    return replace(found.traces(metadata), has_splits="split" in names)


class _Collected:
    """What is kept of epochs that come one after another."""

    def __init__(self, keys: pd.DataFrame, epochs: int, whole: Collection[str]):
        self.keys, self.wanted = keys, whole
        self.whole: dict[str, np.ndarray] = {}
        self.epochs: list[int] = []
        self.correct = np.empty((epochs, len(keys)), dtype=bool)
        self.predicted: np.ndarray | None = None
        self.means: dict[str, np.ndarray] = {}
        self.squares = np.zeros(len(keys))
        self.loss_0: np.ndarray | None = None

    def add(self, epoch: int, block: Mapping[str, np.ndarray]) -> None:
        """Take in one epoch: arrays [N] by column. Running means as Welford, Technometrics 1962."""
        place = len(self.epochs)
        self.epochs.append(epoch)
        self.correct[place] = block["correct"]
        if "predicted" in block:
            if self.predicted is None:
                self.predicted = np.empty(self.correct.shape, dtype=np.int32)
            self.predicted[place] = block["predicted"]
        for name in self.wanted:
            if name not in self.whole:
                self.whole[name] = np.empty(self.correct.shape, dtype=block[name].dtype)
            self.whole[name][place] = block[name]
        if "loss" in block and place == 0:
            self.loss_0 = block["loss"].astype(float)
        for name in AVERAGED:
            if name in block:
                mean = self.means.setdefault(name, np.zeros(len(self.keys)))
                change = block[name] - mean
                mean += change / (place + 1)
                if name == "confidence":
                    self.squares += change * (block[name] - mean)

    def traces(self, metadata: Mapping[str, str]) -> Traces:
        per_sample = dict(self.means)
        if "confidence" in self.means:
            per_sample["variability"] = np.sqrt(self.squares / len(self.epochs))
        if self.loss_0 is not None:
            per_sample["loss_0"] = self.loss_0
        predicted = None if self.predicted is None else self.predicted.T
        epochs, whole = np.array(self.epochs), {n: values.T for n, values in self.whole.items()}
        return Traces(
            self.keys, epochs, self.correct.T, predicted, per_sample, dict(metadata), whole=whole
        )


def _by_row_group(
    path: str | Path, columns: Sequence[str], samples: Sequence[str], whole: Collection[str]
) -> _Collected | None:
    """Read a file whose row groups are whole epochs in order; None for any other, or a faulty one."""
    file = pq.ParquetFile(path, read_dictionary=[name for name in columns if name == "split"])
    first: list[pa.Array] = []
    collected: _Collected | None = None
    for number in range(file.num_row_groups):
        table = file.read_row_group(number, columns=list(columns))
        keys = [table[name].combine_chunks() for name in ("split", *samples) if name in columns]
        epoch = pc.min_max(table["epoch"]).as_py()
        if not table.num_rows or epoch["min"] is None or epoch["min"] != epoch["max"]:
            return None
        if epoch["min"] % 1:
            return None
        if collected is None:
            first, frame = keys, _key_frame(table, columns, samples)
            if not _strictly_rising(frame, samples[0]):
                return None
            collected = _Collected(frame, file.num_row_groups, whole)
        elif epoch["min"] != collected.epochs[-1] + 1 or not _equal(keys, first):
            return None
        block = _plain(table, columns)
        if block is None:
            return None
        collected.add(int(epoch["min"]), block)
    return collected


def _plain(table: pa.Table, columns: Sequence[str]) -> dict[str, np.ndarray] | None:
    """Return the measured columns as arrays, None where a value is missing or out of range."""
    block = {}
    for name in ("correct", *VALUES):
        if name in columns:
            if table[name].null_count:
                return None
            values = table[name].to_numpy()
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                return None
            block[name] = values
    if block["correct"].dtype != bool and not np.isin(block["correct"], (0, 1)).all():
        return None
    if "predicted" in block and not _is_class(block["predicted"]).all():
        return None
    return block


def _is_class(values: np.ndarray) -> np.ndarray:
    """Tell which numbers `_Collected` can keep as int32, which halves the memory of int64."""
    return (values % 1 == 0) & (np.abs(values.astype(float)) <= np.iinfo(np.int32).max)


def _key_frame(table: pa.Table, columns: Sequence[str], samples: Sequence[str]) -> pd.DataFrame:
    split = table["split"].to_pandas().astype(str) if "split" in columns else "train"
    return pd.DataFrame({"split": split, **{name: table[name].to_pandas() for name in samples}})


def _strictly_rising(keys: pd.DataFrame, sample: str) -> bool:
    index = pd.MultiIndex.from_frame(keys[["split", sample]])
    return index.is_monotonic_increasing and index.is_unique


def _equal(keys: Sequence[pa.Array], others: Sequence[pa.Array]) -> bool:
    return all(key.equals(other) for key, other in zip(keys, others, strict=True))


def _sorted(
    path: str | Path, columns: Sequence[str], samples: Sequence[str], whole: Collection[str]
) -> _Collected:
    """Read a file in any order, all of it at once, and say what is wrong with it."""
    table = read_parquet(path, columns)
    if "split" not in table:
        table["split"] = "train"
    present = [name for name in VALUES if name in table]
    for name in ["epoch", "correct", *present]:
        bad = table.index[~np.isfinite(table[name].to_numpy(dtype=float, na_value=np.nan))]
        _refuse(path, bad, f"{name} is not finite")
    _refuse(path, table.index[~table["correct"].isin([0, 1])], "correct is neither 0 nor 1")
    _refuse(path, table.index[table["epoch"] % 1 != 0], "epoch is not a whole number")
    if "predicted" in present:
        odd = ~_is_class(table["predicted"].to_numpy())
        _refuse(path, table.index[odd], "predicted is no whole number below 2^31")
    keys = ["split", samples[0]]
    for name in samples:
        _refuse(path, table.index[table[name].isna()], f"{name} is empty")
    for name in samples[1:]:
        other = table[name] != table.groupby(keys)[name].transform("first")
        _refuse(path, table.index[other], f"{name} is not that of earlier rows of the {samples[0]}")
    _refuse(path, table.index[table.duplicated([*keys, "epoch"])], "sample and epoch stand twice")
    table = table.sort_values(["epoch", *keys], kind="stable")
    epochs = np.sort(table["epoch"].unique())
    first = table.drop_duplicates(keys)[["split", *samples]].sort_values(keys, ignore_index=True)
    if len(table) != len(first) * len(epochs):
        counts = table.groupby(keys, observed=True).size()
        short = counts.index[counts < len(epochs)]
        shown = [_lacking(table, epochs, keys, key) for key in short[:SHOWN]]
        raise UserError(
            f"{path}: {len(short)} samples lack epochs that others have, the first are "
            f"{', '.join(shown)}; every sample needs all {len(epochs)} epochs"
        )
    before_gaps = epochs[:-1][np.diff(epochs) > 1]
    if len(before_gaps):
        missing = ", ".join(f"{epoch + 1:.0f}" for epoch in before_gaps[:SHOWN])
        raise UserError(
            f"{path}: no row has the epoch(s) {missing}; number the evaluations one by one, rates are "
            "then per evaluation"
        )
    collected = _Collected(first, len(epochs), whole)
    for epoch, rows in _epochs_of(table, len(first)):
        collected.add(epoch, {name: rows[name].to_numpy() for name in ("correct", *present)})
    return collected


def _lacking(table: pd.DataFrame, epochs: np.ndarray, keys: list[str], key: tuple) -> str:
    """Name a sample and the first of the epochs that it lacks."""
    own = table.loc[(table[keys] == list(key)).all(axis=1), "epoch"]
    return f"{key[1]} (epoch {np.setdiff1d(epochs, own)[0]:.0f})"


def _epochs_of(table: pd.DataFrame, samples: int) -> Iterator[tuple[int, pd.DataFrame]]:
    for start in range(0, len(table), samples):
        rows = table.iloc[start : start + samples]
        yield int(rows["epoch"].iloc[0]), rows


def _refuse(path: str | Path, rows: Sequence[int], fault: str) -> None:
    if len(rows):
        shown = ", ".join(str(row) for row in rows[:SHOWN])
        raise UserError(f"{path}: {fault} in {len(rows)} rows, the first are {shown} (from 0)")
