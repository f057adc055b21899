"""The index of a data set beside samples of its runs: the paths of images, of these samples and no others."""

from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.common.parquet_tables import read_parquet

KEYS = ["split", "sample_index"]  # a file of one's own may number each split anew
NAMES = ["sample_id", "label", "class_name"]
OF_RUNS = ("forgetting_events", "epoch")  # what tables of runs have, and no index
REMEDY = "name index.parquet of the data set that the runs are of"


def paths_of(samples: pd.DataFrame, index: Path) -> pd.Series:
    """Return the paths of samples in an index, str [N], missing where it has none.

    samples: [N] rows of a samples.parquet. Raises `UserError` where the index is another table, lacks samples, or calls one
    otherwise.
    """
    table = read_parquet(index)
    on = [name for name in KEYS if name in table]
    if "sample_index" not in on:  # an index of one's own that goes by names
        on = ["sample_id"]
    _require_index(index, table, on, samples)
    known = table.drop_duplicates(on).set_index(on)
    places = known.index.get_indexer(
        pd.Index(samples[on[0]]) if len(on) == 1 else pd.MultiIndex.from_frame(samples[on])
    )
    if (lacking := places < 0).any():
        raise UserError(
            f"{index}: lacks {lacking.sum()} of {len(samples)} samples, the first is {_called(samples, lacking)}; {REMEDY}"
        )
    found = known.reset_index().iloc[places].set_axis(samples.index)
    for name in NAMES:
        if name in found and name in samples:
            _require_same(index, name, samples, found)
    return found["path"] if "path" in found else pd.Series(np.nan, samples.index, dtype=object)


def _require_index(index: Path, table: pd.DataFrame, on: list[str], samples: pd.DataFrame) -> None:
    if of_run := [name for name in OF_RUNS if name in table]:
        raise UserError(f"{index}: is a table of a run, as it has {listed(of_run)}; {REMEDY}")
    if not {*on} <= {*table} or not {"path", "label", "class_name"} & {*table}:
        raise UserError(
            f"{index}: is no index of samples, it has {listed([*table])}; {REMEDY}: sample_index or sample_id, and path"
        )
    if not {*on} <= {*samples}:
        raise UserError(
            f"{index}: goes by sample_id, which the samples lack; give it a column sample_index"
        )


def _require_same(index: Path, name: str, samples: pd.DataFrame, found: pd.DataFrame) -> None:
    one, other = (_as_text(table[name]) for table in (samples, found))
    wrong = (one != other).to_numpy()
    if wrong.any():
        raise UserError(
            f"{index}: has another {name} of {wrong.sum()} of {len(samples)} samples, the first is "
            f"{_called(samples, wrong)}: {other[wrong].iloc[0]!r} in place of {one[wrong].iloc[0]!r}; {REMEDY}"
        )


def _as_text(values: pd.Series) -> pd.Series:
    """Return values as text, "" for missing ones; whole numbers alike whether stored as integers or floats."""
    if is_numeric_dtype(values):
        return values.map(lambda value: "" if pd.isna(value) else f"{value:.15g}").astype(str)
    return values.astype(object).fillna("").astype(str)


def _called(samples: pd.DataFrame, which: np.ndarray) -> str:
    first = samples[which].iloc[0]
    return f"sample_index {first['sample_index']}"
