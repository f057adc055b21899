"""A folder with a file of logits for each epoch, `.npy` or `.csv`, and a table of labels."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from retention.common.arrays import read_array
from retention.common.columns import require_columns
from retention.common.csv_tables import read_csv
from retention.common.errors import UserError
from retention.common.lists import listed
from retention.common.parquet_tables import read_parquet
from retention.importers._imported import Imported, numbered, places_of

PATTERN = r"\D*(\d+)\.(?:npy|csv)"
ID = "sample_id"
UNNAMED = "Unnamed: "  # what pandas calls a column without a name


def read(source: Path, labels: Path | None) -> Imported:
    """Read a folder of files such as `epoch_03.npy`, logits [N, C] each, in the order of the labels.

    labels: .npy, int [N]; or .csv or .parquet with a column `label`, and `sample_id` and `split` where there are any. A
    .csv of logits that has a column `sample_id`, too, may have its rows in any order. Raises `UserError` where a file
    does not fit the labels.
    """
    if labels is None:
        raise UserError(
            f"--format logits: needs --labels, a table of the labels in the order of {source}'s rows"
        )
    table = _labels(labels)
    files = [
        (number, path)
        for number, path in numbered(source, PATTERN, "files of logits, such as epoch_0.npy")
        if path.resolve() != labels.resolve()
    ]
    ids = table[ID].astype(str).tolist() if ID in table else [str(n) for n in range(len(table))]
    known = pd.Index(ids, dtype=object)

    def epochs() -> Iterator[tuple[str, np.ndarray, Mapping[str, Any]]]:
        for _, path in files:
            places, logits = _logits(path, known)
            yield str(path), places, {"logits": logits}

    splits = table["split"].tolist() if "split" in table else None
    return Imported(ids, table["label"].to_numpy(), epochs, splits, first=files[0][0])


def _labels(path: Path) -> pd.DataFrame:
    if path.suffix == ".npy":
        found = read_array(path)
        if found.size != len(found):
            raise UserError(
                f"{path}: has the shape {list(found.shape)}; expected a whole number for each sample"
            )
        return pd.DataFrame({"label": found.ravel()})
    if path.suffix not in (".csv", ".parquet"):
        raise UserError(f"--labels: {path} is no .npy, .csv or .parquet")
    table = read_csv(path) if path.suffix == ".csv" else read_parquet(path)
    require_columns(path, table.columns, ["label"])
    if table["label"].isna().any():
        raise UserError(f"{path}: {int(table['label'].isna().sum())} samples have no label")
    return table


def _logits(path: Path, known: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    """Return which samples a file is of, int [N], and their logits [N, C]."""
    places = np.arange(len(known))
    if path.suffix == ".npy":
        logits = read_array(path, mapped="r")
    else:
        table = read_csv(path)
        numbered_classes = [str(name) for name in table] == [str(n) for n in range(table.shape[1])]
        if all(_is_number(name) for name in table.columns) and not numbered_classes:  # no header
            table = pd.read_csv(path, header=None)
        if ID in table:
            places = places_of(table[ID].astype(str), known, str(path))
            table = table.drop(columns=ID)
        _require_no_counter(path, table)
        text = [str(name) for name, kind in table.dtypes.items() if kind.kind not in "iuf"]
        if text:
            raise UserError(
                f"{path}: the column(s) {listed(text)} hold no numbers; expected a logit per class"
            )
        logits = table.to_numpy()
    if logits.ndim != 2 or len(logits) != len(places):
        raise UserError(
            f"{path}: has the shape {list(logits.shape)}; expected a row for each of {len(known)} labels, a column per class"
        )
    return places, logits


def _require_no_counter(path: Path, table: pd.DataFrame) -> None:
    """Raise `UserError` for a column that numbers the rows, as pandas writes one: it would be taken for a class."""
    count = np.arange(len(table))
    for name, column in table.items():
        unnamed = str(name).startswith(UNNAMED)
        counts = len(table) > 2 and any(np.array_equal(column, count + first) for first in (0, 1))
        if unnamed or counts:
            fault = "has no name" if unnamed else f"({name}) numbers the rows"
            raise UserError(
                f"{path}: column {table.columns.get_loc(name) + 1} {fault}, as an index that pandas wrote does; write the logits "
                "alone (index=False), or call it sample_id"
            )


def _is_number(text: object) -> bool:
    try:
        float(str(text))
    except ValueError:
        return False
    return True
