"""Example forgetting (Toneva et al. 2019): `*__stats_dict.pkl`, lists of losses, accuracies and margins by sample."""

from collections.abc import Iterator, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.importers._imported import IN_TRAINING, Imported
from retention.importers._pickles import read_pickle

KINDS = ("loss", "correct", "margin")
PATTERN = "*__stats_dict.pkl"


def read(source: Path, labels: Path | None) -> Imported:
    """Read the pickle, or the folder that has one; raise `UserError` where it is not as their scripts write it.

    Presentation n of a sample is epoch n here, from 1. The pickle is read without running code that it may hold.
    """
    if labels is not None:
        raise UserError("--labels: these statistics hold no logits, and need none; leave it out")
    path = _only_one(source) if source.is_dir() else source
    found = read_pickle(path)
    if not isinstance(found, dict):
        raise UserError(
            f"{path}: holds a {type(found).__name__}; expected a map from sample to lists"
        )
    samples = sorted(key for key in found if isinstance(key, Integral))
    others = [
        key for key in found if not isinstance(key, Integral) and key not in ("train", "test")
    ]
    if others or not samples:
        raise UserError(
            f"{path}: expected samples' numbers, train and test as keys; it has {listed(others) or 'no number'}"
        )
    table = _table(path, samples, found)
    notes = [f"{path}: {IN_TRAINING}"]

    def epochs() -> Iterator[tuple[str, np.ndarray, Mapping[str, Any]]]:
        everyone = np.arange(len(samples))
        for number in range(table.shape[2]):
            values = {name: table[:, kind, number] for kind, name in enumerate(KINDS)}
            yield f"{path}, presentation {number + 1}", everyone, values

    return Imported([str(key) for key in samples], None, epochs, first=1, notes=notes)


def _table(path: Path, samples: list, found: Mapping) -> np.ndarray:
    """Return float [N, 3, T]: losses, accuracies and margins of all samples at all presentations."""
    counts = {}
    for key in samples:
        lists = found[key]
        if not isinstance(lists, list | tuple) or len(lists) != len(KINDS):
            raise UserError(f"{path}: sample {key} has no lists of losses, accuracies and margins")
        sizes = {len(one) if isinstance(one, list | tuple | np.ndarray) else -1 for one in lists}
        if len(sizes) > 1 or -1 in sizes:
            raise UserError(f"{path}: the lists of sample {key} have different lengths")
        counts[key] = sizes.pop()
    most = max(counts.values())
    short = [f"{key} ({number})" for key, number in counts.items() if number < most]
    if short:
        raise UserError(
            f"{path}: {len(short)} samples have fewer than {most} presentations: {listed(short)}; each must have as many"
        )
    try:
        return np.array([found[key] for key in samples], dtype=float)
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: lists hold something else than numbers ({error})") from error


def _only_one(folder: Path) -> Path:
    files = sorted(folder.glob(PATTERN))
    if len(files) != 1:
        names = listed(file.name for file in files) or "none"
        raise UserError(
            f"{folder}: expected one file {PATTERN}, it has {names}; name one run's file"
        )
    return files[0]
