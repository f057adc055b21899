"""The backbone's features: the head is warmed up on them, and classes are compared by them."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import nn

from retention.sampling.declaration import EpochOrder
from retention.sampling.orders import batches_of, evaluation_batches
from retention.training.augmentation import Augmentation
from retention.training.batches import BatchMaker
from retention.training.layers import set_trainable
from retention.training.models import freeze_backbone, head_parameters
from retention.training.optimisation import Learner, LossWatch, make_optimizer
from retention.training.tracking import Samples

KEPT_BYTES = 2 << 30  # of features for the head warm-up; above, images pass through the backbone


@torch.no_grad()
def pooled_features(model: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    """Return what the head's last layer is given, float32 [B, D], through timm's interface."""
    return model.forward_head(model.forward_features(batch), pre_logits=True).float()


class ClassMeans:
    """The mean feature of each class, from batches of features; sums are float64."""

    def __init__(self, classes: int):
        self.classes = classes
        self.sums: np.ndarray | None = None
        self.counts = np.zeros(classes, dtype=np.int64)

    def add(self, features: torch.Tensor, labels: np.ndarray) -> None:
        """Take in features, float [B, D], and labels, int [B]."""
        values = features.cpu().double().numpy()
        if self.sums is None:
            self.sums = np.zeros((self.classes, values.shape[1]))
        np.add.at(self.sums, labels, values)
        self.counts += np.bincount(labels, minlength=self.classes)

    def means(self) -> np.ndarray:
        """Return float32 [C, D]; NaN where a class has no sample. Needs a batch."""
        sums, counts = cast(np.ndarray, self.sums), self.counts[:, None]
        means = np.full_like(sums, np.nan)
        np.divide(sums, counts, out=means, where=counts > 0)
        return means.astype(np.float32)


class Features(NamedTuple):
    """Clean features of samples.

    kept: float32 [N, D] on the device, in the order of the samples; `None` where they are not asked for or
    take more than `KEPT_BYTES`. centroids: their mean over each class, float32 [C, D].
    """

    kept: torch.Tensor | None
    centroids: np.ndarray


def read_features(
    model: nn.Module,
    maker: BatchMaker,
    samples: Samples,
    batch_size: int,
    keep: bool,
    tick: Callable[[int], None] = lambda count: None,
) -> Features:
    """Pass the samples through the backbone once, a batch in memory at a time, and all of them if to `keep`."""
    was_training = model.training
    model.eval()
    means, kept, done, count = ClassMeans(samples.classes), None, 0, len(samples.index)
    for batch in maker.clean(evaluation_batches(samples.index, batch_size)):
        features = pooled_features(model, batch)
        if done == 0 and keep and features[0].nbytes * count <= KEPT_BYTES:
            kept = features.new_empty((count, *features.shape[1:]))
        after = done + len(features)
        if kept is not None:
            kept[done:after] = features
        means.add(features, samples.label[done:after])
        done = after
        tick(len(batch))
    model.train(was_training)
    return Features(kept, means.means())


def warm_up_head(
    learner: Learner,
    train: Samples,
    features: torch.Tensor | None,
    sampler: EpochOrder,
    tick: Callable[[int], None] = lambda count: None,
) -> None:
    """Train the head while the backbone is frozen and in eval mode; in place.

    Without augmentation the clean `features` [N, D] of the training samples are all it needs; with
    it, without features, or with a head that is more than one layer on them, images pass through the
    frozen backbone. Afterwards what is `trainable` can learn again. The optimiser is one of its own.
    """
    model, maker, recipe = learner.model, learner.maker, learner.recipe
    settings = recipe["head_warmup"]
    freeze_backbone(model)
    # A constant rate: the schedule belongs to the fine-tuning.
    group = {
        "params": head_parameters(model),
        "lr": settings["learning_rate"],
        "weight_decay": recipe["weight_decay"],
    }
    optimizer = make_optimizer(recipe, [group], maker.device)
    labels = torch.from_numpy(train.label).to(maker.device)
    if features is not None and (
        settings["augment"] or not _head_is_last_layer(model, maker, train, features)
    ):
        features = None
    for epoch in range(1, settings["epochs"] + 1):
        watch = LossWatch(f"{epoch} of the head warm-up")
        batches = batches_of(sampler.order(epoch), recipe["batch_size"])
        generator = torch.Generator().manual_seed(learner.seed_of("head augmentation", epoch))
        outputs = (
            (model.get_classifier()(features[positions]) for positions in batches)
            if features is not None
            else _through_backbone(learner, train, batches, generator)
        )
        for positions, output in zip(batches, outputs, strict=True):
            loss = learner.loss_function(output.float(), labels[positions])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            watch.add(loss, settings["learning_rate"])
            tick(0 if features is not None else len(positions))
        if batches:
            watch.check()
    set_trainable(model, recipe["trainable"])


def _through_backbone(
    learner: Learner, train: Samples, batches: list[np.ndarray], generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Yield the logits of each batch of positions."""
    maker, recipe = learner.maker, learner.recipe
    indices = (train.index[positions] for positions in batches)
    images = (
        maker.augmented(indices, Augmentation.from_recipe(recipe), generator)
        if recipe["head_warmup"]["augment"]
        else maker.clean(indices)
    )
    for batch in images:
        yield learner.model(batch)


@torch.no_grad()
def _head_is_last_layer(
    model: nn.Module, maker: BatchMaker, train: Samples, features: torch.Tensor
) -> bool:
    """Tell whether the classifier on the features gives the model's own logits.

    Not so, for one, with a distilled model, whose two heads see two tokens.
    """
    classifier = model.get_classifier()
    if not isinstance(classifier, nn.Linear):
        return False
    few = train.index[:2]
    logits = model(next(maker.clean([few])))
    return torch.allclose(classifier(features[: len(few)]), logits, rtol=1e-3, atol=1e-4)
