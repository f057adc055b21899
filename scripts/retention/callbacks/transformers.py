"""Traces of a training by Hugging Face's Trainer.

from retention.callbacks.transformers import RecordTraces

traces = RecordTraces("traces/0.parquet", {"train": clean_train_set}, labels={"train": labels}, seed=0)
Trainer(model, arguments, train_dataset=train_set, callbacks=[traces]).train()
"""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from retention.callbacks._recording import Recording
from retention.callbacks._torch import LABEL_KEYS, Evaluation, labels_of

NEARLY = 1e-6  # an epoch's number is a sum of steps


class RecordTraces(TrainerCallback):
    """Records what the model says of each sample before training (epoch 0) and after each epoch.

    path: the traces, .parquet. datasets: by split, such as train and test, as they are evaluated: without augmentation.
    labels: by split, in the order of the data sets; where they are not given, their `targets`. collate: makes a batch,
    the trainer's own where it is not given. logits: takes the model and a batch, and returns logits [B, C];
    without it they are the model's `logits`. initial: whether epoch 0 is recorded. words: what `TraceRecorder` takes
    beside, such as seed and architecture. Each process of a distributed training records its share.
    """

    def __init__(
        self,
        path: str | Path,
        datasets: Mapping[str, Any],
        labels: Mapping[str, Any] | None = None,
        *,
        collate: Callable | None = None,
        logits: Callable[[Any, Any], Any] | None = None,
        initial: bool = True,
        **words: Any,
    ):
        self.recording = Recording(path, initial, words)
        self.datasets, self.labels = datasets, labels_of(datasets, labels)
        self.collate, self.logits = collate, logits or _logits
        self.evaluation: Evaluation | None = None

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **more: Any,
    ) -> None:
        """Open the recording where the training stands, and record epoch 0."""
        share = args.process_index, args.world_size
        collate = self.collate or more["train_dataloader"].collate_fn
        workers = args.dataloader_num_workers
        self.evaluation = Evaluation(self.datasets, args.eval_batch_size, workers, collate, *share)
        self.evaluation.require_no_augmentation()
        if self.recording.begin(int((state.epoch or 0) + NEARLY), self.labels, *share):
            self._record(args, more["model"], 0)

    def on_epoch_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **more: Any,
    ) -> None:
        """Record the epoch that was trained; one that was stopped half-way is left out, and told."""
        epoch = round(state.epoch)
        if abs(state.epoch - epoch) > NEARLY:
            warnings.warn(
                f"{self.recording.path}: the training stopped within an epoch, at {state.epoch:.2f}; its state there is "
                "not recorded, epochs are",
                stacklevel=2,
            )
            return
        self._record(args, more["model"], epoch)

    def on_train_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **more: Any,
    ) -> None:
        """Merge the epochs into one file."""
        self.recording.end()

    def _record(self, args: TrainingArguments, model: Any, epoch: int) -> None:
        def logits_of(batch: Any) -> Any:
            return self.logits(model, _moved(batch, args.device))

        recorder = self.recording.opened()
        evaluation = cast(Evaluation, self.evaluation)  # which is there before a recorder is
        kind = torch.bfloat16 if args.bf16 else torch.float16
        with torch.autocast(args.device.type, kind, enabled=args.bf16 or args.fp16):
            evaluation.record(recorder, epoch, model, logits_of)


def _logits(model: Any, batch: Mapping[str, Any]) -> torch.Tensor:
    return model(**{key: value for key, value in batch.items() if key not in LABEL_KEYS}).logits


def _moved(batch: Any, device: torch.device) -> Any:
    if isinstance(batch, Mapping):
        return {key: _moved(value, device) for key, value in batch.items()}
    return batch.to(device) if isinstance(batch, torch.Tensor) else batch
