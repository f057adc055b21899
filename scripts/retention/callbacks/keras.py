"""Traces of a training by Keras 3, on any of its backends.

from retention.callbacks.keras import RecordTraces

traces = RecordTraces("traces/0.parquet", {"train": (x_train, y_train)}, seed=0)
model.fit(x_train, y_train, epochs=10, callbacks=[traces])
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from retention.callbacks._recording import Recording, require_same_labels
from retention.common.errors import UserError
from retention.recorder.arrays import as_array
from retention.recorder.values import are_probabilities


class RecordTraces(keras.callbacks.Callback):
    """Records what the model says of each sample before training (epoch 0) and after each epoch.

    path: the traces, .parquet. data: by split, such as train and test, a pair of inputs and labels, or what gives batches of
    such pairs in the same order each time (a `keras.utils.PyDataset` or a `tf.data.Dataset` that does not shuffle),
    without augmentation. Labels are numbers from 0, or one-hot. probabilities: whether the model ends in a softmax or a
    sigmoid; told by its first outputs where it is not given. initial: whether epoch 0 is recorded. words: what
    `TraceRecorder` takes beside, such as seed and architecture. One process alone records.
    """

    def __init__(
        self,
        path: str | Path,
        data: Mapping[str, Any],
        *,
        batch_size: int = 256,
        probabilities: bool | None = None,
        initial: bool = True,
        **words: Any,
    ):
        super().__init__()
        self.recording = Recording(path, initial, words)
        self.data, self.batch_size, self.probabilities = dict(data), batch_size, probabilities
        self.labels = {split: self._labels(split) for split in self.data}
        self.begun = False

    def on_train_begin(self, logs: Any = None) -> None:
        """Wait for the first epoch, whose number says where the training stands."""
        self.begun = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Open the recording before the first epoch, and record epoch 0."""
        if not self.begun:
            self.begun = True
            if self.recording.begin(epoch, self.labels):
                self._record(0)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the epoch that was trained."""
        self._record(epoch + 1)

    def on_train_end(self, logs: Any = None) -> None:
        """Merge the epochs into one file."""
        self.recording.end()

    def _record(self, epoch: int) -> None:
        with self.recording.opened().epoch(epoch) as record:
            for split in self.data:
                first = 0
                for inputs, labels in self._batches(split):
                    indices = np.arange(first, first + len(labels))
                    first += len(labels)
                    known = self.labels[split][indices[indices < len(self.labels[split])]]
                    if len(known) == len(labels):
                        require_same_labels(split, indices, labels, known)
                    outputs = as_array(self.model.predict_on_batch(inputs), f"{split}, outputs")
                    name, scores = self._scores(outputs)
                    record(indices, split=split, **{name: scores})

    def _scores(self, outputs: np.ndarray) -> tuple[str, np.ndarray]:
        """Return what outputs [B, C] or [B, 1] are, logits or probabilities, and as [B, C]."""
        single = outputs.ndim == 2 and outputs.shape[1] == 1
        if self.probabilities is None:
            if single:
                raise UserError(
                    "RecordTraces: the model has one output; say probabilities=True of a sigmoid, else False"
                )
            self.probabilities = outputs.ndim == 2 and bool(are_probabilities(outputs).all())
        if single:
            other = 1 - outputs if self.probabilities else np.zeros_like(outputs)
            outputs = np.concatenate([other, outputs], axis=1)
        return ("probabilities" if self.probabilities else "logits"), outputs

    def _labels(self, split: str) -> np.ndarray:
        data = self.data[split]
        if isinstance(data, tuple):
            return _numbers(data[1], split)
        return np.concatenate([labels for _, labels in self._batches(split)])

    def _batches(self, split: str) -> Iterator[tuple[Any, np.ndarray]]:
        """Yield inputs and labels, int [B]."""
        data = self.data[split]
        if isinstance(data, tuple):
            inputs, labels = data[0], _numbers(data[1], split)
            for start in range(0, len(labels), self.batch_size):
                chosen = slice(start, start + self.batch_size)
                yield inputs[chosen], labels[chosen]
            return
        batches = (
            data if not hasattr(data, "__getitem__") else map(data.__getitem__, range(len(data)))
        )
        for batch in batches:
            yield batch[0], _numbers(batch[1], split)


def _numbers(labels: Any, split: str) -> np.ndarray:
    """Return labels as numbers, int64 [N]; one-hot ones by their largest."""
    array = as_array(labels, f"{split}, labels")
    if array.ndim == 2:
        array = array[:, 0] if array.shape[1] == 1 else array.argmax(axis=1)
    if array.ndim != 1 or (array.dtype.kind == "f" and not (array % 1 == 0).all()):
        raise UserError(f"{split}: labels are neither whole numbers nor one-hot")
    return array.astype(np.int64)
