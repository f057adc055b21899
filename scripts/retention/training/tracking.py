"""What is recorded of every sample after every epoch, and the tables that hold it."""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn

from retention.common.errors import UserError
from retention.common.files import atomic_path
from retention.common.parquet_tables import with_metadata
from retention.common.randomness import generator
from retention.sampling.declaration import Purpose
from retention.sampling.orders import evaluation_batches
from retention.training.batches import BatchMaker

Record = dict[str, np.ndarray]

TRACES = pa.schema(
    [
        ("split", pa.string()),
        ("sample_index", pa.int32()),
        ("epoch", pa.int16()),
        ("correct", pa.bool_()),
        ("loss", pa.float32()),
        ("margin", pa.float32()),
        ("confidence", pa.float32()),
        ("error_norm", pa.float32()),
        ("predicted", pa.int16()),
        ("presentations", pa.int32()),
    ]
)
SAFETY = 4.0  # margins of this many times the largest error seen are left to bf16
# Close calls that a CPU evaluates in fp32 at a time: few samples are close, and a large batch takes more of
# them. A GPU is idle at so few.
CLOSE_CALLS = 32
MEASURES = ("correct", "loss", "margin", "confidence", "error_norm", "predicted")


@dataclass(frozen=True)
class Samples:
    """The samples of a run in the order of the traces: by split (test first), then by index."""

    index: np.ndarray  # int32 [N]
    split: np.ndarray  # str [N]
    label: np.ndarray  # int64 [N]
    classes: int

    @classmethod
    def from_index(cls, table: pd.DataFrame) -> "Samples":
        """Take them from an index table; `UserError` unless there is something to learn."""
        table = table[table["split"].isin(("train", "test"))]
        table = table.sort_values(["split", "sample_index"], kind="stable")
        samples = cls(
            index=table["sample_index"].to_numpy(np.int32),
            split=table["split"].to_numpy(str),
            label=table["label"].to_numpy(np.int64, copy=True),  # torch wants it writable
            classes=int(table["label"].max()) + 1 if len(table) else 0,
        )
        if samples.train.sum() < 2 or samples.classes < 2:
            raise UserError(
                f"index: {int(samples.train.sum())} training samples of {samples.classes} classes; "
                "training needs at least two of each"
            )
        return samples

    @property
    def train(self) -> np.ndarray:
        """Bool [N]: whether a sample is trained on."""
        return self.split == "train"

    def holding_out(self, count: int | Literal["all"], purpose: Purpose) -> "Samples":
        """Return all training samples and `count` of the held-out ones, drawn by the purpose; "all": every one.

        Of fewer samples than that all stay. A smaller draw is part of a larger one.
        """
        held_out = np.flatnonzero(~self.train)
        if count == "all" or count >= len(held_out):
            return self
        drawn = generator(*purpose).permutation(held_out)[:count]
        return self.only(np.sort(np.concatenate([drawn, np.flatnonzero(self.train)])))

    def only(self, chosen: np.ndarray | slice) -> "Samples":
        """Return the `chosen` samples (bool [N], positions or a slice), with the same number of classes."""
        return Samples(self.index[chosen], self.split[chosen], self.label[chosen], self.classes)


@dataclass(frozen=True)
class Evaluation:
    """How samples are evaluated.

    precision: fp32, bf16, or checked_bf16: in bf16, then in fp32 what it leaves undecided.
    """

    batch_size: int
    precision: str = "fp32"
    keep_probabilities: bool = False


