"""What files of traces say of themselves before they are read: columns, which run they are of, and from which epoch to which."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

NEEDED = ("epoch", "correct")


@dataclass(frozen=True)
class TraceFile:
    """A file of traces.

    says: its metadata, such as architecture and seed; first, last: its epochs, None where the file does not tell
    without being read. fault: why it holds no traces, "" where it does.
    """

    columns: frozenset[str] = frozenset()
    says: dict[str, str] = field(default_factory=dict)
    first: int | None = None
    last: int | None = None
    fault: str = ""


def trace_file(name: str) -> TraceFile:
    """Return what a file says; one that is not there says nothing."""
    path = Path(name)
    return _read(name, path.stat().st_mtime_ns) if path.is_file() else TraceFile()


@cache  # asked by every check of every finding
def _read(name: str, changed: int) -> TraceFile:
    import pyarrow as pa  # a study without own runs opens no table while rules are read
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(name)
    except (OSError, pa.ArrowInvalid):
        return TraceFile(
            fault="is no Parquet file, or was cut off; give traces as TraceRecorder closes them"
        )
    columns = frozenset(file.schema_arrow.names)
    if lacking := [column for column in NEEDED if column not in columns]:
        return TraceFile(columns, fault=f"holds no traces: lacks the column {lacking[0]}")
    says = {key.decode(): text.decode() for key, text in (file.schema_arrow.metadata or {}).items()}
    place = file.schema_arrow.names.index("epoch")
    groups = [file.metadata.row_group(n).column(place) for n in range(file.metadata.num_row_groups)]
    known = [found.statistics for found in groups if found.is_stats_set]
    if not known or len(known) < len(groups) or not all(found.has_min_max for found in known):
        return TraceFile(columns, says)
    first, last = min(found.min for found in known), max(found.max for found in known)
    return TraceFile(columns, says, int(first), int(last))


def unclosed(path: Path) -> str:
    """Return that a recording has no file yet, and what to do, "" where it has one or there is none."""
    if path.exists() or not path.with_name(path.name + ".parts").is_dir():
        return ""
    return (
        f"is still being recorded, or was never closed; close it, or run import_traces.py {path} --format recorder --output "
        "OTHER.parquet and name that"
    )
