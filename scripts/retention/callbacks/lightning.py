"""Traces of a training by PyTorch Lightning.

from retention.callbacks.lightning import RecordTraces

traces = RecordTraces("traces/0.parquet", {"train": clean_train_set}, labels={"train": labels}, seed=0)
Trainer(max_epochs=10, callbacks=[traces]).fit(module, loader)
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from retention.callbacks._recording import Recording
from retention.callbacks._torch import Evaluation, inputs_in, labels_of

# The same code under two names, which do not mix: that which the user has imported.
if "pytorch_lightning" in sys.modules and "lightning" not in sys.modules:
    from pytorch_lightning import Callback, LightningModule, Trainer
else:
    try:
        from lightning.pytorch import Callback, LightningModule, Trainer
    except ModuleNotFoundError:
        from pytorch_lightning import Callback, LightningModule, Trainer


class RecordTraces(Callback):
    """Records what the module says of each sample before training (epoch 0) and after each epoch.

    path: the traces, .parquet. datasets: by split, such as train and test, as they are evaluated: without augmentation.
    labels: by split, in the order of the data sets; where they are not given, their `targets`. logits: takes the module and
    a batch, and returns logits [B, C]; without it the module is called with the batch's first entry. initial:
    whether epoch 0 is recorded. words: what `TraceRecorder` takes beside, such as seed and architecture.
    Each process of a distributed training records its share.
    """

    def __init__(
        self,
        path: str | Path,
        datasets: Mapping[str, Any],
        labels: Mapping[str, Any] | None = None,
        *,
        batch_size: int = 256,
        workers: int = 0,
        collate: Callable | None = None,
        logits: Callable[[LightningModule, Any], Any] | None = None,
        initial: bool = True,
        **words: Any,
    ):
        self.recording = Recording(path, initial, words)
        self.datasets, self.labels = datasets, labels_of(datasets, labels)
        self.batch_size, self.workers, self.collate = batch_size, workers, collate
        self.logits = logits or (lambda module, batch: module(inputs_in(batch)))
        self.evaluation: Evaluation | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the recording where the training stands, and record epoch 0."""
        share = trainer.global_rank, trainer.world_size
        self.evaluation = Evaluation(
            self.datasets, self.batch_size, self.workers, self.collate, *share
        )
        self.evaluation.require_no_augmentation()
        if self.recording.begin(trainer.current_epoch, self.labels, *share):
            self._record(trainer, pl_module, 0)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the epoch that was trained."""
        self._record(trainer, pl_module, trainer.current_epoch + 1)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Merge the epochs into one file."""
        self.recording.end()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Leave the epochs for the next start."""
        self.recording.end(merge=False)

    def _record(self, trainer: Trainer, module: LightningModule, epoch: int) -> None:
        def logits_of(batch: Any) -> Any:
            return self.logits(module, module.transfer_batch_to_device(batch, module.device, 0))

        recorder = self.recording.opened()
        evaluation = cast(Evaluation, self.evaluation)  # which is there before a recorder is
        with trainer.precision_plugin.forward_context():
            evaluation.record(recorder, epoch, module, logits_of)
