"""Dataset cartography (Swayamdipta et al. 2020): a folder of `dynamics_epoch_*.jsonl`, a line per sample."""

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.importers._imported import IN_TRAINING, Imported, numbered, places_of

FOLDER = "training_dynamics"  # which the logger makes
ID, LABEL = "guid", "gold"
COPYING = 1.0  # seconds by which files that were copied together may differ


def read(source: Path, labels: Path | None) -> Imported:
    """Read a folder, or that above it; raise `UserError` where a line is not as the logger writes it."""
    if labels is not None:
        raise UserError("--labels: cartography's files tell the labels; leave it out")
    folder = source / FOLDER if (source / FOLDER).is_dir() else source
    files = numbered(folder, r"dynamics_epoch_(\d+)\.jsonl", "dynamics_epoch_*.jsonl")
    ids, gold, _ = _epoch(*files[0])
    known = pd.Index(ids, dtype=object)

    def epochs() -> Iterator[tuple[str, np.ndarray, Mapping[str, Any]]]:
        for number, path in files:
            names, found, logits = _epoch(number, path)
            places = places_of(names, known, str(path))
            other = [
                name for name, one, at in zip(names, found, places, strict=True) if one != gold[at]
            ]
            if other:
                raise UserError(
                    f"{path}: {len(other)} samples have another label than in the first epoch: {listed(other)}"
                )
            yield str(path), places, {"logits": logits}

    notes = [f"{folder}: {IN_TRAINING}", *_restarted(files)]
    return Imported(ids, np.array(gold), epochs, first=files[0][0], notes=notes)


def _restarted(files: list[tuple[int, Path]]) -> Iterator[str]:
    """Yield a note where an epoch's file is younger than the next one's.

    The logger numbers the epochs of a restarted training from 0, and writes over the files of the first start.
    """
    for (_, earlier), (_, later) in pairwise(files):
        if earlier.stat().st_mtime > later.stat().st_mtime + COPYING:
            yield (
                f"{earlier.name} was written after {later.name}: a training that is restarted writes over its first files; "
                "if this one was, its epochs are not in order"
            )


def _epoch(number: int, path: Path) -> tuple[list[str], list[int], np.ndarray]:
    """Return ids [M], labels [M] and logits [M, C] of a file."""
    key = f"logits_epoch_{number}"
    ids, labels, logits = [], [], []
    with open(path, encoding="utf-8") as stream:
        for row, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                ids.append(str(record[ID]))
                labels.append(_label(record[LABEL]))
                logits.append([float(value) for value in record[key]])
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(
                    f"{path}, line {row}: is no record of {ID}, {LABEL} and {key} ({type(error).__name__}: {error})"
                ) from error
    if len({len(values) for values in logits}) != 1:
        sizes = sorted({len(values) for values in logits})
        raise UserError(
            f"{path}: lines have {listed(sizes) or 'no'} logits; expected as many in each"
        )
    return ids, labels, np.array(logits)


def _label(value: Any) -> int:
    if isinstance(value, bool) or int(value) != value:
        raise ValueError(f"the label {value!r} is no whole number")
    return int(value)
