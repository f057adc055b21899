"""Clean evaluation of torch's models: the deterministic data sets, in evaluation mode, without a trace left."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

from retention.callbacks._recording import require_same_labels
from retention.common.errors import UserError
from retention.recorder.arrays import as_array
from retention.recorder.recorder import TraceRecorder

LOOKED_AT = 8  # samples that are read twice, to notice random transforms
INPUTS, LABELS = 0, 1
LABEL_KEYS = ("labels", "label")
ATTRIBUTES = ("targets", "labels")  # of torchvision's data sets


class Evaluation:
    """The data sets of a training as they are evaluated.

    datasets: by split, of which `dataset[i]` is the same at each look: no augmentation. process, processes: which share of
    them this process takes, every so many-th sample.
    """

    def __init__(
        self,
        datasets: Mapping[str, Dataset],
        batch_size: int,
        workers: int = 0,
        collate: Callable | None = None,
        process: int = 0,
        processes: int = 1,
    ):
        self.datasets, self.batch_size, self.workers = dict(datasets), batch_size, workers
        self.collate, self.process, self.processes = collate, process, processes

    def require_no_augmentation(self) -> None:
        """Raise `UserError` where a data set gives another input at a second look."""
        for split, dataset in self.datasets.items():
            for index in range(min(LOOKED_AT, len(dataset))):
                if not _same(dataset[index], dataset[index]):
                    raise UserError(
                        f"{split}: sample {index} is another at each look; give a data set with the transform of the "
                        "evaluation, without augmentation"
                    )

    def record(
        self,
        recorder: TraceRecorder,
        epoch: int,
        model: nn.Module,
        logits_of: Callable[[Any], torch.Tensor],
    ) -> None:
        """Record an epoch of all data sets, or this process's share; the model's modes are given back as they were."""
        known, starts = recorder.samples.known_labels(), recorder.samples.starts
        with evaluating(model), recorder.epoch(epoch) as record:
            for split in self.datasets:
                for indices, batch in self._batches(split):
                    labels = labels_in(batch)
                    if labels is not None:
                        first = starts[split][0]
                        given = as_array(labels, f"{split}, labels")
                        require_same_labels(split, indices, given, known[first + indices])
                    record(indices, logits_of(batch), split=split)

    def _batches(self, split: str) -> Iterator[tuple[np.ndarray, Any]]:
        dataset = self.datasets[split]
        own = range(self.process, len(dataset), self.processes)
        loader = DataLoader(
            Subset(dataset, own),
            batch_size=self.batch_size,
            num_workers=self.workers,
            collate_fn=self.collate,
            # Of its own: torch's would draw from it, and the training would draw other numbers.
            generator=torch.Generator(),
        )
        numbers = np.asarray(own)
        for place, batch in enumerate(loader):
            yield numbers[place * self.batch_size :][: self.batch_size], batch


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model and all its parts into evaluation mode without gradients, and give their modes back."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def labels_of(datasets: Mapping[str, Any], labels: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the labels by split: those given, else what the data sets say of themselves, as torchvision's do."""
    if labels is not None:
        if set(labels) != set(datasets):
            raise UserError(
                f"labels: are of {sorted(labels)}, the data sets are {sorted(datasets)}; give both by split"
            )
        return dict(labels)
    found = {}
    for split, dataset in datasets.items():
        told = next((getattr(dataset, name) for name in ATTRIBUTES if hasattr(dataset, name)), None)
        if told is None:
            raise UserError(
                f"labels: are not given, and the data set of {split} has no `targets`; give labels={{{split!r}: …}}"
            )
        found[split] = told
    return found


def labels_in(batch: Any) -> Any:
    """Return the labels of a batch: its second entry, or what it calls labels; None where it has none."""
    if isinstance(batch, Mapping):
        return next((batch[key] for key in LABEL_KEYS if key in batch), None)
    return batch[LABELS] if isinstance(batch, tuple | list) and len(batch) > LABELS else None


def inputs_in(batch: Any) -> Any:
    """Return the inputs of a batch: its first entry, or the batch."""
    return batch[INPUTS] if isinstance(batch, tuple | list) else batch


def _same(one: Any, other: Any) -> bool:
    """Return whether two looks at a sample are equal, as far as arrays and numbers can be compared."""
    if isinstance(one, Mapping):
        return all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return all(_same(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, torch.Tensor):
        return one.shape == other.shape and bool(torch.equal(one, other))
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    return True
