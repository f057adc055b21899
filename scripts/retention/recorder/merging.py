"""The parts of a recording as one file of traces, a row group per epoch."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from retention.common.errors import UserError
from retention.common.files import atomic_path
from retention.common.lists import listed, plural
from retention.common.notes import tell
from retention.common.parquet_tables import read_metadata, with_metadata
from retention.recorder.parts import SAMPLES, Part, Parts, epochs_in, read_epoch


def merge(path: str | Path, output: str | Path | None = None, tolerance: float = 1e-3) -> list[int]:
    """Merge all whole epochs of a recording into one file of traces; return them.

    path: what the recorder was given. output: another file; then the parts stay, and a training that is under way is
    not disturbed. Memory: one epoch. Raises `UserError` where nothing was recorded, an epoch lacks samples, or
    processes say different things of one sample.
    """
    parts = Parts(Path(path))
    merged, whole = epochs_in(parts.traces), parts.whole()
    whole = {epoch: found for epoch, found in whole.items() if epoch not in merged}
    epochs = sorted([*merged, *whole])
    if not epochs:
        raise UserError(f"{path}: no whole epoch is recorded, neither there nor in {parts.folder}")
    if epochs != list(range(epochs[0], epochs[0] + len(epochs))):
        raise UserError(
            f"{path}: epochs {listed(epochs)} are recorded, and others between them are not; record them again"
        )
    target = Path(output) if output is not None else parts.traces
    if whole or target != parts.traces:
        samples = parts.samples() if (parts.folder / SAMPLES).exists() else None
        _write(target, _epochs(parts.traces, whole, samples, tolerance), _metadata(parts, whole))
    if output is None:
        parts.remove()
    return epochs


def keep_epochs_before(path: Path, epoch: int) -> None:
    """Rewrite merged traces without an epoch and all later ones; delete them where nothing stays."""
    epochs = epochs_in(path)
    if not epochs or epoch > epochs[-1]:
        return
    if epoch <= epochs[0]:
        path.unlink()
        return
    file = pq.ParquetFile(path)
    kept = (file.read_row_group(n) for n, number in enumerate(epochs) if number < epoch)
    _write(path, kept, read_metadata(path))


def _metadata(parts: Parts, whole: dict[int, list[Part]]) -> dict[str, str]:
    if whole:
        last = whole[max(whole)]
        # A process that saw no sample knows no number of classes.
        return max((read_metadata(part.path) for part in last), key=len)
    return read_metadata(parts.traces)


def _epochs(
    traces: Path, whole: dict[int, list[Part]], samples: pd.DataFrame | None, tolerance: float
) -> Iterator[pa.Table]:
    """Yield the epochs in order: those that are merged already, then the parts."""
    if traces.exists():
        file = pq.ParquetFile(traces)
        for number in range(file.num_row_groups):
            yield file.read_row_group(number)
    for epoch, parts in sorted(whole.items()):
        table, padded = read_epoch(parts, samples, tolerance)
        if padded:
            tell(
                f"epoch {epoch}: {plural(padded, 'sample')} came twice, as padding, and stand once"
            )
        yield table


def _write(path: Path, tables: Iterator[pa.Table], metadata: dict[str, str]) -> None:
    first = next(tables)
    # Of what the first epoch has; the metadata are the run's.
    schema = with_metadata(first.schema.empty_table(), metadata).schema
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for table in chain([first], tables):
            writer.write_table(_as(table, schema, path), row_group_size=len(table))


def _as(table: pa.Table, schema: pa.Schema, path: Path) -> pa.Table:
    if table.schema.names != schema.names:
        raise UserError(
            f"{path}: epochs have different columns: {listed(schema.names)}; later {listed(table.schema.names)}"
        )
    return table.cast(schema)
