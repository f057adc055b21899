"""Tables as CSV files."""

from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.common.files import atomic_path


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
