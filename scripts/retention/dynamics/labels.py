"""Splits, labels and groups of traced samples, from an index file."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
from pandas.api.types import is_numeric_dtype

from retention.common.columns import require_columns
from retention.common.errors import UserError
from retention.common.parquet_tables import read_parquet
from retention.dynamics.trace_table import SAMPLE, SHOWN, Traces

ADDED = ["label", "class_name", "group"]


def with_index(traces: Traces, path: Path) -> tuple[Traces, pd.DataFrame]:
    """Return the traces, of the index's splits where they have none, and its columns [N].

    Where neither file numbers the samples, `sample_index` is the row of the index, from 0.

    Samples are joined on sample_index where both files have it, else on sample_id, and within the
    split where both have one. Raises `UserError` naming samples that are repeated or lacking.
    """
    index = read_parquet(path)
    if "group" not in index and {"label", "class_name"} <= set(index):
        raise UserError(
            f"{path}: lacks the column group, which says what samples belong together; where none do, "
            "write the sample's own number or name"
        )
    require_columns(path, index.columns, ADDED)
    if not {"sample_index"} & {*traces.keys, *index}:  # samples of text ids alone
        index = index.assign(sample_index=range(len(index)))
    keys = _keys(traces, index, path)
    repeated = index[index.duplicated(keys)]
    if len(repeated):
        raise UserError(
            f"{path}: {len(repeated)} rows repeat a sample ({', '.join(keys)}), the first are "
            f"{_shown(repeated, keys)}; every sample needs one row"
        )
    wanted = traces.keys[keys]
    if wanted.duplicated().any():
        raise UserError(
            f"{path}: the traces number the samples of each split anew; add a column split"
        )
    names = [name for name in ("split", *SAMPLE, *ADDED) if name in index]
    found = wanted.merge(index[names], on=keys, how="left", indicator=True, validate="1:1")
    lacking = found[found.pop("_merge") == "left_only"]
    if len(lacking):
        raise UserError(
            f"{path}: lacks {len(lacking)} samples of the traces, the first are "
            f"{_shown(lacking, keys)} ({', '.join(keys)})"
        )
    if not traces.has_splits and "split" in found:
        split = found["split"].astype(str)
        traces = replace(traces, keys=traces.keys.assign(split=split), has_splits=True)
    return traces, found[[name for name in found if name not in traces.keys]]


def _keys(traces: Traces, index: pd.DataFrame, path: Path) -> list[str]:
    """Return the columns to join on."""
    shared = [name for name in SAMPLE if name in traces.keys and name in index]
    if not shared:
        own = " and ".join(name for name in SAMPLE if name in traces.keys)
        raise UserError(f"{path}: lacks a column {own}, by which the traces name their samples")
    sample = shared[0]
    if is_numeric_dtype(traces.keys[sample]) != is_numeric_dtype(index[sample]):
        raise UserError(
            f"{path}: {sample} is {index[sample].dtype}, that of the traces "
            f"{traces.keys[sample].dtype}; write both as numbers or both as text"
        )
    return [sample, "split"] if traces.has_splits and "split" in index else [sample]


def _shown(rows: pd.DataFrame, keys: list[str]) -> str:
    return ", ".join(" of ".join(map(str, row)) for row in rows[keys].head(SHOWN).to_numpy())