def measure(logits: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return each sample's measures from logits [B, C] (computed in float32) and labels [B].

    Cross-entropy; margin = true logit minus the largest other; confidence = softmax probability of
    the label; error norm = ‖softmax − one-hot‖₂ (EL2N: Paul et al., NeurIPS 2021).
    """
    logits = logits.float()
    column = labels[:, None]
    log_probabilities = logits.log_softmax(dim=1)
    probabilities = log_probabilities.exp()
    true = log_probabilities.gather(1, column)[:, 0]
    others = logits.scatter(1, column, -torch.inf).amax(dim=1)
    error = probabilities.scatter_add(1, column, torch.full_like(column, -1, dtype=logits.dtype))
    predicted = logits.argmax(dim=1)
    return {
        "correct": predicted == labels,
        "loss": -true,
        "margin": logits.gather(1, column)[:, 0] - others,
        "confidence": true.exp(),
        "error_norm": error.norm(dim=1),
        "predicted": predicted.to(torch.int16),
        "probabilities": probabilities.half(),
    }


class Evaluated(NamedTuple):
    """What a clean evaluation found.

    record: arrays [N] by measure, in the order of the samples, and `probabilities` float16 [N, C] if they
    are kept. close_calls: the share of the samples that was evaluated in fp32 after bf16, 0 to 1; `None`
    where none is checked.
    """

    record: Record
    close_calls: float | None = None


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    maker: BatchMaker,
    samples: Samples,
    how: Evaluation,
    tick: Callable[[int], None] = lambda count: None,
) -> Evaluated:
    """Record every sample under clean evaluation: eval mode, deterministic transform.

    The model's mode is given back as it was.
    """
    was_training = model.training
    model.eval()
    count = len(samples.index)
    found: dict[str, torch.Tensor] = {}
    # On the host: of ImageNet they take 2.6 GB, all else 20 MB.
    kept = np.empty((count, samples.classes) if how.keep_probabilities else 0, "<f2")
    done = 0
    for measures in _measured(model, maker, samples, how.batch_size, how.precision != "fp32"):
        probabilities = measures.pop("probabilities")
        after = done + len(probabilities)
        if how.keep_probabilities:
            kept[done:after] = probabilities.cpu().numpy()
        for name, values in measures.items():
            # A list of small tensors would leave holes too small for the next batch's large ones.
            if done == 0:
                found[name] = values.new_empty(count)
            found[name][done:after] = values
        done = after
        tick(len(probabilities))
    record = {name: values.cpu().numpy() for name, values in found.items()}
    if how.keep_probabilities:
        record["probabilities"] = kept
    close_calls = None
    if how.precision == "checked_bf16":
        checked = _check_close_calls(record, model, maker, samples, how.batch_size)
        close_calls = checked / max(len(samples.index), 1)
    model.train(was_training)
    return Evaluated(record, close_calls)


def close_calls_at_once(batch_size: int, device: torch.device) -> int:
    """Return how many close calls are evaluated at a time where batches are of `batch_size`."""
    return min(batch_size, CLOSE_CALLS) if device.type == "cpu" else batch_size


def _measured(
    model: nn.Module, maker: BatchMaker, samples: Samples, batch_size: int, bf16: bool
) -> Generator[dict[str, torch.Tensor], None, None]:
    """Yield the measures of each batch of samples, on the device."""
    device = maker.device
    labels = torch.from_numpy(samples.label).to(device)
    start = 0
    for batch in maker.clean(evaluation_batches(samples.index, batch_size)):
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            logits = model(batch)
        yield measure(logits, labels[start : start + len(batch)])
        start += len(batch)


def _check_close_calls(
    record: Record, model: nn.Module, maker: BatchMaker, samples: Samples, batch_size: int
) -> int:
    """Evaluate in fp32, in place, the samples whose margin bf16 may have given the wrong sign.

    From the smallest margin up, a batch at a time, until margins are `SAFETY` times as large as the
    largest error of a margin found so far. Returns how many that were.
    """
    margin, batch_size = np.abs(record["margin"]), close_calls_at_once(batch_size, maker.device)
    order = np.argsort(margin, kind="stable")
    error, done = 0.0, 0
    # Read ahead as any evaluation is; what is read of samples that are not close is dropped.
    with closing(_measured(model, maker, samples.only(order), batch_size, bf16=False)) as batches:
        for measures in batches:
            exact = {name: values.cpu().numpy() for name, values in measures.items()}
            chosen = order[done : done + len(exact["margin"])]
            error = max(error, float(np.abs(exact["margin"] - record["margin"][chosen]).max()))
            for name in record:
                record[name][chosen] = exact[name]
            done += len(chosen)
            if done == len(order) or margin[order[done]] > SAFETY * error:
                break
    return done


def check_finite(record: Record, epoch: int, rate: float) -> None:
    """Raise `UserError` when the clean evaluation met a loss that is no number.

    rate: the learning rate of the epoch's last step, which then went too far.
    """
    bad = ~np.isfinite(record["loss"])
    if bad.any():
        raise UserError(
            f"epoch {epoch}, after its last step: the loss of {int(bad.sum())} samples is not finite at "
            f"the clean evaluation (learning rate {rate:.3g}); lower the learning rate, or set precision "
            "and evaluation_precision to fp32"
        )


def summarise(record: Record, previous: Record | None, samples: Samples) -> dict:
    """Return an epoch's accuracies, clean training loss and the training samples that turned.

    Balanced accuracy is the mean recall over the classes present; `None` where nothing is held out
    or where there is no epoch before.
    """
    train, correct = samples.train, record["correct"]
    lost = gained = None
    if previous is not None:
        lost = int((previous["correct"] & ~correct & train).sum())
        gained = int((~previous["correct"] & correct & train).sum())
    test = ~train
    return {
        "train_loss": float(record["loss"][train].mean(dtype=np.float64)),
        "train_accuracy": float(correct[train].mean()),
        "test_accuracy": float(correct[test].mean()) if test.any() else None,
        "test_balanced_accuracy": balanced_accuracy(correct[test], samples.label[test]),
        "forgotten": lost,
        "learned": gained,
    }


def balanced_accuracy(correct: np.ndarray, labels: np.ndarray) -> float | None:
    """Return the mean over the classes present of the share that is correct, `None` without any."""
    if not len(labels):
        return None
    counts = np.bincount(labels)
    present = counts > 0
    return float((np.bincount(labels, weights=correct)[present] / counts[present]).mean())


def write_traces(
    path: str | Path, records: Iterator[Record], samples: Samples, metadata: Mapping[str, str]
) -> None:
    """Write the records of epochs 0, 1, … as one table, a row group per epoch."""
    schema = with_metadata(TRACES.empty_table(), metadata).schema
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for epoch, record in enumerate(records):
            columns = {
                "split": samples.split,
                "sample_index": samples.index,
                "epoch": np.full(len(samples.index), epoch, dtype=np.int16),
                "presentations": record["presentations"],
                **{name: record[name] for name in MEASURES},
            }
            table = pa.table({name: columns[name] for name in schema.names}, schema=schema)
            writer.write_table(table, row_group_size=len(samples.index))


def trace_metadata(
    names: Mapping, recipe: Mapping, versions: Mapping, code_version: str
) -> dict[str, str]:
    """Return the schema metadata of the traces: who, how, and with what."""
    return {
        **{key: str(value) for key, value in names.items()},
        "recipe": json.dumps(recipe, sort_keys=True),
        "versions": json.dumps(versions, sort_keys=True),
        "code_version": code_version,
    }
