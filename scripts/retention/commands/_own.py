"""Traces of one's own on command lines, and the samples of a study that they are of."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.common.parquet_tables import read_parquet
from retention.data.adapters.index import read_table
from retention.data.official import part_of
from retention.dynamics.trace_table import Traces, read_traces
from retention.recorder.parts import DIGEST
from retention.recorder.placing import places_in, require_consistent
from retention.recorder.samples import Samples


@dataclass(frozen=True)
class OwnTraces:
    """Traces [N samples, E epochs] and the study's row of each sample, in the order of the traces.

    index: what the traces were recorded with, as `read_table` returns it, or None.
    """

    traces: Traces
    samples: pd.DataFrame
    index: pd.DataFrame | None


def add_own(parser: argparse.ArgumentParser) -> None:
    """Let a command take `--traces`, `--index` and `--own-index`."""
    parser.add_argument("--traces", type=Path, required=True, help="as TraceRecorder closes them")
    parser.add_argument("--index", type=Path, required=True, help="index.parquet of the study")
    parser.add_argument(
        "--own-index", type=Path, help="the index that the traces were recorded with"
    )


def read_own(arguments: argparse.Namespace) -> OwnTraces:
    """Read what the options name; raise `UserError` where the traces are of other samples, splits or labels."""
    index, path = read_parquet(arguments.index), arguments.traces
    traces = read_traces(path)
    own = read_table(arguments.own_index) if arguments.own_index else None
    if own is not None and traces.predicted is None:
        _require_recorded_with(path, traces, own, arguments.own_index)
    places = places_in(path, traces.keys, index, own)
    samples = index.set_index("sample_index", drop=False).loc[places].reset_index(drop=True)
    splits = _plain(traces.keys["split"]) if traces.has_splits else samples["split"]
    keys = traces.keys.assign(split=splits.to_numpy())
    require_consistent(path, keys, traces.correct, traces.predicted, samples)
    return OwnTraces(traces, samples, own)


def _require_recorded_with(path: Path, traces: Traces, own: pd.DataFrame, file: Path) -> None:
    """Raise `UserError` where a recording says that it was made with other labels, ids or splits than its index has.

    Where traces tell what was predicted, labels are held against that, and no more is asked.
    """
    said = traces.metadata.get(DIGEST)
    table = own.sort_values("sample_index")
    labels, split = table["label"].to_numpy(), table["split"].astype(str).to_numpy()
    names = table["sample_id"].to_numpy(dtype=object)
    known = [Samples(split, labels, ids, {}).digest() for ids in (names, None)]
    if said is not None and said not in known:
        raise UserError(
            f"{path}: was recorded with other labels, ids or splits than {file} has; give the index of this recording "
            "(recorder.write_index)"
        )


def _plain(words: pd.Series) -> pd.Series:
    """Return splits in the study's words: what is not for training is held out."""
    return words.map(
        {word: "train" if part_of(word) == "train" else "test" for word in words.unique()}
    )
