"""The loss, the optimiser, the learning rate, one epoch of steps."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from retention.common.errors import UserError
from retention.training.augmentation import Augmentation
from retention.training.batches import BatchMaker
from retention.training.models import head_names, is_head_key
from retention.training.tracking import Samples

STEPS_BETWEEN_CHECKS = 100


def class_weights(labels: np.ndarray, classes: int, weighting: str) -> torch.Tensor | None:
    """Return float32 [C] weights N / (present classes · n_c), 0 for an absent class, or `None`."""
    if weighting == "none":
        return None
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    weights = np.zeros(classes, dtype=np.float32)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return torch.from_numpy(weights)


def make_loss(recipe: Mapping, weights: torch.Tensor | None, device: torch.device) -> nn.Module:
    """Return the recipe's cross-entropy."""
    if weights is not None:
        weights = weights.to(device)
    return nn.CrossEntropyLoss(weight=weights, label_smoothing=recipe["label_smoothing"])


def make_optimizer(
    recipe: Mapping, groups: Sequence[Mapping], device: torch.device
) -> torch.optim.Optimizer:
    """Return the recipe's optimiser; the fused kernels save time on many small tensors."""
    fused = device.type in ("cpu", "cuda")
    if recipe["optimizer"] == "sgd":
        return torch.optim.SGD(groups, momentum=0.9, fused=fused)
    kind = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[recipe["optimizer"]]
    return kind(groups, fused=fused)


def parameter_groups(model: nn.Module, recipe: Mapping) -> list[dict]:
    """Return backbone and head with their own learning rates, biases and norms without decay.

    Each group's `base_lr` is what the schedule scales.
    """
    heads = head_names(model)
    spared = set(model.no_weight_decay()) if hasattr(model, "no_weight_decay") else set()
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        decays = parameter.ndim > 1 and name not in spared
        groups.setdefault((is_head_key(name, heads), decays), []).append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": recipe["weight_decay"] if decays else 0.0,
            "lr": recipe["head_learning_rate"] if is_head else recipe["learning_rate"],
            "base_lr": recipe["head_learning_rate"] if is_head else recipe["learning_rate"],
        }
        for (is_head, decays), parameters in groups.items()
    ]


def rate_factor(step: int, steps: int, recipe: Mapping) -> float:
    """Return what scales the learning rates at a step: linear warm-up, then cosine to 0 or 1."""
    rising = round(recipe["warmup_steps_fraction"] * steps)
    if step < rising:
        return (step + 1) / rising
    if recipe["schedule"] == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(steps - rising, 1)))


@dataclass(frozen=True)
class Learner:
    """A model, and what its steps are made of.

    recipe: a complete one. seed_of: returns the seed of a purpose, such as ("dropout", epoch).
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss_function: nn.Module
    maker: BatchMaker
    recipe: Mapping
    seed_of: Callable[..., int]

    @classmethod
    def of(
        cls, model: nn.Module, maker: BatchMaker, train: Samples, recipe: Mapping, seed_of: Callable
    ) -> "Learner":
        """Return the recipe's: its optimiser, and its loss for these training samples."""
        weights = class_weights(train.label, train.classes, recipe["class_weighting"])
        optimizer = make_optimizer(recipe, parameter_groups(model, recipe), maker.device)
        loss_function = make_loss(recipe, weights, maker.device)
        return cls(model, optimizer, loss_function, maker, recipe, seed_of)


class LossWatch:
    """Names an epoch's first step whose loss is not finite.

    The losses stay on the device, at most `STEPS_BETWEEN_CHECKS` of them: looking at each would make a
    GPU wait at every step.
    """

    def __init__(self, epoch: str):
        self.epoch = epoch
        self.checked = 0  # steps
        self.unchecked: list[tuple[torch.Tensor, float]] = []

    def add(self, loss: torch.Tensor, rate: float) -> None:
        """Take in one step's loss and the learning rate it was taken with; raise as `check` does."""
        self.unchecked.append((loss.detach(), rate))
        if len(self.unchecked) == STEPS_BETWEEN_CHECKS:
            self.check()

    def check(self) -> None:
        """Raise `UserError` naming epoch, step and learning rate of a loss that is no number."""
        if not self.unchecked:
            return
        losses = torch.stack([loss for loss, _ in self.unchecked]).float().cpu().numpy()
        for step in np.flatnonzero(~np.isfinite(losses))[:1]:
            raise UserError(
                f"epoch {self.epoch}, step {self.checked + step + 1}: the loss is not finite (learning rate "
                f"{self.unchecked[step][1]:.3g}); lower the learning rate or use precision fp32"
            )
        self.checked += len(self.unchecked)
        self.unchecked.clear()


def train_epoch(
    learner: Learner,
    batches: Sequence[tuple[np.ndarray, np.ndarray]],
    epoch: int,
    tick: Callable[[int], None] = lambda count: None,
) -> float:
    """Train on batches of (sample indices, labels) and return the last step's learning rate.

    Everything random (augmentation, dropout, drop path) is seeded by the epoch through
    the learner's seeds, so a resumed run draws what an uninterrupted one draws. Raises
    `UserError` on a loss that is not finite.
    """
    model, optimizer, recipe = learner.model, learner.optimizer, learner.recipe
    model.train()
    torch.manual_seed(learner.seed_of("dropout", epoch))
    generator = torch.Generator().manual_seed(learner.seed_of("augmentation", epoch))
    device, bf16 = learner.maker.device, recipe["precision"] == "bf16"
    steps = len(batches) * recipe["epochs"]
    watch, rate = LossWatch(str(epoch)), recipe["learning_rate"]
    images = learner.maker.augmented(
        (indices for indices, _ in batches), Augmentation.from_recipe(recipe), generator
    )
    for step, (batch, (_, labels)) in enumerate(zip(images, batches, strict=True)):
        factor = rate_factor((epoch - 1) * len(batches) + step, steps, recipe)
        for group in optimizer.param_groups:
            group["lr"] = group["base_lr"] * factor
        rate = recipe["learning_rate"] * factor
        target = torch.from_numpy(labels).to(device, non_blocking=True)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            output = model(batch)
        # A distilled model returns one set of logits per head in train mode.
        outputs = output if isinstance(output, (tuple, list)) else (output,)
        loss = sum(learner.loss_function(part.float(), target) for part in outputs) / len(outputs)
        loss.backward()
        optimizer.step()
        watch.add(loss, rate)
        tick(len(labels))
    watch.check()
    return rate
