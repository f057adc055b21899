"""The loss, the optimiser, the learning rate, one epoch of steps."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from timm.utils import ModelEmaV3
from torch import nn

from retention.common.errors import UserError
from retention.training.augmentation import Augmentation
from retention.training.batches import BatchMaker
from retention.training.layers import (
    frozen_modules,
    rate_scales,
    set_trainable,
    trained_names,
)
from retention.training.mixing import Mixing
from retention.training.models import head_names, is_head_key
from retention.training.tracking import Samples

STEPS_BETWEEN_CHECKS = 100
HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}
LEAST_SCALE = 1.0  # of a loss in fp16; it begins at 65,536 and is halved after each skipped step


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
        # torch's fused SGD leaves its momentum uninitialised where fp16 skips the first step.
        fused = fused and recipe["precision"] != "fp16"
        return torch.optim.SGD(groups, momentum=recipe["momentum"], fused=fused)
    kind = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[recipe["optimizer"]]
    return kind(groups, betas=tuple(recipe["betas"]), fused=fused)


def parameter_groups(model: nn.Module, recipe: Mapping) -> list[dict]:
    """Return backbone and head with their own learning rates, biases and norms without decay.

    Each group's `base_lr` is what the schedule scales; `layer_decay` makes groups of each layer of
    the backbone. States number parameters in the order of the groups: it stays.
    """
    heads = head_names(model)
    rates = {True: recipe["head_learning_rate"], False: recipe["learning_rate"]}
    spared = set(model.no_weight_decay()) if hasattr(model, "no_weight_decay") else set()
    scales = rate_scales(model, recipe["layer_decay"])
    trained = trained_names(model, recipe["trainable"])
    groups: dict[tuple[bool, float, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if name not in trained:
            continue
        is_head = is_head_key(name, heads)
        scale = 1.0 if is_head else scales[name]
        decays = parameter.ndim > 1 and name not in spared
        groups.setdefault((is_head, scale, decays), []).append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": recipe["weight_decay"] if decays else 0.0,
            "lr": rates[is_head] * scale,
            "base_lr": rates[is_head] * scale,
        }
        for (is_head, scale, decays), parameters in groups.items()
    ]


def rate_factor(step: int, steps: int, recipe: Mapping) -> float:
    """Return what scales the learning rates at a step: linear warm-up, then 1 or a cosine.

    The cosine falls from 1 to `minimum_learning_rate_fraction` (Loshchilov & Hutter, ICLR 2017).
    """
    rising = round(recipe["warmup_steps_fraction"] * steps)
    if step < rising:
        return (step + 1) / rising
    if recipe["schedule"] == "constant":
        return 1.0
    falling = 0.5 * (1 + math.cos(math.pi * (step - rising) / max(steps - rising, 1)))
    least = recipe["minimum_learning_rate_fraction"]
    return least + (1 - least) * falling


@dataclass(frozen=True)
class Stepper:
    """A model, and how one step moves it; the bill of a study times this very step.

    recipe: a complete one. average: the exponential moving average of the weights and running
    statistics, where `ema_decay` asks for one (Polyak & Juditsky 1992, in its exponential form).
    scaler: scales the loss in fp16, and skips steps whose gradients then are too large for it.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss_function: nn.Module
    recipe: Mapping
    device: torch.device
    average: ModelEmaV3 | None = None
    scaler: torch.amp.GradScaler = field(
        default_factory=lambda: torch.amp.GradScaler("cpu", enabled=False)
    )

    @classmethod
    def of(
        cls,
        model: nn.Module,
        recipe: Mapping,
        device: torch.device,
        weights: torch.Tensor | None = None,
    ) -> "Stepper":
        """Return the recipe's optimiser and loss for a model. weights: float32 [C], of the classes."""
        if recipe["trainable"] != "all":
            set_trainable(model, recipe["trainable"])
        optimizer = make_optimizer(recipe, parameter_groups(model, recipe), device)
        average = ModelEmaV3(model, recipe["ema_decay"]) if recipe["ema_decay"] else None
        scaler = torch.amp.GradScaler(device.type, enabled=recipe["precision"] == "fp16")
        loss_function = make_loss(recipe, weights, device)
        return cls(model, optimizer, loss_function, recipe, device, average, scaler)

    @property
    def evaluated(self) -> nn.Module:
        """Return the model that is evaluated and kept: the average where there is one."""
        return self.model if self.average is None else self.average.module

    def train_mode(self) -> None:
        """Put the model in train mode, and what is frozen in eval mode.

        So running statistics of frozen batch norms stay, and frozen layers drop nothing out.
        """
        self.model.train()
        if self.recipe["trainable"] != "all":
            for module in frozen_modules(self.model):
                module.eval()

    def begin_average(self) -> None:
        """Let the average begin with the weights as they are."""
        if self.average is not None:
            self.average.set(self.model)

    def take(self, batch: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Move the weights by one batch, float32 [B, 3, S, S]; return its loss.

        target: labels, int64 [B], or shares of classes, float32 [B, C].
        `gradient_accumulation` cuts the batch into micro-batches of nearly one size, two images or
        more each, whose gradients add up to those of the whole.
        """
        self.optimizer.zero_grad(set_to_none=True)
        parts = max(min(self.recipe["gradient_accumulation"], len(target) // 2), 1)
        targets = target.tensor_split(parts)
        loss = torch.zeros((), device=self.device)
        for part, labels, share in zip(
            batch.tensor_split(parts), targets, self._shares(targets), strict=True
        ):
            loss = loss + self._backward(part, labels, share)
        if limit := self.recipe["gradient_clipping"]:
            self.scaler.unscale_(self.optimizer)
            moved = (value for group in self.optimizer.param_groups for value in group["params"])
            nn.utils.clip_grad_norm_(moved, limit)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average is not None:
            self.average.update(self.model)
        return loss

    def check_scale(self, epoch: int) -> None:
        """Raise `UserError` where no scale of the loss gives gradients that fp16 can hold."""
        if self.scaler.is_enabled() and self.scaler.get_scale() < LEAST_SCALE:
            raise UserError(
                f"epoch {epoch}: steps are skipped in fp16 again and again, as gradients are not finite at any "
                "scale of the loss; lower the learning rate or use precision fp32"
            )

    def _shares(self, targets: Sequence[torch.Tensor]) -> list[torch.Tensor | float]:
        """Return what each micro-batch's mean loss counts for in the mean of the whole batch.

        The mean is weighted by the classes' weights, so it is no mean of means.
        """
        weights = self.loss_function.weight
        # Of shares of classes torch divides by the images, weighted or not.
        by_class = weights is not None and not targets[0].is_floating_point()
        masses = [weights[part].sum() if by_class else len(part) for part in targets]
        return [mass / sum(masses) for mass in masses]

    def _backward(
        self, batch: torch.Tensor, target: torch.Tensor, share: torch.Tensor | float
    ) -> torch.Tensor:
        """Add a micro-batch's gradients to those that are there; return what it adds to the loss."""
        loss = self._loss(batch, target) * share
        self.scaler.scale(loss).backward()
        return loss.detach()

    def _loss(self, batch: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        half = HALVES.get(self.recipe["precision"])
        with torch.autocast(self.device.type, dtype=half, enabled=half is not None):
            output = self.model(batch)
        # A distilled model returns one set of logits per head in train mode.
        outputs = output if isinstance(output, (tuple, list)) else (output,)
        losses = [self.loss_function(_at_least_fp32(part), target) for part in outputs]
        return sum(losses) / len(losses)


def _at_least_fp32(logits: torch.Tensor) -> torch.Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


@dataclass(frozen=True)
class Learner:
    """A model's steps, and what they are fed with.

    recipe: a complete one. seed_of: returns the seed of a purpose, such as ("dropout", epoch).
    """

    stepper: Stepper
    maker: BatchMaker
    recipe: Mapping
    seed_of: Callable[..., int]

    @classmethod
    def of(
        cls, model: nn.Module, maker: BatchMaker, train: Samples, recipe: Mapping, seed_of: Callable
    ) -> "Learner":
        """Return the recipe's: its optimiser, and its loss for these training samples."""
        weights = class_weights(train.label, train.classes, recipe["class_weighting"])
        return cls(Stepper.of(model, recipe, maker.device, weights), maker, recipe, seed_of)

    @property
    def model(self) -> nn.Module:
        """Return the model that is trained."""
        return self.stepper.model

    @property
    def evaluated(self) -> nn.Module:
        """Return the model whose weights make the traces and are kept."""
        return self.stepper.evaluated

    @property
    def loss_function(self) -> nn.Module:
        """Return the cross-entropy that it minimises."""
        return self.stepper.loss_function


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
    stepper, recipe = learner.stepper, learner.recipe
    stepper.train_mode()
    torch.manual_seed(learner.seed_of("dropout", epoch))
    generator = torch.Generator().manual_seed(learner.seed_of("augmentation", epoch))
    steps = len(batches) * recipe["epochs"]
    watch, rate = LossWatch(str(epoch)), recipe["learning_rate"]
    mixing = Mixing(recipe, learner.model.num_classes, learner.seed_of("mixing", epoch))
    images = learner.maker.augmented(
        (indices for indices, _ in batches), Augmentation.from_recipe(recipe), generator
    )
    for step, (batch, (_, labels)) in enumerate(zip(images, batches, strict=True)):
        factor = rate_factor((epoch - 1) * len(batches) + step, steps, recipe)
        for group in stepper.optimizer.param_groups:
            group["lr"] = group["base_lr"] * factor
        rate = recipe["learning_rate"] * factor
        batch, target = mixing(batch, torch.from_numpy(labels))
        target = target.to(learner.maker.device, non_blocking=True)
        watch.add(stepper.take(batch, target), rate)
        tick(len(labels))
    watch.check()
    stepper.check_scale(epoch)
    return rate
