"""Where two files that should be the same differ first: a column, an epoch, a sample, a tensor."""

import filecmp
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

# Not the same in any two runs.
TIMES = ("images_per_second", "seconds", "evaluation_seconds")
KEYS = ("epoch", "sample_index")
AXES = {"probabilities.npy": ("epoch", "row"), "class_centroids.npy": ("class",)}


def difference(before: Path, now: Path) -> str:
    """Return where the content of a file differs from what it was before, "" for nowhere.

    Of a table the columns that it had before count, all values of them; what it gained beside them does
    not. Of safetensors the tensors count, of other files every byte.
    """
    if filecmp.cmp(before, now, shallow=False):
        return ""
    kinds = {".parquet": _tables, ".csv": _texts, ".npy": _arrays, ".safetensors": _tensors}
    return kinds.get(before.suffix, _bytes)(before, now)


def gained(before: Path, now: Path) -> list[str]:
    """Return the columns, or words of its metadata, that a table has now and had not before; none of no table."""
    if before.suffix not in (".parquet", ".csv") or filecmp.cmp(before, now, shallow=False):
        return []
    old, new = (_columns(path) for path in (before, now))
    return [name for name in new if name not in old]


def _columns(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        schema = pq.read_schema(path)
        return [*schema.names, *(key.decode() for key in schema.metadata or {})]
    return list(pd.read_csv(path, nrows=0))


def _bytes(before: Path, now: Path) -> str:
    return "its bytes"


def _tables(before: Path, now: Path) -> str:
    old, new = (pq.read_table(path) for path in (before, now))
    if lacking := [name for name in old.column_names if name not in new.column_names]:
        return f"column {lacking[0]}, which the new version does not write"
    if len(old) != len(new):
        return f"the number of rows, {len(old)} before and {len(new)} now"
    for name in old.column_names:
        if old[name].type != new[name].type:
            return f"column {name}, {old[name].type} before and {new[name].type} now"
        row = _first_row(old[name], new[name])
        if row is not None:
            return f"column {name}{_place(old, row)}"
    return ""


def _first_row(old: pa.ChunkedArray, new: pa.ChunkedArray) -> int | None:
    """Return the first row in which two columns differ, be it by a null or by the sign of a zero."""
    unequal = old.is_null().to_numpy() != new.is_null().to_numpy()
    was, is_now = (column.to_numpy() for column in (old, new))
    if was.dtype == object:
        unequal = unequal | (pd.Series(was).fillna("") != pd.Series(is_now).fillna("")).to_numpy()
    else:
        width = was.dtype.itemsize
        bits = [np.ascontiguousarray(column).view(np.uint8) for column in (was, is_now)]
        unequal = unequal | (bits[0] != bits[1]).reshape(-1, width).any(axis=1)
    return int(np.argmax(unequal)) if unequal.any() else None


def _place(table: pa.Table, row: int) -> str:
    known = [f"{name} {table[name][row]}" for name in KEYS if name in table.column_names]
    return ", " + ", ".join(known or [f"row {row}"])


def _texts(before: Path, now: Path) -> str:
    old, new = (pd.read_csv(path, dtype=str, keep_default_na=False) for path in (before, now))
    if lacking := [name for name in old if name not in new]:
        return f"column {lacking[0]}, which the new version does not write"
    if len(old) != len(new):
        return f"the number of rows, {len(old)} before and {len(new)} now"
    for name in old:
        unequal = (old[name] != new[name]).to_numpy()
        if name not in TIMES and unequal.any():
            row = int(np.argmax(unequal))
            place = f"epoch {old['epoch'][row]}" if "epoch" in old else f"row {row}"
            return f"column {name}, {place}"
    return ""


def _arrays(before: Path, now: Path) -> str:
    old, new = (np.load(path, mmap_mode="r") for path in (before, now))
    if (old.shape, old.dtype) != (new.shape, new.dtype):
        return f"{old.dtype}{list(old.shape)} before, {new.dtype}{list(new.shape)} now"
    if old.ndim < 2:
        return "its values"
    for first in range(len(old)):
        pair = [np.ascontiguousarray(array[first]) for array in (old, new)]
        bits = [part.reshape(len(part), -1).view(np.uint8) for part in pair]
        rows = (bits[0] != bits[1]).any(axis=1)
        if rows.any():
            return _named(AXES.get(before.name, ()), (first, int(np.argmax(rows))))
    return "its bytes"


def _named(axes: Sequence[str], place: Sequence[int]) -> str:
    names = [*axes, *["position"] * 2][: max(len(axes), 1)]
    return ", ".join(f"{name} {number}" for name, number in zip(names, place, strict=False))


def _tensors(before: Path, now: Path) -> str:
    old, new = read_tensors(before), read_tensors(now)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return f"tensor {names[0]}" if names else ""


def read_tensors(path: Path) -> dict[str, tuple[str, list[int], bytes]]:
    """Return type, shape and bytes of each tensor of a safetensors file."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    values = memoryview(content)[8 + length :]
    return {
        name: (entry["dtype"], entry["shape"], bytes(values[slice(*entry["data_offsets"])]))
        for name, entry in header.items()
        if name != "__metadata__"
    }


def read_notes(path: Path) -> dict[str, str]:
    """Return what a safetensors file of ours says of how it was made, nothing for another's."""
    with open(path, "rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    return json.loads(header.get("__metadata__", {}).get("run", "{}"))
