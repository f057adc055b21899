"""Rankings of training images by how suspect their labels are, ours and others': highest is most suspect, float [T].

`cleanlab` is the package itself, on probabilities out of fold of the same network. The others' definitions are in their sources:
data_diet (Paul et al., NeurIPS 2021) has EL2N at one early epoch and forgetting events with never-learned samples first; AUM
(Pleiss et al., NeurIPS 2020) adds a class of threshold samples, in two trainings that have different ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from label_sets import CLASSES, Labelled
from label_training import Trained, trained

from retention.dynamics.description import describe
from retention.dynamics.trace_table import Traces
from retention.training.tracking import measure

RUNS = FOLDS = 5
EARLY = 5  # epochs after which EL2N is taken: a quarter of the common length of twenty
AUM_PERCENTILE = 99  # of the threshold samples' margins, as Pleiss et al. have it
OURS = ("error_norm", "confidence", "aum")
FORGETTING = ("forgetting_events", "hazard", "decay_constant")


@dataclass(frozen=True)
class Score:
    """What a method says: values, float [T], and which images its own cut calls wrong, bool [T] or None; trainings it takes."""

    values: np.ndarray
    trainings: float
    flagged: np.ndarray | None = None


@dataclass(frozen=True)
class Trainings:
    """All trainings of one labelled set: own runs, folds with the places each leaves out, and runs with threshold samples."""

    labelled: Labelled
    runs: Trained
    folds: Trained
    left_out: Sequence[np.ndarray]
    thresholds: Trained
    as_threshold: Sequence[np.ndarray]


def train(labelled: Labelled, epochs: int, seed: Sequence[int]) -> Trainings:
    """Train the same network for every method; each has RUNS × epochs × T presentations at most."""
    draws = np.random.default_rng([*seed, 1])
    images, label, count = labelled.images, labelled.label, labelled.training
    whole, order = np.arange(count), draws.permutation(count)
    runs = trained(images, np.tile(label, (RUNS, 1)), RUNS * [whole], CLASSES, epochs, [*seed, 2])
    of_fold = np.split(order, FOLDS)  # of one size
    kept = [np.setdiff1d(whole, places) for places in of_fold]
    folds = trained(images, np.tile(label, (FOLDS, 1)), kept, CLASSES, epochs, [*seed, 3])
    fakes = np.split(order[: 2 * (count // (CLASSES + 1))], 2)
    labels = np.tile(label, (2, 1))
    for row, places in zip(labels, fakes, strict=True):
        row[places] = CLASSES
    thresholds = trained(images, labels, 2 * [whole], CLASSES + 1, epochs, [*seed, 4])
    return Trainings(labelled, runs, folds, of_fold, thresholds, fakes)


def accuracies(trainings: Trainings, epochs: int) -> tuple[float, float]:
    """Return the share of training and of held-out images that the runs have right by the given labels, means over the runs."""
    right = trainings.runs.logits[epochs - 1].argmax(axis=-1) == trainings.labelled.label
    count = trainings.labelled.training
    return float(right[:, :count].mean()), float(right[:, count:].mean())


def scores(trainings: Trainings, epochs: int) -> Iterator[tuple[str, Score]]:
    """Yield the name and the score of every method, of the first so many epochs."""
    count, label = (
        trainings.labelled.training,
        trainings.labelled.label[: trainings.labelled.training],
    )
    tables = [_described(trainings, run, epochs) for run in range(RUNS)]
    for name in OURS:
        sign = 1 if name == "error_norm" else -1
        values = sign * np.mean([table[name] for table in tables], axis=0)
        yield name, Score(values, RUNS)
        if name == "error_norm":
            yield "error_norm, one run", Score(tables[0][name].to_numpy(), 1)
    for name in FORGETTING:
        known = np.stack([table[name].to_numpy(dtype=float) for table in tables])
        yield name, Score(np.nan_to_num(known).mean(axis=0), RUNS)
    toneva = [table["forgetting_events"].where(~table["never_learned"], epochs) for table in tables]
    yield "forgetting, never learned first", Score(np.mean(toneva, axis=0), RUNS)
    at_early = [
        _measures(trainings.runs, run, min(EARLY, epochs) - 1, label) for run in range(RUNS)
    ]
    el2n = np.mean([one["error_norm"] for one in at_early], axis=0)
    yield f"EL2N at epoch {EARLY}", Score(el2n, RUNS * min(EARLY, epochs) / epochs)
    at_end = [_measures(trainings.runs, run, epochs - 1, label) for run in range(RUNS)]
    yield "loss at the end", Score(np.mean([one["loss"] for one in at_end], axis=0), RUNS)
    yield "class frequency", Score(-np.bincount(label, minlength=CLASSES)[label].astype(float), 0)
    of_folds = FOLDS - 1  # each fold's training leaves a fifth out
    yield "cleanlab, out of fold", _of_cleanlab(_out_of_fold(trainings, epochs), label, of_folds)
    in_sample = _probabilities(trainings.runs, epochs, count)
    yield "cleanlab, in sample", _of_cleanlab(in_sample, label, RUNS)
    yield "AUM with threshold samples", _by_thresholds(trainings, epochs)


def _described(trainings: Trainings, run: int, epochs: int) -> pd.DataFrame:
    """Return samples.parquet of a run's training images, which were evaluated after each epoch."""
    count = trainings.labelled.training
    label = trainings.labelled.label[:count]
    measured = [_measures(trainings.runs, run, epoch, label) for epoch in range(epochs)]
    whole = {name: np.stack([one[name] for one in measured], axis=1) for name in measured[0]}
    means = {name: whole[name].mean(axis=1) for name in ("margin", "confidence", "error_norm")}
    keys = pd.DataFrame({"split": "train", "sample_index": np.arange(count)})
    return describe(Traces(keys, np.arange(epochs), whole["correct"], None, means), [], 0)


