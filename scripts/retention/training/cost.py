"""What a study will cost, from a few seconds of the real training step on the present device."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from retention.common.options import complete
from retention.training.machine import out_of_memory_explained, prepare_torch
from retention.training.mixing import Mixing
from retention.training.models import build_model, image_size_explained
from retention.training.optimisation import Stepper

BYTES_OF_A_ROW = 27  # of traces.parquet, compressed, as the embedded study has it
KEPT_STATES = 2


@dataclass(frozen=True)
class Throughput:
    """Images per second of a training step and of a clean evaluation, and the model's size.

    trained: how many of its parameters learn; `None`: all of them.
    """

    training: float
    evaluation: float
    parameters: int
    trained: int | None = None


@dataclass(frozen=True)
class Cost:
    """One run: seconds, bytes it leaves, bytes of state while it is unfinished."""

    seconds: float
    kept: int
    unfinished: int


def measure_throughput(
    definition: Mapping, recipe: Mapping, classes: int, device: torch.device, seconds: float = 2.0
) -> Throughput:
    """Time steps of the recipe's batch size on random pixels, `seconds` each, after a first one.

    Reading images is left out: it runs beside the training. On a GPU the first steps choose kernels
    and are not counted.
    """
    prepare_torch(recipe["threads"], device)
    model = build_model(definition, classes).to(device)
    if recipe["channels_last"]:
        model = model.to(memory_format=torch.channels_last)
    stepper = Stepper.of(model, recipe, device)
    side = definition["image_size"]

    def pixels(count: int) -> torch.Tensor:
        return torch.rand(count, 3, side, side, device=device)

    batch, large = pixels(recipe["batch_size"]), pixels(recipe["evaluation_batch_size"])
    labels, mixing = torch.zeros(len(batch), dtype=torch.long), Mixing(recipe, classes, seed=0)

    def train() -> int:
        mixed, target = mixing(batch, labels)
        stepper.take(mixed, target.to(device))
        return len(batch)

    def evaluate() -> int:
        bf16 = recipe["evaluation_precision"] != "fp32"
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            model(large)
        return len(large)

    where = f"architecture {definition['timm']}"
    with out_of_memory_explained(where, recipe), image_size_explained(definition):
        stepper.train_mode()
        training = _rate(train, seconds, device)
        model.eval()
        evaluation = _rate(evaluate, seconds, device)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return Throughput(training, evaluation, sum(p.numel() for p in model.parameters()), trained)


def cost_of_run(
    throughput: Throughput, recipe: Mapping, store: Mapping, train: int, test: int, classes: int
) -> Cost:
    """Return what one run costs: every epoch trains once and evaluates every sample once."""
    epochs, every = recipe["epochs"], train + test
    presented = train * epochs
    evaluated = every * (epochs + 1) + train  # and one pass for the features of the warm-up
    if recipe["head_warmup"]["augment"]:
        evaluated += train * recipe["head_warmup"]["epochs"]
    seconds = presented / throughput.training + evaluated / throughput.evaluation
    kept = every * (epochs + 1) * BYTES_OF_A_ROW
    store = complete("store", store)
    stored = {"all": epochs + 1, "final": 1, "none": 0}[store["probabilities"]]
    kept += every * classes * 2 * stored
    weights = throughput.parameters * 4
    kept += weights * (store["weights"] == "final")
    moments = {"sgd": recipe["momentum"] > 0}.get(recipe["optimizer"], 2)
    trained = weights if throughput.trained is None else throughput.trained * 4
    unfinished = weights * (1 + (recipe["ema_decay"] > 0)) + trained * moments
    return Cost(seconds, kept, KEPT_STATES * unfinished)


def _rate(step: Callable[[], int], seconds: float, device: torch.device) -> float:
    step()
    _wait(device)
    images, start = 0, time.perf_counter()
    while images == 0 or time.perf_counter() - start < seconds:
        images += step()
        _wait(device)
    return images / (time.perf_counter() - start)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
