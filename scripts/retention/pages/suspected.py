"""The rankings of suspects, suspects.csv and suspects_held_out.csv, as pages show them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retention.common.columns import require_columns
from retention.common.csv_tables import read_csv
from retention.common.errors import UserError
from retention.pages.sheet import KEYS, Sheet

# Columns of the ranking that hold names: a class called 007 comes back as it is only where these are read as text.
WORDS = frozenset(
    [
        "split",
        "sample_id",
        "path",
        "class_name",
        "group",
        "suggested_class_name",
        "duplicates_with_other_label",
    ]
)
NUMBERS = (
    "rank",
    "rank_in_class",
    "samples_of_class",
    "sample_index",
    "label",
    "score",
    "runs_in_worst_share",
    "runs",
    "worst_share",
    "suggested_label",
    "suggested_probability",
    "suggested_share",
)
TRAIN = "train"


def read_suspected(paths: Sequence[Path], sheet: Sheet) -> pd.DataFrame:
    """Return the rows of rankings, each in its order, with a column `place` of the sheet; texts are "" where missing.

    Raises `UserError` naming the file where it is no ranking, or one of samples that the sheet lacks.
    """
    tables = []
    for path in paths:
        table = read_csv(path, WORDS)
        remedy = "; expected a table of scripts/rank_suspects.py"
        require_columns(path, table.columns, [*NUMBERS, *sorted(WORDS)], remedy)
        table[sorted(WORDS)] = table[sorted(WORDS)].fillna("").astype(object)
        tables.append(table.assign(place=_places(path, table, sheet)))
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)


def _places(path: Path, table: pd.DataFrame, sheet: Sheet) -> list[int]:
    known = pd.MultiIndex.from_frame(sheet.samples[KEYS])
    places = known.get_indexer(pd.MultiIndex.from_frame(table[KEYS])) if len(table) else []
    lacking = [place for place in places if place < 0]
    if lacking:
        raise UserError(
            f"{path}: ranks {len(lacking)} samples that samples.parquet lacks; rank the runs that the page shows "
            "(scripts/rank_suspects.py)"
        )
    return [int(place) for place in places]
