"""The runs that ensembles are made of: stored probabilities and the samples they are about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype

from retention.common.arrays import read_array
from retention.common.columns import require_columns
from retention.common.errors import UserError
from retention.common.parquet_tables import read_parquet
from retention.runs.reading import DESCRIBE, identity_of

NEEDED = ("split", "sample_index", "label", "class_name", "group", "learned_for_good")
KEYS = ["split", "sample_index"]
ONE = int(np.float16(1).view(np.uint16))


@dataclass(frozen=True)
class Members:
    """Runs of one treatment, ordered by architecture and seed, with what they predicted."""

    dataset: str
    treatment: str
    architectures: list[str]
    seeds: list[int]
    samples: pd.DataFrame  # split, sample_index, label, group, by split and sample_index
    last_right: np.ndarray  # bool [N, R], what samples.parquet says of the last epoch
    probabilities: list[np.ndarray]  # per run float16 [E, N, C], memory-mapped, rows as `samples`

    @property
    def epochs(self) -> int:
        """How many epochs are stored of every run; 1: the last."""
        return self.probabilities[0].shape[0]

    def splits(self) -> Iterator[tuple[str, slice, pd.DataFrame]]:
        """Yield each split's name, the rows it takes and its samples."""
        for name, table in self.samples.groupby("split", sort=True):
            yield str(name), slice(int(table.index[0]), int(table.index[-1]) + 1), table

    def at(self, epoch: int, rows: slice) -> list[np.ndarray]:
        """Return each run's probabilities of some samples at a stored epoch, float16 [n, C]."""
        return [array[epoch, rows] for array in self.probabilities]


def read_members(samples: Sequence[Path], probabilities: Sequence[Path]) -> Members:
    """Read samples.parquet and probabilities.npy of runs, in the same order.

    Raises `UserError` for fewer than two runs, when a run is not named or stands there twice, when runs differ in samples, treatment
    or stored epochs, and when probabilities contradict what samples.parquet says of the last epoch.
    """
    if len(samples) != len(probabilities):
        raise UserError(f"--probabilities: {len(probabilities)} files for {len(samples)} --samples")
    found = [_read(*paths) for paths in zip(samples, probabilities, strict=True)]
    if len(found) < 2:
        raise UserError("--samples: names one run; an ensemble needs two")
    found.sort(key=lambda run: run.name)
    first = found[0]
    for place, run in enumerate(found):
        for key in ("dataset", "treatment"):
            if run.identity[key] != first.identity[key]:
                raise UserError(
                    f"{run.path}: ensembles are made within one {key}; there are "
                    f"{first.identity[key]} and {run.identity[key]}"
                )
        if not run.samples[[*KEYS, "label"]].equals(first.samples[[*KEYS, "label"]]):
            raise UserError(f"{run.path}: has other samples than {first.path}")
        if run.stored.shape != first.stored.shape:
            raise UserError(
                f"{run.path}: its probabilities are {run.stored.shape}, those of {first.path} "
                f"{first.stored.shape} (epochs, samples, classes)"
            )
        if place and found[place - 1].name == run.name:
            raise UserError(
                f"--samples: names a run twice: {run.name}; no run is paired with itself"
            )
    return Members(
        first.identity["dataset"],
        first.identity["treatment"],
        [run.name[0] for run in found],
        [run.name[1] for run in found],
        first.samples,
        np.stack([run.samples["learned_for_good"].notna() for run in found], axis=1),
        [run.stored for run in found],
    )


@dataclass(frozen=True)
class _Stored:
    path: Path
    identity: dict[str, str]
    samples: pd.DataFrame
    stored: np.ndarray

    @property
    def name(self) -> tuple[str, int]:
        return self.identity["architecture"], int(self.identity["seed"])


def _read(samples: Path, probabilities: Path) -> _Stored:
    identity = {"treatment": "random"} | identity_of(samples)
    table = read_parquet(samples)
    require_columns(samples, table.columns, NEEDED, DESCRIBE)
    table = table[list(NEEDED)].sort_values(KEYS, ignore_index=True)
    stored = read_array(probabilities, mapped="r")
    if stored.dtype != np.float16 or stored.ndim != 3 or stored.shape[1] != len(table):
        raise UserError(
            f"{probabilities}: is {stored.dtype} {stored.shape}; expected float16 (epochs, samples, "
            f"classes) with the {len(table)} samples of {samples} by split and sample_index"
        )
    _require_classes(samples, table["label"], probabilities, stored)
    return _Stored(samples, identity, table, stored)


def _require_classes(
    samples: Path, labels: pd.Series, probabilities: Path, stored: np.ndarray
) -> None:
    """Raise `UserError` where a label has no column of probabilities, or one of them is no number."""
    if not is_integer_dtype(labels):
        raise UserError(
            f"{samples}: its labels are {labels.dtype}; expected whole numbers, the columns of {probabilities}"
        )
    if labels.min() < 0 or labels.max() >= stored.shape[2]:
        raise UserError(
            f"{probabilities}: has {stored.shape[2]} classes, and the labels of {samples} are {labels.min()} "
            f"to {labels.max()}; expected a class per label, counted from 0"
        )
    for epoch, values in enumerate(stored):  # one at a time: all of them may not fit into memory
        # read as whole numbers, which have the same order; negative ones and NaN are the largest
        if np.ascontiguousarray(values).view(np.uint16).max(initial=0) > ONE:
            raise UserError(
                f"{probabilities}: holds numbers outside [0, 1], or NaN, at stored epoch {epoch}; store the "
                "probabilities of the classes"
            )


def check_last_epoch(
    members: Members, probabilities: Sequence[np.ndarray], right: np.ndarray, rows: slice
) -> None:
    """Raise `UserError` where runs are right on other samples than their description says.

    probabilities: per run float16 [n, C] and right: bool [n, R], both of the last epoch. A sample is
    right there when it was learned for good. Where float16 makes the label and another class equal,
    training, which sees more digits, may say either.
    """
    labels = members.samples["label"].to_numpy()[rows]
    for r, member in enumerate(probabilities):
        unlike = np.flatnonzero(right[:, r] != members.last_right[rows, r])
        found = np.asarray(member[unlike])
        of_label = found[np.arange(len(unlike)), labels[unlike]]
        best = found.max(axis=1, initial=0)
        tied = (of_label == best) & ((found == best[:, None]).sum(axis=1) > 1)
        if not tied.all():
            raise UserError(
                f"{members.architectures[r]}, seed {members.seeds[r]}: probabilities.npy and "
                f"samples.parquet disagree on {(~tied).sum()} of {len(labels)} samples at the last epoch; are "
                "they of the same run?"
            )
