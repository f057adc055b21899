"""What an importer returns, and how it becomes a file of traces."""

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.common.measured import MEASURED, WHILE_TRAINING
from retention.recorder.recorder import TraceRecorder

IN_TRAINING = (
    "was measured while training, of weights that change within the epoch and with augmentation and dropout where there "
    "were any; do not compare it with evaluations between epochs"
)


@dataclass(frozen=True)
class Imported:
    """Samples and epochs as another project wrote them.

    ids: names [N]; labels: int [N] or None; splits: str [N] or None. epochs: for each, from the first on, the
    place it came from, the places of its samples among the ids, int [M], and what `EpochRecord` takes of them: `logits`
    [M, C], or columns [M]. first: the number of the first epoch. notes: what a person should know.
    """

    ids: list[str]
    labels: np.ndarray | None
    epochs: Callable[[], Iterator[tuple[str, np.ndarray, Mapping[str, Any]]]]
    splits: list[str] | None = None
    first: int = 0
    notes: list[str] = field(default_factory=list)


def write(found: Imported, output: Path, index: Path | None, names: Mapping[str, Any]) -> int:
    """Write traces, and an index of the samples where one is asked for; return the number of epochs.

    names: study, dataset, architecture, treatment and seed, as far as they are known. Files are written whole or
    not at all. Raises `UserError` naming the place where an epoch is not as it should be.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.stem}-") as folder:
        recorder = TraceRecorder(
            Path(folder) / output.name, found.labels, ids=found.ids, splits=found.splits, **names
        )
        if any(IN_TRAINING in note for note in found.notes):
            recorder.metadata[MEASURED] = WHILE_TRAINING
        if index is not None and found.labels is None:
            raise UserError(
                f"--index: this format tells no labels; write an index of your own, with sample_id of {listed(found.ids[:2])}"
            )
        epoch = found.first - 1
        for epoch, (place, indices, values) in enumerate(found.epochs(), start=found.first):
            try:
                with recorder.epoch(epoch) as record:
                    record(indices, **values)
            except UserError as error:
                raise UserError(f"{place}: {error}") from error
        if epoch < found.first:
            raise UserError(f"{output}: there is no epoch to import")
        recorder.close()
        if index is not None:
            recorder.write_index(index)
        os.replace(recorder.path, output)
    return epoch + 1 - found.first


def numbered(folder: Path, pattern: str, what: str) -> list[tuple[int, Path]]:
    """Return a folder's files of epochs with the number in each name, in order.

    pattern: a regular expression of the whole name, whose group is the number. Raises `UserError` where there are
    none, or where a number is missing or stands twice.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: is no folder; expected one with {what}")
    found = []
    for path in folder.iterdir():
        if match := re.fullmatch(pattern, path.name):
            found.append((int(match[1]), path))
    found.sort()
    if not found:
        names = sorted(path.name for path in folder.iterdir())
        raise UserError(f"{folder}: holds no {what}; it has {listed(names) or 'nothing'}")
    numbers = [number for number, _ in found]
    expected = list(range(numbers[0], numbers[0] + len(numbers)))
    if numbers != expected:
        repeated = sorted({number for number in numbers if numbers.count(number) > 1})
        wrong = repeated or sorted(set(expected) - set(numbers))
        fault = "stand twice" if repeated else "are missing"
        raise UserError(
            f"{folder}: the epoch(s) {listed(wrong)} {fault} among {what}; give each epoch one file"
        )
    return found


def places_of(ids: Iterable[str], known: pd.Index, place: str) -> np.ndarray:
    """Return where ids stand among the known ones, int64 [M]; raise `UserError` where one is new."""
    names = list(ids)
    found = known.get_indexer(pd.Index(names, dtype=object))
    new = [name for name, at in zip(names, found, strict=True) if at < 0]
    if new:
        raise UserError(
            f"{place}: {len(new)} samples are not in the first epoch: {listed(new)}; every epoch must have the same ones"
        )
    return found
