"""Options that take a file of one kind, and say which file that is where another is given."""

from collections.abc import Callable
from pathlib import Path

from retention.common.errors import UserError

SAMPLES = "samples.parquet, which describe_samples.py writes"
TRACES = "traces.parquet of a run"
INDEX = "index.parquet of the data set"
FINDINGS = "tables that measure_finding.py wrote, such as findings/*.csv"
MAGIC = b"PAR1"  # begins every Parquet file


def parquet_file(expected: str) -> Callable[[str], Path]:
    """Return what reads an option's Parquet file; expected: what to name, the end of the message."""
    return lambda text: _checked(Path(text), True, expected)


def csv_file(expected: str) -> Callable[[str], Path]:
    """Return what reads an option's CSV table; expected: what to name, the end of the message."""
    return lambda text: _checked(Path(text), False, expected)


def _checked(path: Path, is_parquet: bool, expected: str) -> Path:
    """Return the path; raise `UserError` for a file of another kind. One that is not there is told by its reader."""
    if path.is_file():
        with path.open("rb") as file:
            begins = file.read(4096)
        wrong = not begins.startswith(MAGIC) if is_parquet else b"\0" in begins
        if wrong:
            kind = "Parquet file" if is_parquet else "CSV table"
            raise UserError(f"{path}: is no {kind}; name {expected}")
    return path
