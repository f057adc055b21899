"""The samples that a recorder is told of: labels, names and splits, and how they are numbered."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.recorder.arrays import as_array, as_whole_numbers

SPLIT = "train"
NEARLY_TRAIN = (
    "train",
    "training",
    "trainval",
    "trn",
)  # any other word says that a sample is held out
SHOWN = 60  # characters of a name in a message


@dataclass(frozen=True)
class Samples:
    """N samples, numbered as `labels` lists them: their number is `sample_index`.

    split: str [N]; labels: int64 [N] or None; ids: str [N] or None; starts: of each split that was given apart, the
    number of its first sample, and how many it has; empty where the samples were given as one list.
    """

    split: np.ndarray
    labels: np.ndarray | None
    ids: np.ndarray | None
    starts: Mapping[str, tuple[int, int]]

    @classmethod
    def told(cls, labels: Any, ids: Any, splits: Any) -> "Samples":
        """Take labels, ids and splits as a user gives them: lists [N], or a map from split to list.

        Raises `UserError` where they do not fit each other.
        """
        given = labels if labels is not None else ids
        if given is None:
            raise UserError("TraceRecorder: needs labels, or ids where only values are recorded")
        starts: dict[str, tuple[int, int]] = {}
        if isinstance(given, Mapping):
            if splits is not None:
                raise UserError("splits: are given twice; the labels are a map from split to list")
            starts = _starts(given)
        names = _joined(ids, starts, "ids", _as_names)
        values = _joined(labels, starts, "labels", _as_labels)
        count = len(given) if not starts else sum(size for _, size in starts.values())
        split = _splits(splits, starts, count)
        for what, column in (("ids", names), ("labels", values), ("splits", split)):
            if column is not None and len(column) != count:
                raise UserError(f"{what}: are {len(column)} for {count} samples; give one of each")
        if names is not None:
            _require_unique(names)
        if count < 2:
            raise UserError(f"TraceRecorder: has {count} samples; expected at least 2")
        return cls(split, values, names, starts)

    def __len__(self) -> int:
        return len(self.split)

    @cached_property
    def order(self) -> np.ndarray:
        """Int64 [N], the samples in the order of traces: by split, then by number."""
        return np.lexsort((np.arange(len(self)), self.split))

    def known_labels(self) -> np.ndarray:
        """Return the labels, int64 [N]; raise `UserError` where the recorder was given none."""
        if self.labels is None:
            raise UserError(
                "labels: are not known, and logits need them; give them to TraceRecorder"
            )
        return self.labels

    def require_below(self, classes: int, what: str) -> None:
        """Raise `UserError` where a label is no number below that of the classes; `what` begins the message."""
        labels = self.known_labels()
        beyond = np.flatnonzero(labels >= classes)
        if len(beyond):
            raise UserError(
                f"{what}, and {len(beyond)} labels lie beyond, up to {labels.max()}: {self.told_as(beyond)}; "
                "labels count from 0"
            )

    def numbers(self, indices: Any, split: str | None) -> np.ndarray:
        """Return int64 [B], the numbers of the samples at `indices`, which count within `split` if samples were given so."""
        found = as_whole_numbers(indices, "indices")
        if split is not None and split not in self.starts:
            known = listed(self.starts) or "none, the samples were given as one list"
            raise UserError(f"split: there is no {split!r}; the splits given apart are {known}")
        if split is None and len(self.starts) > 1:
            raise UserError(
                f"split: is not given, and indices count within one of {listed(self.starts)}; say record(…, split=…)"
            )
        first, size = next(iter(self.starts.values()), (0, len(self)))
        if split is not None:
            first, size = self.starts[split]
        outside = found[(found < 0) | (found >= size)]
        if len(outside):
            raise UserError(
                f"indices: {listed(outside)} are none of the {size} samples, which are numbered from 0"
            )
        return found + first

    def told_as(self, numbers: np.ndarray) -> str:
        """Return samples in words: by id where they have one, with their split where there are several; ten at most."""
        several = len(set(self.split)) > 1
        names = [str(number) for number in numbers] if self.ids is None else self.ids[numbers]
        names = [_shortened(name) for name in names]
        return listed(
            f"{name} ({self.split[number]})" if several else name
            for name, number in zip(names, numbers, strict=True)
        )

    def spread(self, values: Any, what: str) -> np.ndarray:
        """Return whole numbers int32 [N], one a sample, given as labels are."""
        array = _joined(values, self.starts, what, _as_counts)
        if array is None or len(array) != len(self):
            size = 0 if array is None else len(array)
            raise UserError(f"{what}: are {size} for {len(self)} samples; give one of each")
        return array.astype(np.int32)

    def table(self) -> pd.DataFrame:
        """Return `sample_index`, `split`, and `label` and `sample_id` where they are known."""
        table = pd.DataFrame({"sample_index": np.arange(len(self), dtype=np.int32)})
        table["split"] = self.split
        if self.labels is not None:
            table["label"] = self.labels
        if self.ids is not None:
            table["sample_id"] = self.ids
        return table

    def digest(self) -> str:
        """Return a sha256 of all that is known of the samples."""
        digest = hashlib.sha256()
        for column in (self.split, self.ids):
            digest.update(("\0".join(column) if column is not None else "").encode() + b"\0\0")
        if self.labels is not None:
            digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()


def _starts(given: Mapping) -> dict[str, tuple[int, int]]:
    starts, first = {}, 0
    for name, part in given.items():
        if isinstance(part, str) or not hasattr(part, "__len__"):
            raise UserError(
                f"labels: are a map from {_shortened(str(name))!r} to {type(part).__name__}; expected a list, or a map "
                "from split to list; names of samples are given as ids=…"
            )
        starts[str(name)] = (first, len(part))
        first += len(part)
    _require_train(starts)
    return starts


def _shortened(name: str) -> str:
    return name if len(name) <= SHOWN else f"{name[: SHOWN // 2]}…{name[-SHOWN // 2 :]}"


def _joined(
    given: Any, starts: Mapping[str, tuple[int, int]], what: str, read: Callable
) -> np.ndarray | None:
    """Return one array of a list, or of a map from split to list in the order of the splits."""
    if given is None:
        return None
    if not starts:
        if isinstance(given, Mapping):
            raise UserError(f"{what}: are a map from split to list, the labels are one list")
        return read(given, what)
    if not isinstance(given, Mapping) or set(map(str, given)) != set(starts):
        raise UserError(f"{what}: expected a map with the splits of the labels, {listed(starts)}")
    parts = {str(name): read(values, f"{what} of {name}") for name, values in given.items()}
    for name, (_, size) in starts.items():
        if len(parts[name]) != size:
            raise UserError(
                f"{what} of {name}: are {len(parts[name])} for {size} samples; give one of each"
            )
    return np.concatenate([parts[name] for name in starts])


def _as_labels(values: Any, what: str) -> np.ndarray:
    first = next(iter(values), 0)
    if isinstance(first, str):
        raise UserError(
            f"{what}: are text; expected whole numbers from 0, as np.unique(names, return_inverse=True) gives"
        )
    found = as_whole_numbers(values, what)
    if (found < 0).any():
        where = np.flatnonzero(found < 0)
        raise UserError(
            f"{what}: {len(where)} are below 0, the first at {where[0]}; leave samples without a label out"
        )
    return found


def _as_counts(values: Any, what: str) -> np.ndarray:
    found = as_whole_numbers(values, what)
    if (found < 0).any():
        raise UserError(f"{what}: {int((found < 0).sum())} are below 0; expected numbers from 0")
    return found


def _as_names(values: Any, what: str) -> np.ndarray:
    """Return texts, object [N], that can be written: of numbers their digits, of bytes what they are in UTF-8."""
    if isinstance(values, str):
        raise UserError(f"{what}: is the text {values!r}; expected one for each sample")
    if hasattr(values, "detach"):  # of torch, whose numbers are arrays again
        values = as_array(values, what)
    given = pd.Series(list(values), dtype=object)
    if missing := int(given.isna().sum()):
        raise UserError(
            f"{what}: {missing} are missing (None or NaN); expected one for each sample"
        )
    try:
        names = [one.decode() if isinstance(one, bytes) else str(one) for one in given]
        "".join(names).encode()
    except UnicodeError:
        raise UserError(
            f"{what}: some are no Unicode text, such as the name of a file in another encoding; rename these"
        ) from None
    if "" in names:
        raise UserError(f"{what}: {names.count('')} are empty; expected one for each sample")
    return np.array(names, dtype=object)


def _require_unique(names: np.ndarray) -> None:
    every = pd.Series(names)
    repeated = every[every.duplicated()].unique()
    if len(repeated):
        raise UserError(f"ids: {listed(repeated)} stand more than once; expected unique names")


def _splits(splits: Any, starts: Mapping[str, tuple[int, int]], count: int) -> np.ndarray:
    if starts:
        return np.concatenate([np.full(size, name) for name, (_, size) in starts.items()])
    if splits is None:
        return np.full(count, SPLIT)
    found = _as_names(splits, "splits").astype(str)
    _require_train(found)
    return found


def _require_train(splits: Iterable[str]) -> None:
    """Raise `UserError` for another spelling of the split that is trained on: its samples would count as held out."""
    for name in sorted(set(map(str, splits)) - {SPLIT}):
        if re.sub("[^a-z]", "", name.casefold()) in NEARLY_TRAIN:
            raise UserError(
                f"splits: {name!r} would count as held out; call the samples that are trained on {SPLIT!r}"
            )


def as_column(values: Any, what: str, count: int) -> np.ndarray:
    """Return one number for each of `count` samples as an array [B]; raise `UserError` where they are not."""
    array = as_array(values, what)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 0:
        array = array[None]
    if array.shape != (count,):
        raise UserError(f"{what}: have the shape {list(array.shape)} for {count} indices")
    return array
