"""What each run takes the samples for, over its evaluations: from stored probabilities, or from what it predicted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype

from retention.common.arrays import read_array
from retention.common.errors import UserError
from retention.pages.sheet import DescribedRun, Sheet
from retention.suspects.ranking import TRAIN

CELLS = 1 << 24  # samples × classes that are counted at a time, bounds the memory
MISSING = np.nan
SUGGESTED = ("suggested_label", "suggested_probability", "suggested_share", "label_not_predicted")
Names = tuple[str, int]  # of a run: architecture and seed


@dataclass(frozen=True)
class RunSaid:
    """What one run said of N samples, rows as in the sheet.

    predicted: int [N, E], None where the traces are unknown or lack it; stored: float16 [K, N, C] of the classes 0 … C − 1
    at K evaluations, None where no probabilities are stored.
    """

    predicted: np.ndarray | None = None
    stored: np.ndarray | None = None

    def shares(self, rows: slice, classes: np.ndarray) -> np.ndarray | None:
        """Return the share of the evaluations that predicted each class, float [n, C]; None where unknown."""
        if self.predicted is None:
            return None
        places = np.searchsorted(classes, self.predicted[rows])
        count, width = len(places), len(classes)
        cells = places + np.arange(count)[:, None] * width
        return np.bincount(cells.ravel(), minlength=count * width).reshape(count, width) / (
            places.shape[1] or 1
        )

    def probabilities(self, rows: slice, classes: np.ndarray) -> np.ndarray | None:
        """Return each class's softmax probability, mean over the stored evaluations, float [n, C]; None where unknown."""
        if self.stored is None:
            return None
        mean = np.zeros((len(range(*rows.indices(self.stored.shape[1]))), len(classes)))
        places = np.searchsorted(classes, np.arange(self.stored.shape[2]))
        for values in self.stored:  # one evaluation at a time: the file is memory-mapped
            mean[:, places] += values[rows].astype(float)
        return mean / len(self.stored)

    def mean(self, rows: slice, classes: np.ndarray) -> np.ndarray | None:
        """Return what the run makes of samples on average: probabilities of several evaluations, else shares of predictions.

        Of one stored evaluation, the last, the probabilities are taken only where the predictions are unknown.
        """
        several = self.stored is not None and len(self.stored) > 1
        if several or self.predicted is None:
            return self.probabilities(rows, classes)
        return self.shares(rows, classes)


def said_of(sheet: Sheet, probabilities: dict[Names, Path]) -> list[RunSaid]:
    """Return what each run of a sheet said, in its order. Reads the traces that the sheet names.

    probabilities: probabilities.npy of runs, rows by split and sample_index, as training writes them.
    Raises `UserError` naming the file where probabilities are none, or are of another run.
    """
    return [
        RunSaid(
            _predicted(replace(sheet, runs=(run,))),
            _stored(path, sheet, run) if (path := probabilities.get(named(run))) else None,
        )
        for run in sheet.runs
    ]


def named(run: DescribedRun) -> Names:
    """Return what tells a run from the others of its data set."""
    return run.architecture, run.seed


def _predicted(of_one: Sheet) -> np.ndarray | None:
    histories = of_one.histories
    if histories is None or histories.predicted is None:
        return None
    return histories.predicted[0]


def suggestions(
    samples: pd.DataFrame, said: Sequence[RunSaid], by_heart: Sequence[bool] = ()
) -> pd.DataFrame:
    """Return for each sample the class that the runs take it for beside its label, a row per sample.

    suggested_label: the class other than the label with the highest mean over the runs (`RunSaid.mean`), the lowest label of
    equals; missing where no run ever said another. suggested_probability, suggested_share: its mean softmax probability and
    the mean share of evaluations that predicted it, over the runs that know them. label_not_predicted: share of the runs in
    whose mean another class exceeds the label; of training samples those runs do not count that know the labels
    `by_heart`, a truth value per run.
    """
    if not is_integer_dtype(samples["label"]):
        return _without_suggestions(samples, said)
    classes = _classes(samples, said)
    names = dict(zip(samples["label"], samples["class_name"], strict=True))
    pieces = [
        _suggested(samples.iloc[rows], rows, classes, said, by_heart)
        for rows in _chunks(len(samples), len(classes))
    ]
    found = pd.concat(pieces, ignore_index=True)
    label = found["suggested_label"]
    found.insert(1, "suggested_class_name", [_name(one, names) for one in label])
    found["suggested_label"] = label.astype("Int64")
    return found


def _without_suggestions(samples: pd.DataFrame, said: Sequence[RunSaid]) -> pd.DataFrame:
    """Return the columns of samples whose labels are no numbers: they are held against no prediction."""
    if any(run.predicted is not None or run.stored is not None for run in said):
        raise UserError(
            f"--index: the labels are {samples['label'].dtype}, such as {samples['label'].iloc[0]}; expected whole numbers, by "
            "which predictions and probabilities number the classes, or neither of these"
        )
    numbers = {name: np.full(len(samples), MISSING) for name in SUGGESTED}
    found = pd.DataFrame(numbers).astype({"suggested_label": "Int64"})
    found.insert(1, "suggested_class_name", "")
    return found