def _measures(runs: Trained, run: int, epoch: int, label: np.ndarray) -> dict[str, np.ndarray]:
    logits = torch.from_numpy(runs.logits[epoch, run, : len(label)])
    found = measure(logits, torch.from_numpy(label))
    return {
        name: found[name].numpy()
        for name in ("correct", "loss", "margin", "confidence", "error_norm")
    }


def _probabilities(runs: Trained, epochs: int, count: int) -> np.ndarray:
    return _softmax(runs.logits[epochs - 1, :, :count]).mean(axis=0)


def _out_of_fold(trainings: Trainings, epochs: int) -> np.ndarray:
    found = np.empty((trainings.labelled.training, CLASSES))
    for fold, places in enumerate(trainings.left_out):
        found[places] = _softmax(trainings.folds.logits[epochs - 1, fold, places])
    return found


def _of_cleanlab(chances: np.ndarray, label: np.ndarray, trainings: float) -> Score:
    """Return the label quality that cleanlab's docs advise, self-confidence, and its own cut; trainings: that it takes."""
    values = -get_label_quality_scores(label, chances, method="self_confidence")
    return Score(values, trainings, find_label_issues(label, chances, n_jobs=1))


def _by_thresholds(trainings: Trainings, epochs: int) -> Score:
    """Return AUM over the trainings in which an image is no threshold sample; it is cut where most of them say so."""
    count = trainings.labelled.training
    found = trainings.thresholds.margins[:epochs, :, :count].mean(axis=0)
    cut = np.zeros_like(found, dtype=bool)
    for run, places in enumerate(trainings.as_threshold):
        cut[run] = found[run] <= np.percentile(found[run, places], AUM_PERCENTILE)
        found[run, places] = np.nan
    known = ~np.isnan(found)
    flagged = (cut & known).sum(axis=0) * 2 > known.sum(axis=0)
    return Score(-np.nanmean(found, axis=0), 2, flagged)


def _softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits.astype(float) - logits.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)
