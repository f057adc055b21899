"""Reading a schedule of reviews (reviews.parquet), and refusing one that is not for this run."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from retention.common.columns import require_columns
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, read_parquet

PREFIX = "epoch_"
IDENTITY = ("study", "dataset", "architecture", "treatment", "seed")


def read_schedule(
    path: Path, samples: np.ndarray, epochs: int, names: Mapping[str, object]
) -> np.ndarray:
    """Return scheduled presentations, int64 [epochs, N], columns in the order of `samples`.

    samples: sample_index of the training samples, int [N]. names: who the run is; where the schedule's
    metadata say it, they must agree. Raises `UserError` with one line when the schedule is for another
    run, other samples or another number of epochs, or when an epoch does not present N.
    """
    stored = read_metadata(path)
    for key in IDENTITY:
        if key in stored and stored[key] != str(names[key]):
            raise UserError(
                f"{path}: is the schedule of {key} {stored[key]}, and this run's is {names[key]}; make it "
                "with scripts/schedule_reviews.py"
            )
    table = read_parquet(path)
    scheduled = [name for name in table.columns if name.startswith(PREFIX)]
    wanted = [f"{PREFIX}{epoch}" for epoch in range(1, epochs + 1)]
    require_columns(path, table.columns, ["sample_index"])
    if scheduled != wanted:
        raise UserError(
            f"{path}: schedules {_shown(scheduled)}, and the recipe's epochs are {epochs}; expected the "
            f"columns {wanted[0]} … {wanted[-1]} in this order"
        )
    index = table["sample_index"].to_numpy()
    if len(index) != len(samples) or not np.array_equal(np.sort(index), np.sort(samples)):
        odd = np.setxor1d(index, samples)
        raise UserError(
            f"{path}: schedules {len(index)} samples, expected each of the {len(samples)} training samples "
            f"once; the first that differ: {', '.join(map(str, odd[:5])) or 'a repeated one'}"
        )
    rows = np.argsort(index, kind="stable")[np.argsort(np.argsort(samples, kind="stable"))]
    return _counts(path, table[wanted].to_numpy()[rows].T)


def _counts(path: Path, counts: np.ndarray) -> np.ndarray:
    """Check that every epoch presents N samples, by whole numbers."""
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise UserError(f"{path}: presentations must be whole numbers, 0 or more, in every epoch")
    totals = counts.sum(axis=1)
    for epoch, total in enumerate(totals, start=1):
        if total != counts.shape[1]:
            raise UserError(
                f"{path}: epoch {epoch} presents {total} samples, expected {counts.shape[1]}, the size of "
                "the training set, as in every treatment"
            )
    return counts.astype(np.int64)


def _shown(names: list[str]) -> str:
    return f"{names[0]} … {names[-1]} ({len(names)} columns)" if names else "no epoch"
