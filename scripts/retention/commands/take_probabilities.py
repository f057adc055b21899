"""Take class probabilities of a training of your own into a study, as those of one of its runs.

    python scripts/take_probabilities.py --probabilities swin_0.npy --traces traces/swin_0.parquet --index results/mine/photos/index.parquet …

They are those after the last epoch, float [samples, classes], rows as the traces' sample_index numbers them. probabilities.npy of a
run of this workflow is taken, too: float [stored evaluations, samples, classes], the last evaluation, rows by split and sample_index.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from retention.commands._own import OwnTraces, add_own, read_own
from retention.common.arrays import read_array
from retention.common.errors import UserError
from retention.common.files import atomic_path
from retention.common.lists import plural

FAR = 0.02  # by how much those of a sample may miss 1 together
WITH_EVALUATIONS = 3  # dimensions of probabilities.npy
ROUNDED = 0.01  # share of samples whose two highest classes rounding may swap


def main(argv: Sequence[str] | None = None) -> None:
    """Write probabilities as a run stores them, float16 [1, N, C], rows by split and sample_index."""
    arguments = parser().parse_args(argv)
    path, found = arguments.probabilities, read_own(arguments)
    stored = read_array(path)
    of_workflow = stored.ndim == WITH_EVALUATIONS and len(stored) > 0
    rows = _rows_by_split(path, found) if of_workflow else _rows(path, found)
    given = _probabilities(path, stored[-1] if of_workflow else stored, found)[rows]
    _require_of_last_epoch(path, given, found)
    order = found.samples.sort_values(["split", "sample_index"]).index
    with atomic_path(arguments.output) as temporary, open(temporary, "wb") as stream:
        np.save(stream, given[order].astype("<f2")[None])
    print(f"{path}: {plural(len(given), 'sample')}, {given.shape[1]} classes")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_own(parser)
    parser.add_argument("--probabilities", type=Path, required=True, help=".npy")
    parser.add_argument("--output", type=Path, required=True, help="probabilities.npy")
    return parser


def _probabilities(path: Path, given: np.ndarray, found: OwnTraces) -> np.ndarray:
    """Return them, float [N, C]; raise `UserError` where they are none, or of other samples or classes."""
    samples, classes = len(found.samples), int(found.samples["label"].max()) + 1
    if given.ndim != 2 or len(given) != samples or given.shape[1] < classes:
        raise UserError(
            f"{path}: has the shape {list(given.shape)}; expected a row for each of {samples} samples and a column for "
            f"each of {classes} classes"
        )
    if given.dtype.kind not in "fiu":
        raise UserError(f"{path}: is of {given.dtype}; expected numbers")
    given = given.astype(float)
    sums = given.sum(axis=1)
    if not ((given >= 0).all() and (np.abs(sums - 1) < FAR).all()):  # NaN is neither
        raise UserError(f"{path}: holds no probabilities; expected rows from 0 to 1 that sum to 1")
    return given


def _rows(path: Path, found: OwnTraces) -> np.ndarray:
    """Return which row of the probabilities each sample of the traces has, int64 [N]."""
    keys = found.traces.keys
    if "sample_index" in keys:
        numbers = keys["sample_index"]
    elif found.index is not None:
        known = found.index.set_index("sample_id")["sample_index"]
        numbers = keys["sample_id"].astype(str).map(known)
    else:
        raise UserError(f"{path}: rows go by sample_index, which the traces lack; record it, too")
    if sorted(numbers) != list(range(len(numbers))):
        raise UserError(
            f"{path}: rows go by sample_index, which does not run from 0 to {len(numbers) - 1} in the traces"
        )
    return pd.Series(numbers).to_numpy(np.int64)


def _rows_by_split(path: Path, found: OwnTraces) -> np.ndarray:
    """Return which row each sample of the traces has in a file of this workflow, int64 [N]."""
    keys = found.traces.keys
    if not {"split", "sample_index"} <= {*keys}:
        raise UserError(
            f"{path}: is of a run of this workflow, by its three dimensions; its traces would have split and sample_index"
        )
    order = keys.reset_index(drop=True).sort_values(["split", "sample_index"]).index
    rows = np.empty(len(order), np.int64)
    rows[order] = np.arange(len(order))
    return rows


def _require_of_last_epoch(path: Path, given: np.ndarray, found: OwnTraces) -> None:
    """Raise `UserError` where probabilities say other samples right than the traces at their last epoch."""
    right = given.argmax(axis=1) == found.samples["label"].to_numpy()
    differ = int((right != found.traces.correct[:, -1]).sum())
    if differ > ROUNDED * len(given):
        raise UserError(
            f"{path}: of {plural(differ, 'sample')} it is right where the traces are wrong at their last epoch, or the other "
            "way round; give the probabilities after the last epoch, in the order of sample_index"
        )
