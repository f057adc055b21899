"""Tables as Parquet files, which say in their metadata what they are of."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from retention.common.columns import require_columns
from retention.common.errors import UserError
from retention.common.files import atomic_path


def write_parquet(
    path: str | Path, table: pd.DataFrame, metadata: Mapping[str, str] | None = None
) -> None:
    """Write a table as Parquet, with `metadata` (string to string) in the file's schema."""
    with atomic_path(path) as temporary:
        arrow = pa.Table.from_pandas(table, preserve_index=False)
        pq.write_table(with_metadata(arrow, metadata or {}), temporary)


def with_metadata(table: pa.Table, metadata: Mapping[str, str]) -> pa.Table:
    """Return `table` with `metadata` in place of any metadata of its own."""
    encoded = {key.encode(): str(value).encode() for key, value in metadata.items()}
    return table.replace_schema_metadata(encoded)


def read_metadata(path: str | Path) -> dict[str, str]:
    """Return a Parquet file's schema metadata as strings (empty when it has none)."""
    encoded = _open_parquet(path).schema_arrow.metadata or {}
    return {key.decode(): value.decode() for key, value in encoded.items()}


def read_parquet(path: str | Path, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table, or only `columns` of it.

    Raises `UserError` naming the file and every promised column it lacks.
    """
    wanted = None if columns is None else list(columns)
    stored = _open_parquet(path)
    require_columns(path, stored.schema_arrow.names, wanted or [])
    return stored.read(columns=wanted).to_pandas(ignore_metadata=True)


def _open_parquet(path: str | Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file") from error
    except pa.ArrowInvalid as error:
        raise UserError(f"{path}: is not a Parquet file ({error})") from error
    except OSError as error:  # a folder, say
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
