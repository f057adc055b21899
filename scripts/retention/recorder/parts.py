"""The folder in which a recording grows: a file for each epoch of each process, each written whole.

`traces.parquet.parts/epoch_000003.0-of-2.parquet` is what the first of two processes saw at epoch 3. An epoch is whole
when all processes that recorded it have their part. `samples.parquet` lists the samples.
"""

import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from retention.common.errors import UserError
from retention.common.files import atomic_path, remove_leftovers
from retention.common.lists import listed
from retention.common.parquet_tables import (
    read_metadata,
    read_parquet,
    with_metadata,
    write_parquet,
)
from retention.recorder.values import disagree

if sys.platform != "win32":  # there a second recorder is not noticed
    import fcntl

PART = re.compile(r"epoch_(\d{6})\.(\d+)-of-(\d+)\.parquet")
SAMPLES = "samples.parquet"
SUFFIX = ".parts"
KEYS = ["split", "sample_index"]
DIGEST = "samples_sha256"  # in the metadata of all that a recorder writes


@dataclass(frozen=True)
class Part:
    """A file of one epoch by one of several processes."""

    path: Path
    epoch: int
    process: int
    processes: int


class Parts:
    """The parts of the recording that `traces` becomes."""

    def __init__(self, traces: Path):
        self.traces = traces
        self.folder = traces.with_name(traces.name + SUFFIX)

    def every(self) -> list[Part]:
        """Return the parts that are there, by epoch and process."""
        found = []
        for path in self.folder.glob("epoch_*.parquet"):
            if match := PART.fullmatch(path.name):
                found.append(Part(path, *map(int, match.groups())))
        return sorted(found, key=lambda part: (part.epoch, part.processes, part.process))

    def whole(self) -> dict[int, list[Part]]:
        """Return the parts of each epoch that all of its processes have recorded, in order."""
        groups: dict[tuple[int, int], list[Part]] = {}
        for part in self.every():
            groups.setdefault((part.epoch, part.processes), []).append(part)
        return {
            epoch: parts
            for (epoch, processes), parts in sorted(groups.items())
            if len(parts) == processes
        }

    def write(
        self, epoch: int, process: int, processes: int, table: pa.Table, metadata: Mapping[str, str]
    ) -> None:
        """Write a part, whole or not at all."""
        path = self.folder / f"epoch_{epoch:06d}.{process}-of-{processes}.parquet"
        with atomic_path(path) as temporary:
            pq.write_table(
                with_metadata(table, metadata),
                temporary,
                compression="zstd",
                row_group_size=len(table) or 1,
            )

    def write_samples(self, table: pd.DataFrame, metadata: Mapping[str, str]) -> None:
        """Write the list of the samples that every epoch must have."""
        write_parquet(self.folder / SAMPLES, table, metadata)

    def samples(self) -> pd.DataFrame:
        """Read the list of the samples."""
        return read_parquet(self.folder / SAMPLES, KEYS)

    def tidy(self, process: int, processes: int, next_epoch: int) -> None:
        """Delete what a killed process left: what it had half-written, and its parts of epochs that are not whole.

        The first process also takes what another number of processes left. Parts of whole epochs stay.
        """
        whole = {part.path for parts in self.whole().values() for part in parts}
        for part in self.every():
            own = (part.process, part.processes) == (process, processes)
            others = process == 0 and part.processes != processes
            stale = part.epoch >= next_epoch or part.path not in whole
            if stale and (own or others):
                part.path.unlink(missing_ok=True)
        mine = f".{process}-of-{processes}"
        for leftover in self.folder.glob(f".epoch_*{mine}-*.parquet"):
            leftover.unlink(missing_ok=True)
        if process == 0:
            remove_leftovers(self.folder / SAMPLES)
            remove_leftovers(self.traces)

    def drop_from(self, epoch: int, process: int, processes: int) -> None:
        """Delete this process's parts of an epoch and all later ones, for the first process those of other numbers, too."""
        for part in self.every():
            own = (part.process, part.processes) == (process, processes)
            if part.epoch >= epoch and (own or (process == 0 and part.processes != processes)):
                part.path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the folder, once its epochs are in the traces."""
        for part in self.every():
            part.path.unlink(missing_ok=True)
        for path in [self.folder / SAMPLES, *self.folder.glob("process_*.lock")]:
            path.unlink(missing_ok=True)
        with suppress(OSError):  # something else lies in it
            self.folder.rmdir()


def read_epoch(
    parts: list[Part], samples: pd.DataFrame | None, tolerance: float
) -> tuple[pa.Table, int]:
    """Return one epoch of all its processes in the order of traces, and how many samples came twice as padding.

    samples: `split` and `sample_index` of all that must be there; None where they are not known.
    Raises `UserError` where samples are missing, or two processes say different things of one.
    """
    tables = [pq.ParquetFile(part.path).read() for part in parts]
    tables = [table for table in tables if len(table)] or tables[:1]
    padded = 0
    if len(parts) == 1:
        table = tables[0]
    else:
        table, padded = _united(tables, parts[0].epoch, tolerance)
    if samples is not None:
        _require_all(table, samples, parts[0])
    return table.replace_schema_metadata(None), padded


def _united(tables: list[pa.Table], epoch: int, tolerance: float) -> tuple[pa.Table, int]:
    """Put the parts of several processes in one order, each sample once."""
    if any(table.schema.names != tables[0].schema.names for table in tables):
        raise UserError(f"epoch {epoch}: its processes recorded different columns")
    table = pa.concat_tables(tables)
    split = table["split"].to_numpy(zero_copy_only=False).astype(str)
    index = table["sample_index"].to_numpy()
    order = np.lexsort((np.arange(len(table)), index, split))
    split, index, table = split[order], index[order], table.take(order)
    again = np.zeros(len(table), dtype=bool)
    again[1:] = (split[1:] == split[:-1]) & (index[1:] == index[:-1])
    repeated = np.flatnonzero(again)
    if len(repeated):
        first = np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))[repeated]
        values = [n for n in table.schema.names if n not in (*KEYS, "sample_id", "epoch")]
        one, other = (
            {name: table[name].to_numpy()[rows] for name in values} for rows in (first, repeated)
        )
        odd = repeated[disagree(one, other, tolerance)]
        if len(odd):
            raise UserError(
                f"epoch {epoch}: {len(odd)} samples came from two processes with other values: "
                f"{listed(f'{index[row]} ({split[row]})' for row in odd)}; all processes must evaluate the same "
                "weights (broadcast them, buffers too), or tell TraceRecorder a larger tolerance"
            )
    return table.filter(pa.array(~again)), len(repeated)


def _require_all(table: pa.Table, samples: pd.DataFrame, part: Part) -> None:
    if len(table) == len(samples):
        return
    found = set(zip(table["split"].to_pylist(), table["sample_index"].to_pylist(), strict=True))
    pairs = zip(samples["split"], samples["sample_index"], strict=True)
    missing = [f"{index} ({split})" for split, index in pairs if (split, index) not in found]
    raise UserError(
        f"epoch {part.epoch}: {len(missing)} of {len(samples)} samples came from none of its {part.processes} "
        f"process(es): {listed(missing)}; evaluate all of them (drop_last=False)"
    )


def epochs_in(traces: Path) -> list[int]:
    """Return the epochs of a merged file, one a row group, [] where there is no file yet.

    Raises `UserError` where a file was not written by a recorder.
    """
    if not traces.exists():
        return []
    if DIGEST not in read_metadata(traces):
        raise UserError(
            f"{traces}: was not written by TraceRecorder; give the recorder another file"
        )
    file = pq.ParquetFile(traces)
    column = file.schema_arrow.get_field_index("epoch")
    groups = [file.metadata.row_group(n).column(column) for n in range(file.num_row_groups)]
    return [int(group.statistics.max) for group in groups]


class Lock:
    """Held by the one process that may write its parts; the system frees it however the process ends."""

    def __init__(self, folder: Path, process: int, processes: int):
        self.path = folder / f"process_{process}_of_{processes}.lock"
        self.handle: int | None = None
        if sys.platform == "win32":
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise UserError(
                f"{self.path}: cannot be written ({error.strerror or error})"
            ) from error
        try:
            # Not flock: workers that a killed process forked would go on holding that.
            fcntl.lockf(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            self.free()
            raise UserError(
                f"{folder}: another process records there as process {process} of {processes}; give each process "
                "of a run its own number (process=rank, processes=world_size), and each run its own file"
            ) from error
        except OSError:  # a file system without locks
            self.free()

    def free(self) -> None:
        """Let another process have it."""
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None

    def withdraw(self) -> None:
        """Let another process have it, and leave no empty folder behind."""
        if self.handle is not None:
            self.path.unlink(missing_ok=True)
            self.free()
            with suppress(OSError):  # something lies in it
                self.path.parent.rmdir()