def _name(label: float, names: dict[int, str]) -> str:
    return "" if np.isnan(label) else names.get(int(label), str(int(label)))


def _chunks(count: int, classes: int) -> Iterator[slice]:
    step = max(1, CELLS // max(1, classes))
    for start in range(0, max(count, 1), step):
        yield slice(start, min(start + step, count))


def _classes(samples: pd.DataFrame, said: Sequence[RunSaid]) -> np.ndarray:
    """Return every class that is a label, was predicted or has a probability, int [C], ascending."""
    found = [samples["label"].to_numpy(dtype=np.int64)]
    for run in said:
        found += [] if run.predicted is None else [np.unique(run.predicted)]
        found += [] if run.stored is None else [np.arange(run.stored.shape[2])]
    return np.unique(np.concatenate(found))


def _suggested(
    samples: pd.DataFrame,
    rows: slice,
    classes: np.ndarray,
    said: Sequence[RunSaid],
    by_heart: Sequence[bool],
) -> pd.DataFrame:
    labels = samples["label"].to_numpy()
    own = np.arange(len(labels)), np.searchsorted(classes, labels)
    of_each = [run.mean(rows, classes) for run in said]
    means = _known(of_each)
    total = np.sum(means, axis=0) if means else np.zeros((len(labels), len(classes)))
    others = total.copy()
    others[own] = -1.0
    place = others.argmax(axis=1)
    is_said = others[own[0], place] > 0
    at = own[0], place
    return pd.DataFrame(
        {
            "suggested_label": np.where(is_said, classes[place], MISSING),
            "suggested_probability": _mean_at(
                _known([run.probabilities(rows, classes) for run in said]), at, is_said
            ),
            "suggested_share": _mean_at(
                _known([run.shares(rows, classes) for run in said]), at, is_said
            ),
            "label_not_predicted": _flags(samples, own, of_each, by_heart),
        },
        index=range(len(labels)),
    )


def _flags(
    samples: pd.DataFrame,
    own: tuple[np.ndarray, np.ndarray],
    means: Sequence[np.ndarray | None],
    by_heart: Sequence[bool],
) -> np.ndarray:
    """Return the share of the runs that count in whose mean another class exceeds the label, float [n]; NaN where none does.

    own: the places of the labels; means: per run float [n, C], None where unknown.
    """
    flagged, counted = np.zeros(len(samples)), np.zeros(len(samples))
    is_training = (samples["split"] == TRAIN).to_numpy()
    for place, mean in enumerate(means):
        if mean is not None:
            counts = ~(is_training & (bool(by_heart) and by_heart[place]))
            flagged += counts & (mean.max(axis=1, initial=0) > mean[own])
            counted += counts
    nothing = np.full(len(samples), MISSING)
    return np.divide(flagged, counted, out=nothing, where=counted > 0)


def _known(values: Sequence[np.ndarray | None]) -> list[np.ndarray]:
    return [found for found in values if found is not None]


def _mean_at(
    values: Sequence[np.ndarray], at: tuple[np.ndarray, np.ndarray], is_said: np.ndarray
) -> np.ndarray:
    """Return the mean over runs of what they give the suggested classes, NaN where there is no suggestion."""
    if not values:
        return np.full(len(is_said), MISSING)
    return np.where(is_said, np.mean([found[at] for found in values], axis=0), MISSING)


def _stored(path: Path, sheet: Sheet, run: DescribedRun) -> np.ndarray:
    stored = read_array(path, mapped="r")
    labels = sheet.samples["label"].to_numpy()
    if stored.dtype != np.float16 or stored.ndim != 3 or stored.shape[1] != len(sheet):
        raise UserError(
            f"{path}: is {stored.dtype} {stored.shape}; expected float16 (evaluations, samples, classes) with the "
            f"{len(sheet)} samples of samples.parquet by split and sample_index"
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < stored.shape[2]:
        raise UserError(
            f"{path}: has {stored.shape[2]} classes, and the labels are {labels.min()} to {labels.max()}; expected a class "
            "per label, counted from 0"
        )
    _require_same_run(path, stored[-1], labels, run)
    return stored


def _require_same_run(path: Path, last: np.ndarray, labels: np.ndarray, run: DescribedRun) -> None:
    """Raise `UserError` where the last evaluation is right on other samples than samples.parquet says.

    Where float16 makes the label and another class equal, training, which sees more digits, may say either.
    """
    if "learned_for_good" not in run.described:
        return
    right = run.described["learned_for_good"].notna().to_numpy()
    own = np.arange(len(labels)), labels
    others = np.array(last)
    if not np.isfinite(others).all():
        raise UserError(f"{path}: holds values that are no numbers; expected probabilities")
    of_label = others[own]
    others[own] = -1
    best = others.max(axis=1, initial=-1)
    unlike = int(((right & (of_label < best)) | (~right & (of_label > best))).sum())
    if unlike:
        raise UserError(
            f"{path}: disagrees with samples.parquet of {run.architecture}, seed {run.seed}, on {unlike} of {len(labels)} "
            "samples at the last evaluation; give --probabilities in the order of --samples"
        )
