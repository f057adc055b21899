"""Describe the samples of a run, as `describe_samples` does."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from retention.commands import describe_samples
from retention.common.parquet_tables import read_metadata, read_parquet
from retention.notebooks.frames import RUN, as_file, called, workplace


def describe(
    traces: str | Path | pd.DataFrame,
    index: str | Path | pd.DataFrame | None = None,
    *,
    study: str | None = None,
    dataset: str | None = None,
    architecture: str | None = None,
    treatment: str | None = None,
    seed: int | None = None,
    dynamics: Mapping[str, Any] | None = None,
    definition: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Return what happened to each sample of a run: `samples.parquet` as a frame, the same columns and values.

    traces: a file or a frame with `sample_index` or `sample_id`, `epoch` and `correct`. index: the samples' `label`,
    `class_name` and `group`, which findings need. study, dataset, architecture, treatment and seed name the run
    where the traces do not; the frame's `attrs["run"]` says them. dynamics: fits and shuffles; definition: another
    definition of decay constants; both as the options of the command. Raises `UserError` as the command does.
    """
    names = {"study": study, "dataset": dataset, "architecture": architecture}
    names |= {"treatment": treatment, "seed": None if seed is None else str(seed)}
    with workplace() as folder:
        output = folder / "samples.parquet"
        options: dict[str, Any] = {"traces": as_file(traces, folder, "traces"), "output": output}
        options |= names
        if index is not None:
            options["index"] = as_file(index, folder, "index")
        options["dynamics"] = None if dynamics is None else json.dumps(dynamics)
        options["definition"] = None if definition is None else json.dumps(definition)
        called(describe_samples.main, options)
        table = read_parquet(output)
        table.attrs[RUN] = read_metadata(output)
    return table
