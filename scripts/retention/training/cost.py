"""What a study will cost, from a few seconds of the very code that trains, on made-up images and the present device."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from retention.common.options import complete
from retention.data.image_cache import Places
from retention.sampling.orders import RandomSampler, batches_of
from retention.training.batches import BatchMaker
from retention.training.determinism import repeated_where_lacking, settled
from retention.training.features import KEPT_BYTES, read_features, warm_up_head
from retention.training.machine import out_of_memory_explained, prepare_torch
from retention.training.models import build_model, normalisation_of
from retention.training.optimisation import Learner, train_epoch
from retention.training.state import KEPT_STATES, RunState
from retention.training.stepper_state import pack_stepper
from retention.training.tracking import Evaluation, Samples, close_calls_at_once, evaluate
from retention.training.view import view_of

BYTES_OF_A_ROW = 27  # of traces.parquet, compressed, as the embedded study has it
CLOSE_CALLS_SHARE = 0.1  # docs/training_speed.md; those of an untrained network would be all
MOST_BATCHES = 100  # that are timed at once
CPU_BATCH = (
    32  # that a CPU evaluates in these timings: larger ones take longer, and are no faster an image
)
MADE_UP = 64  # images; more samples than that share them


@dataclass(frozen=True)
class Sizes:
    """A data set: samples to train on, samples held out, classes."""

    train: int
    test: int
    classes: int


@dataclass(frozen=True)
class Throughput:
    """How fast the parts of a run are.

    Images per second: of training, of evaluation with its close calls, of the pass for features, of an epoch
    of the head warm-up. packing: seconds in which a state is copied while training waits. saving: bytes
    per second that are written beside the training. trained: how many of the
    `parameters` learn; `None`: all of them.
    """

    training: float
    evaluation: float
    features: float
    warm_up: float
    packing: float
    saving: float
    parameters: int
    trained: int | None = None


@dataclass(frozen=True)
class Cost:
    """One run or pretraining: seconds, bytes it leaves, bytes of what is saved while it is unfinished and of one state."""

    seconds: float
    kept: int
    unfinished: int
    state: int


class MadeUpImages:
    """Random pixels in the place of an image cache: as many squares of `side` pixels as anyone asks for."""

    def __init__(self, side: int):
        self.side, self.size = side, 3 * side * side
        self.pixels = np.random.default_rng(0).integers(0, 256, MADE_UP * self.size, np.uint8)

    def places(self, indices: np.ndarray) -> Places:
        """Return where samples lie; they share the pixels."""
        sides = np.full(len(indices), self.side, dtype=np.int64)
        return Places(np.asarray(indices, np.int64) % MADE_UP * self.size, sides, sides)


def measure_throughput(
    definition: Mapping,
    recipe: Mapping,
    sizes: Sizes,
    device: torch.device,
    folder: Path | None = None,
    seconds: float = 2.0,
) -> Throughput:
    """Time the parts of a run of a complete recipe, the training step for `seconds`, others for less.

    folder: where a state is saved meanwhile, on the disk of the study's states; by default the system's own.
    Raises `UserError` as training would.
    """
    prepare_torch(recipe["threads"], device)
    recipe = _standing_still(recipe)
    model = build_model(definition, sizes.classes).to(device)
    if recipe["channels_last"]:
        model = model.to(memory_format=torch.channels_last)
    images = MadeUpImages(definition.get("stored_size", definition["image_size"]))
    normalisation = normalisation_of(model, definition)
    side, last = definition["image_size"], recipe["channels_last"]
    maker = BatchMaker(images, side, normalisation, device, last, view=view_of(model, definition))
    few = _samples(max(recipe["batch_size"], 2), sizes.classes)
    learner = Learner.of(model, maker, few, recipe, lambda *purpose: 0)
    settled(learner, few, definition)

    def measured() -> tuple[float, float, float, float, float, float]:
        # Training first: it needs most memory, and makes the optimiser's moments, which are saved.
        return (
            _training_rate(learner, sizes, seconds),
            _evaluation_rate(learner, sizes, seconds / 2),
            *_warm_up_rates(learner, sizes, seconds / 4),
            *_saving(learner, few, folder),
        )

    with out_of_memory_explained(f"architecture {definition['timm']}", recipe):
        rates = repeated_where_lacking(measured)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return Throughput(*rates, parameters, trained)


def cost_of_run(throughput: Throughput, recipe: Mapping, store: Mapping, sizes: Sizes) -> Cost:
    """Return what one run costs: every epoch trains once, evaluates every sample once and is saved."""
    epochs, store = recipe["epochs"], complete("store", store)
    every = sizes.train + _held_out(recipe, sizes)
    state = _state_bytes(throughput, recipe)
    stored = {"all": epochs + 1, "final": 1, "none": 0}[store["probabilities"]]
    probabilities = every * sizes.classes * 2
    epoch = sizes.train / throughput.training + every / throughput.evaluation
    warm_up = sizes.train / throughput.features + every / throughput.evaluation
    warm_up += sizes.train * recipe["head_warmup"]["epochs"] / throughput.warm_up
    saved = state + probabilities * (stored > 1)
    seconds = warm_up + epochs * epoch + _saving_seconds(throughput, epochs + 1, saved, epoch)
    kept = every * (epochs + 1) * BYTES_OF_A_ROW + probabilities * stored
    kept += throughput.parameters * 4 * (store["weights"] == "final")
    return Cost(seconds, kept, KEPT_STATES * state + probabilities * stored, state)


def cost_of_pretraining(throughput: Throughput, recipe: Mapping, sizes: Sizes) -> Cost:
    """Return what one pretraining costs: every epoch trains once, evaluates what is held out and is saved.

    There is neither head warm-up nor record. throughput: evaluates in fp32, as a pretraining does.
    """
    epochs, state = recipe["epochs"], _state_bytes(throughput, recipe)
    epoch = sizes.train / throughput.training
    epoch += _held_out(recipe, sizes) / throughput.evaluation
    seconds = epochs * epoch + _saving_seconds(throughput, epochs, state, epoch)
    return Cost(seconds, throughput.parameters * 4, KEPT_STATES * state, state)


def _held_out(recipe: Mapping, sizes: Sizes) -> int:
    """Return how many held-out samples an epoch evaluates."""
    asked = recipe["held_out_samples"]
    return sizes.test if asked == "all" else min(asked, sizes.test)


def _state_bytes(throughput: Throughput, recipe: Mapping) -> int:
    """Return the bytes of one state: weights, their average, and what the optimiser keeps of each that learns."""
    weights = throughput.parameters * 4
    trained = weights if throughput.trained is None else throughput.trained * 4
    moments = {"sgd": recipe["momentum"] > 0}.get(recipe["optimizer"], 2)
    return weights * (1 + (recipe["ema_decay"] > 0)) + trained * moments


def _saving_seconds(throughput: Throughput, states: int, size: int, epoch: float) -> float:
    """Return the seconds that training waits for states of `size` bytes, an epoch's seconds between two of them.

    Each is saved beside the next epoch, which waits where saving takes longer; the last one is waited for.
    """
    saving = size / throughput.saving
    return states * throughput.packing + (states - 1) * max(saving - epoch, 0) + saving


def _standing_still(recipe: Mapping) -> dict:
    """Return the recipe with rates of 0: on noise a model would learn its way to losses that are no numbers."""
    head = {**recipe["head_warmup"], "learning_rate": 0.0}
    return {**recipe, "learning_rate": 0.0, "head_learning_rate": 0.0, "head_warmup": head}


def _samples(count: int, classes: int) -> Samples:
    index = np.arange(count)
    return Samples(index, np.full(count, "train"), index % classes, classes)


def _training_rate(learner: Learner, sizes: Sizes, seconds: float) -> float:
    size = learner.recipe["batch_size"]

    def train(count: int) -> None:
        samples = _samples(count * size, sizes.classes)
        positions = batches_of(samples.index, size)
        train_epoch(learner, [(samples.index[p], samples.label[p]) for p in positions], 1)

    return _rate(train, size, seconds, learner.maker.device)


def _evaluation_rate(learner: Learner, sizes: Sizes, seconds: float) -> float:
    """Return images per second, close calls included, by their usual share."""
    model, maker, recipe = learner.evaluated, learner.maker, learner.recipe
    precision, size = recipe["evaluation_precision"], _evaluated_at_once(learner)

    def of(way: str, at_once: int) -> float:
        def work(count: int) -> None:
            samples = _samples(count * at_once, sizes.classes)
            evaluate(model, maker, samples, Evaluation(at_once, way))

        return _rate(work, at_once, seconds, maker.device)

    if precision != "checked_bf16":
        return of(precision, size)
    exact = of("fp32", close_calls_at_once(size, maker.device))
    return 1 / (1 / of("bf16", size) + CLOSE_CALLS_SHARE / exact)


def _evaluated_at_once(learner: Learner) -> int:
    size = learner.recipe["evaluation_batch_size"]
    return min(size, CPU_BATCH) if learner.maker.device.type == "cpu" else size


def _warm_up_rates(learner: Learner, sizes: Sizes, seconds: float) -> tuple[float, float]:
    """Return images per second of the pass for features, and of an epoch of the head warm-up."""
    model, maker, recipe = learner.model, learner.maker, learner.recipe
    evaluated, size = _evaluated_at_once(learner), recipe["batch_size"]

    def read(count: int) -> None:
        samples = _samples(count * evaluated, sizes.classes)
        read_features(model, maker, samples, evaluated, keep=False)

    passing = _rate(read, evaluated, seconds, maker.device)
    if not recipe["head_warmup"]["epochs"]:
        return passing, passing
    few = _samples(min(size, CPU_BATCH), sizes.classes)
    features, _ = read_features(model, maker, few, len(few.index), keep=True)
    if features is not None and features[0].nbytes * sizes.train > KEPT_BYTES:
        features = None
    once = replace(
        learner, recipe={**recipe, "head_warmup": {**recipe["head_warmup"], "epochs": 1}}
    )

    def warm_up(count: int) -> None:
        samples = _samples(count * size, sizes.classes)
        given = None
        if features is not None:
            given = features.repeat(-(-count * size // len(features)), 1)
        warm_up_head(once, samples, given, RandomSampler(count * size, ("made up",)))

    return passing, _rate(warm_up, size, seconds, maker.device)


def _saving(learner: Learner, few: Samples, folder: Path | None) -> tuple[float, float]:
    """Return seconds in which a state is copied, and bytes per second that are then written."""
    few = few.only(slice(2))
    record = evaluate(learner.evaluated, learner.maker, few, Evaluation(2)).record
    _wait(learner.maker.device)
    start = time.perf_counter()
    tensors = pack_stepper(learner.stepper)
    packing = time.perf_counter() - start
    with tempfile.TemporaryDirectory(dir=folder, prefix=".plan-") as scratch:
        start = time.perf_counter()
        RunState(scratch, {}).save(0, tensors, record, [])
        seconds = time.perf_counter() - start
    return packing, sum(tensor.nbytes for tensor in tensors.values()) / seconds


def _rate(work: Callable[[int], None], size: int, seconds: float, device: torch.device) -> float:
    """Return the images per second of `work(count)`, which works on so many batches of a size.

    The first batch chooses kernels and is not counted, unless it alone took the time there is.
    """
    once = _timed(work, 1, device)
    if once < seconds:
        once = _timed(work, 1, device)
        count = min(int(seconds / max(once, 1e-9)), MOST_BATCHES)
        if count > 1:
            once = _timed(work, count, device) / count
    return size / once


def _timed(work: Callable[[int], None], count: int, device: torch.device) -> float:
    start = time.perf_counter()
    work(count)
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
