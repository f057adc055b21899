"""Files are written whole or not at all, and tables carry the columns that were promised."""

import glob
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from retention.common.errors import UserError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it into place on success, delete it on failure.

    The temporary name keeps the suffix, since some writers choose the format by it. Raises
    `UserError` naming the file when the disk is full, read-only or otherwise refuses.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        names = {"prefix": f".{path.stem}-", "suffix": path.suffix}
        handle, name = tempfile.mkstemp(dir=path.parent, **names)
        os.close(handle)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb") as stream:
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(path: str | Path) -> None:
    """Delete what processes that were killed while they wrote `path` have left beside it.

    Only for who alone may write it: another's unfinished file would go too.
    """
    path = Path(path)
    for leftover in path.parent.glob(f".{glob.escape(path.stem)}-*{glob.escape(path.suffix)}"):
        leftover.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_yaml(path: str | Path, content: Mapping) -> None:
    """Write a map as YAML, keys in the order given."""
    write_text(path, yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True))


def write_csv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV; floats keep every digit that distinguishes them."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a CSV table; raise `UserError` when there is none or it holds no columns."""
    try:
        return pd.read_csv(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file") from error
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: is not a CSV table ({error})".replace("\n", " ")) from error
    except OSError as error:  # a folder, say
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error


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


def require_columns(path: str | Path, present: Iterable[str], wanted: Iterable[str]) -> None:
    """Raise `UserError` when `present` lacks any of the `wanted` columns of the file `path`."""
    present = list(present)
    missing = [column for column in wanted if column not in present]
    if missing:
        raise UserError(
            f"{path}: lacks the column(s) {', '.join(missing)}; it has {', '.join(present)}"
        )


def _open_parquet(path: str | Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file") from error
    except pa.ArrowInvalid as error:
        raise UserError(f"{path}: is not a Parquet file ({error})") from error
    except OSError as error:  # a folder, say
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
