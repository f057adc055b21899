"""Share of an architecture's seeds in which training samples are right, by sample and epoch, sorted by forgetting.

Samples never learned in any seed come first, then those that some seed forgot, then those that none forgot; within each
by the hazard (mean over the seeds that learned the sample), then forgetting events, then lower confidence, then sample_index.
A row of the table is a row of the raster at an epoch: one sample, or where there are more than `ROWS` the mean of neighbours.

Columns architecture, seeds (how many), statistic (never_learned, forgotten or never_forgotten), row, first (samples above it),
samples (in it), epoch (from 0, the first evaluation), estimate (share that is right, over its samples and the seeds).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from retention.multiverse.study import Study, read_study
from retention.runs.reading import column

ROWS = 600  # a printed page shows no more
GROUPS = ("never_learned", "forgotten", "never_forgotten")


def read(traces: Sequence[Path], samples: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from traces.parquet and samples.parquet of the runs in one order."""
    return {"study": read_study(traces, samples)}


def measure(study: Study) -> pd.DataFrame:
    """Return the table, architectures by name, rows from the top, epochs in order. Runs that differ in epochs share the first."""
    return pd.concat(
        [_of_architecture(study, name, runs) for name, runs in study.architectures.items()],
        ignore_index=True,
    )


def order_of(study: Study, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples in the raster's order, int [N], and which of `GROUPS` each of these is of, int [N]."""
    runs = [study.runs[row] for row in rows]
    never = column(runs, "never_learned") > 0
    events = np.where(never, np.nan, column(runs, "forgetting_events"))
    group = np.where(never.all(axis=0), 0, np.where(np.nansum(events, axis=0) > 0, 1, 2))
    hazard, events = (_mean(values) for values in (column(runs, "hazard"), events))
    keys = [np.arange(never.shape[1])]
    if all("confidence" in run.samples for run in runs):
        keys.append(_mean(np.where(never, np.nan, column(runs, "confidence"))))
    order = np.lexsort([*keys, -events, -hazard, group])
    return order, group[order]


def _of_architecture(study: Study, name: str, rows: Sequence[int]) -> pd.DataFrame:
    order, group = order_of(study, rows)
    epochs = min(study.correct[row].shape[1] for row in rows)
    right = np.mean([study.correct[row][:, :epochs] for row in rows], axis=0)[order]
    pieces = []
    for number, (first, last) in enumerate(_bins(group)):
        piece = {"statistic": GROUPS[group[first]], "row": number, "first": first}
        piece |= {"samples": last - first, "epoch": np.arange(epochs)}
        pieces.append(pd.DataFrame(piece | {"estimate": right[first:last].mean(axis=0)}))
    table = pd.concat(pieces, ignore_index=True)
    table.insert(0, "architecture", name)
    table.insert(1, "seeds", len(rows))
    return table


def _bins(group: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the first sample of each row and the one after its last: about `ROWS` rows, none of two groups."""
    share = min(1.0, ROWS / len(group))
    for number in range(len(GROUPS)):
        members = np.flatnonzero(group == number)
        if len(members):
            pieces = np.array_split(members, max(1, round(share * len(members))))
            yield from ((int(piece[0]), int(piece[-1]) + 1) for piece in pieces)


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the runs that have a value, float [N]; 0 where none has: these are a group of their own."""
    known = np.isfinite(values)
    return np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
