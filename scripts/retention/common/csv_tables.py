"""Tables as CSV files, read with the types that they were written with."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.common.files import atomic_path

# Columns of our tables that hold names and words. CSV knows no types: a class called 007, 1e5, NA or True
# would come back as something else. Of a new text column add the name.
TEXT = frozenset(
    [
        "architecture",
        "baseline",
        "check",
        "class_name",
        "comparison",
        "dataset",
        "definition",
        "digest",
        "explanation",
        "finding",
        "group",
        "keep",
        "metric",
        "note",
        "occasion",
        "path",
        "reason",
        "reported",
        "sample_id",
        "score",
        "source",
        "split",
        "statistic",
        "target",
        "treatment",
        "verdict",
    ]
)
MISSING = ["", "NA", "NaN", "nan"]  # numbers, as pandas and others write those that there are not


def write_csv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV; floats keep every digit that distinguishes them."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def read_csv(path: str | Path, text: Iterable[str] = TEXT) -> pd.DataFrame:
    """Read a CSV table; raise `UserError` when there is none or it holds no columns.

    text: columns that are read as they are written, of which an empty cell alone is missing. pandas
    tells the types of the others from their cells.
    """
    try:
        missing = {name: MISSING for name in pd.read_csv(path, nrows=0).columns}
        words = {name: str for name in missing if name in set(text)}
        missing |= {name: [""] for name in words}
        return pd.read_csv(path, dtype=words, na_values=missing, keep_default_na=False)
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file") from error
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: is not a CSV table ({error})".replace("\n", " ")) from error
    except OSError as error:  # a folder, say
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
