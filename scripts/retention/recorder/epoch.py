"""One epoch of a recording: what an evaluation says of each sample, batch by batch."""

from typing import Any

import numpy as np
import pyarrow as pa

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.recorder.arrays import as_array
from retention.recorder.samples import Samples, as_column
from retention.recorder.values import (
    MEASURED,
    REAL,
    SUM_TOLERANCE,
    are_probabilities,
    disagree,
    logits_of,
    measure,
    not_finite,
)


class EpochRecord:
    """Takes the batches of one epoch's evaluation, in any order, each sample once.

    known: the columns that earlier epochs have; classes: their number of classes. Both are None before the first epoch.
    several: whether other processes record the rest of the epoch; then a sample that came already is taken for
    padding where it says the same, up to `tolerance`.
    """

    def __init__(
        self,
        epoch: int,
        samples: Samples,
        known: tuple[str, ...] | None,
        classes: int | None,
        several: bool,
        tolerance: float,
    ):
        self.epoch, self.samples, self.several, self.tolerance = epoch, samples, several, tolerance
        self.known, self.classes = known, classes
        self.seen = np.zeros(len(samples), dtype=bool)
        self.columns: dict[str, np.ndarray] = {}
        self.presentations: np.ndarray | None = None
        self.open = True
        self._all_sum_to_one = True

    def __call__(
        self,
        indices: Any,
        logits: Any = None,
        *,
        split: str | None = None,
        probabilities: Any = None,
        **values: Any,
    ) -> None:
        """Record a batch: which samples, and the logits of each, [B] and [B, C].

        indices: numbers of samples, as the labels list them; within `split` where labels were given by split.
        In place of logits: `probabilities`, [B, C]; or columns [B] by name, of which `correct` is needed and `loss`,
        `margin`, `confidence`, `error_norm` and `predicted` may stand beside it.
        Raises `UserError` where a sample came already, a value is not finite, or classes do not fit.
        """
        if not self.open:
            raise UserError(f"{self._name}: is over; record within `with recorder.epoch(…)`")
        numbers = self.samples.numbers(indices, split)
        if sum((logits is not None, probabilities is not None, bool(values))) != 1:
            raise UserError(
                f"{self._name}: expected logits, or probabilities, or columns such as correct, and one of these alone"
            )
        if values:
            found = self._given(numbers, values)
        elif logits is not None:
            found = self._measured(numbers, self._scores(logits, "logits", numbers))
        else:
            scores = self._scores(probabilities, "probabilities", numbers)
            found = self._measured(numbers, self._checked(scores, numbers))
        self._keep(numbers, found)

    @property
    def _name(self) -> str:
        return f"epoch {self.epoch}"

    def _scores(self, given: Any, what: str, numbers: np.ndarray) -> np.ndarray:
        """Return numbers [B, C] of as many classes as ever; `UserError` where they are not finite."""
        self.samples.known_labels()
        scores = as_array(given, f"{self._name}, {what}")
        if scores.ndim != 2 or len(scores) != len(numbers):
            raise UserError(
                f"{self._name}: {what} have the shape {list(scores.shape)} for {len(numbers)} indices; expected "
                "[indices, classes]"
            )
        self._require_classes(scores.shape[1], what)
        bad = numbers[not_finite(scores)]
        if len(bad):
            raise UserError(
                f"{self._name}: the {what} of {len(bad)} samples have NaN or infinities: {self.samples.told_as(bad)}; "
                "lower the learning rate, or evaluate in float32"
            )
        return scores

    def _require_classes(self, classes: int, what: str) -> None:
        if classes == 1:
            raise UserError(
                f"{self._name}: {what} have one class; of a single logit z give two columns, 0 and z"
            )
        if self.classes is None:
            self.samples.require_below(classes, f"{self._name}: {what} have {classes} classes")
            self.classes = classes
        if classes != self.classes:
            raise UserError(
                f"{self._name}: {what} have {classes} classes, earlier ones have {self.classes}"
            )

    def _checked(self, scores: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        odd = numbers[~are_probabilities(scores)]
        if len(odd):
            raise UserError(
                f"{self._name}: the probabilities of {len(odd)} samples are below 0 or do not sum to 1: "
                f"{self.samples.told_as(odd)}; logits are given as record(indices, logits)"
            )
        self._all_sum_to_one = False
        return logits_of(scores)

    def _measured(self, numbers: np.ndarray, scores: np.ndarray) -> dict[str, np.ndarray]:
        if self._all_sum_to_one and len(scores):
            self._all_sum_to_one = bool(are_probabilities(scores).all())
        return measure(scores, self.samples.known_labels()[numbers])

    def _given(self, numbers: np.ndarray, values: dict[str, Any]) -> dict[str, np.ndarray]:
        """Return columns that the user computed, checked."""
        self._all_sum_to_one = False
        unknown = sorted(set(values) - set(MEASURED))
        if unknown or "correct" not in values:
            raise UserError(
                f"{self._name}: {listed(unknown) or 'the column correct'} {'are unknown' if unknown else 'is lacking'}; "
                f"expected correct, and of {listed(sorted(set(MEASURED) - {'correct'}))} those that are known"
            )
        found = {}
        for name in MEASURED:
            if name in values:
                what = f"{self._name}, {name}"
                found[name] = self._column(
                    name, as_column(values[name], what, len(numbers)), numbers
                )
        self._require_fit(numbers, found)
        return found

    def _require_fit(self, numbers: np.ndarray, found: dict[str, np.ndarray]) -> None:
        """Raise `UserError` where `correct` is not whether `predicted` is the label, as all that reads traces expects."""
        if "predicted" not in found or self.samples.labels is None:
            return
        odd = (found["predicted"] == self.samples.labels[numbers]) != found["correct"]
        if odd.any():
            raise UserError(
                f"{self._name}: correct and predicted of {int(odd.sum())} samples do not fit their labels: "
                f"{self.samples.told_as(numbers[odd])}; give the labels that correct is about, or leave predicted out"
            )

    def _column(self, name: str, array: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        if name in REAL:
            bad, expected = ~np.isfinite(array.astype(np.float32)), "finite numbers"
            if name == "confidence":
                bad |= (array < -SUM_TOLERANCE) | (array > 1 + SUM_TOLERANCE)
                expected = "probabilities, 0 to 1"
        elif name == "correct":
            bad, expected = ~np.isin(array, (0, 1)), "0 and 1"
        else:
            bad = (array < 0) | (array % 1 != 0) | (array > np.iinfo(np.int32).max)
            expected = "numbers of classes"
        if bad.any():
            raise UserError(
                f"{self._name}: {name} of {int(bad.sum())} samples is out of range: "
                f"{self.samples.told_as(numbers[bad])}; expected {expected}"
            )
        kind = np.dtype(np.int32) if name == "predicted" else MEASURED[name]
        return array.astype(kind)

    def _keep(self, numbers: np.ndarray, found: dict[str, np.ndarray]) -> None:
        names = tuple(found)
        if self.known is None:
            self.known = names
        if names != self.known:
            raise UserError(
                f"{self._name}: has the columns {listed(names)}, earlier batches and epochs have {listed(self.known)}"
            )
        if not self.columns:
            self.columns = {
                name: np.empty(len(self.samples), values.dtype) for name, values in found.items()
            }
        first = np.zeros(len(numbers), dtype=bool)
        first[np.unique(numbers, return_index=True)[1]] = True
        fresh = first & ~self.seen[numbers]
        for name, values in found.items():
            self.columns[name][numbers[fresh]] = values[fresh]
        self.seen[numbers[fresh]] = True
        if not fresh.all():
            again = {name: values[~fresh] for name, values in found.items()}
            self._require_same(numbers[~fresh], again)

    def _require_same(self, numbers: np.ndarray, again: dict[str, np.ndarray]) -> None:
        """Refuse samples that came already, but for padding, which says the same again."""
        if self.several:
            kept = {name: self.columns[name][numbers] for name in again}
            numbers = numbers[disagree(kept, again, self.tolerance)]
        if len(numbers):
            how = ", with other values" if self.several else ""
            raise UserError(
                f"{self._name}: {len(numbers)} samples came twice{how}: {self.samples.told_as(numbers)}; evaluate "
                "each sample once, without shuffling anew or augmentation"
            )

    def finish(self) -> dict[str, np.ndarray]:
        """End the epoch and return its columns [N]; `UserError` where a sample is missing."""
        self.open = False
        missing = np.flatnonzero(~self.seen)
        if len(missing) and not self.several:
            raise UserError(
                f"{self._name}: {len(missing)} of {len(self.samples)} samples are missing: "
                f"{self.samples.told_as(missing)}; evaluate all of them, the last batch, too (drop_last=False)"
            )
        if self._all_sum_to_one and self.seen.sum() > 1:
            raise UserError(
                f"{self._name}: each row of the logits is at least 0 and sums to 1, as probabilities do; "
                "give them as record(indices, probabilities=…)"
            )
        return self.columns

    def table(self) -> pa.Table:
        """Return what was seen, in the order of traces."""
        order = self.samples.order
        order = order[self.seen[order]]
        samples, columns = self.samples, {"split": self.samples.split[order]}
        columns["sample_index"] = order.astype(np.int32)
        if samples.ids is not None:
            columns["sample_id"] = samples.ids[order]
        columns["epoch"] = np.full(len(order), self.epoch, dtype=np.int16)
        for name, values in self.columns.items():
            columns[name] = values[order]
        if self.presentations is not None:
            columns["presentations"] = self.presentations[order]
        schema = schema_of(columns)
        return pa.table({name: columns[name] for name in schema.names}, schema=schema)


def schema_of(columns: dict[str, np.ndarray]) -> pa.Schema:
    """Return the schema of a table of traces: as fine-tuning writes them, and `sample_id`."""
    texts = ("split", "sample_id")
    return pa.schema(
        [
            (name, pa.string() if name in texts else pa.from_numpy_dtype(values.dtype))
            for name, values in columns.items()
        ]
    )
