"""Data frames that say which run they are of, and the commands run on them in a folder that is gone afterwards."""

import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from retention.commands._extras import missing_extra
from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.common.parquet_tables import write_parquet

RUN = "run"  # in a frame's attrs: what names the run, as the metadata of samples.parquet do


@contextmanager
def workplace() -> Iterator[Path]:
    """Yield an empty folder; errors of users name the files in it without it."""
    with TemporaryDirectory() as folder:
        try:
            yield Path(folder)
        except UserError as error:
            raise UserError(str(error).replace(f"{folder}/", "")) from error


def as_file(given: Any, folder: Path, name: str, suffix: str = ".parquet") -> Path:
    """Return the path of a table: itself, or that of a frame which is written into the folder.

    Raises `UserError` where it is neither.
    """
    if isinstance(given, str | Path):
        return Path(given).resolve()
    if not isinstance(given, pd.DataFrame):
        raise UserError(
            f"{name}: is of type {type(given).__name__}; expected a path or a data frame"
        )
    path = folder / f"{name}{suffix}"
    if suffix == ".csv":
        write_csv(path, given)
    else:
        write_parquet(path, given.reset_index(drop=True), given.attrs.get(RUN, {}))
    return path


def called(main: Callable[[Sequence[str]], None], options: Mapping[str, Any], *first: str) -> None:
    """Call a command's `main`; of what it prints pass on the notes alone.

    Raises `UserError` as it does, where it can not read a value, and where a package is not installed.
    options: by name without dashes, a value or a list of values; None is left out.
    """
    words = list(first)
    for name, value in options.items():
        if value is not None:
            values = value if isinstance(value, list) else [value]
            words += [f"--{name.replace('_', '-')}", *map(str, values)]
    printed, complained = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(complained):
            main(words)
    except SystemExit:  # argparse would end a notebook's cell or a whole script
        fault = complained.getvalue().rpartition("error: ")[2]
        complained = io.StringIO()
        raise UserError(" ".join(fault.split())) from None
    except ModuleNotFoundError as error:
        raise missing_extra(main.__module__.rpartition(".")[2], error) from error
    finally:
        sys.stderr.write(complained.getvalue())
    for line in printed.getvalue().splitlines():
        if line.startswith("note: "):
            print(line)
