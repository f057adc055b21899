"""Lists of files name the same runs at the same places: the traces of a run lie beside its samples.

Two globs sort alike only if the names do, and a run's numbers beside another's traces look like numbers.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, read_parquet
from retention.dynamics.events import events
from retention.dynamics.trace_table import SAMPLE, read_traces
from retention.runs.reading import identity_of

NAMED_BY = ("dataset", "architecture", "treatment", "seed")
EVENTS = "forgetting_events"
REMEDY = "name those of the same runs in the same order"


def require_same_runs(samples: Sequence[Path], traces: Sequence[Path]) -> None:
    """Raise `UserError` where a file of traces is not that of the samples.parquet at its place.

    Metadata that name the same run are believed. Where they name another, which a run that was named at its description
    has, or none, the forgetting events decide: counted from the traces, and as samples.parquet has them. That reads the
    traces whole. Traces that name another run of the list are refused in any case.
    """
    if len(traces) != len(samples):
        raise UserError(f"--traces: names {len(traces)} files, --samples {len(samples)}; {REMEDY}")
    described = [identity_of(path) for path in samples]
    for path, of_samples, expected in zip(traces, samples, described, strict=True):
        found = read_metadata(path)
        if is_of(found, expected):
            continue
        other = _place_of(found, described)
        if other is not None:
            raise UserError(
                f"{path}: is of {run_in(found)}, as {samples[other]}, and stands where {of_samples} is of "
                f"{run_in(expected)}; {REMEDY}"
            )
        _require_same_events(path, found, of_samples, expected)


def is_of(found: Mapping[str, str], run: Mapping[str, str]) -> bool:
    """Tell whether metadata name a run: its architecture and seed, and its data set and treatment where both name one."""
    shared = [name for name in NAMED_BY if name in found and name in run]
    return {"architecture", "seed"} <= {*shared} and all(found[n] == run[n] for n in shared)


def run_in(metadata: Mapping[str, str]) -> str:
    """Return what metadata call a run, in words: "vit, seed 2"; data set and treatment are not said."""
    return f"{metadata['architecture']}, seed {metadata['seed']}"


def rows_of(path: Path, keys: pd.DataFrame, samples: pd.DataFrame) -> np.ndarray:
    """Return where samples lie among the keys of a file of traces, int [N]; raise `UserError` where some do not.

    keys: as `Traces.keys`; samples: [N] rows of split and what names a sample.
    """
    by_index = [name for name in ("split", "sample_index") if name in keys and name in samples]
    on = by_index if "sample_index" in by_index else ["sample_id"]
    if not {*on} <= {*keys} & {*samples}:
        raise UserError(
            f"{path}: names its samples otherwise than samples.parquet; expected sample_index or sample_id in both"
        )
    if "split" in on and set(keys["split"]) == {"train"} != set(samples["split"]):
        on = [name for name in on if name != "split"]  # traces without splits: the index had them
    rows = pd.MultiIndex.from_frame(keys[on]).get_indexer(pd.MultiIndex.from_frame(samples[on]))
    if (rows < 0).any():
        first = samples.iloc[int(np.flatnonzero(rows < 0)[0])]
        raise UserError(
            f"{path}: lacks {int((rows < 0).sum())} samples of samples.parquet, the first is {_called(first)}; give the "
            "traces that the run was described from"
        )
    return rows


def _place_of(found: Mapping[str, str], described: Sequence[Mapping[str, str]]) -> int | None:
    return next((place for place, run in enumerate(described) if is_of(found, run)), None)


def _require_same_events(
    path: Path, found: Mapping[str, str], of_samples: Path, expected: Mapping[str, str]
) -> None:
    table, traces = read_parquet(of_samples), read_traces(path)
    if EVENTS not in table:
        raise UserError(
            f"{of_samples}: lacks the column {EVENTS}; name samples.parquet that describe_samples.py wrote"
        )
    lost = events(traces.correct[rows_of(path, traces.keys, table)])[0].sum(axis=1)
    wrong = lost != table[EVENTS].to_numpy()
    if wrong.any():
        said = (
            f"is of {run_in(found)} by its metadata, and "
            if {"architecture", "seed"} <= {*found}
            else ""
        )
        raise UserError(
            f"{path}: {said}forgets {wrong.sum()} samples another number of times than {of_samples} of "
            f"{run_in(expected)} says, the first is {_called(table[wrong].iloc[0])}; {REMEDY}"
        )


def _called(sample: pd.Series) -> str:
    """Return what a sample is called: its sample_id, else its sample_index."""
    names = [str(sample[name]) for name in reversed(SAMPLE) if pd.notna(sample.get(name))]
    return next(filter(None, names), "without a name")
