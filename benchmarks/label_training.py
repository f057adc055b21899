"""A small convolutional network, many of which train side by side on one core: what label_errors.py scores samples by.

Models of a batch share the images alone. Each has its own weights, order of samples and labels; groups of a convolution keep them
apart. The learning rate is constant, so that the first epochs of a training are a shorter training.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

BATCH, WIDTHS, RATE, MOMENTUM, DECAY = 32, (8, 16), 0.05, 0.9, 5e-4


@dataclass(frozen=True)
class Trained:
    """What M trainings of E epochs said of N images with C classes.

    logits: float32 [E, M, N, C], of all images after each epoch; margins: float64 [E, M, N], at each epoch's training step the
    logit of the label less the largest other, before the weights were changed by it; NaN for images that were not trained on.
    """

    logits: np.ndarray
    margins: np.ndarray


def trained(
    images: np.ndarray,
    labels: np.ndarray,
    parts: Sequence[np.ndarray],
    classes: int,
    epochs: int,
    seed: Sequence[int],
) -> Trained:
    """Train M models at once.

    images: float32 [N, side, side]; labels: int [M, N]; parts: of each model the places it is trained on, int [P] each, all of
    one length; seed: of the generator. Weights begin as He et al., ICCV 2015, have them.
    """
    draws = np.random.default_rng(seed)
    models, pixels = len(parts), torch.from_numpy(images)
    targets = torch.from_numpy(labels)
    weights = _weights(models, images.shape[1], classes, draws)
    optimiser = torch.optim.SGD(weights, lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    logits, margins = [], np.full((epochs, models, len(images)), np.nan)
    for epoch in range(epochs):
        orders = torch.from_numpy(np.stack([draws.permutation(part) for part in parts]))
        for batch in orders.split(BATCH, dim=1):
            said = _forward(pixels[batch].transpose(0, 1), weights)
            wanted = targets.gather(1, batch)
            for model, places in enumerate(batch.numpy()):
                margins[epoch, model, places] = _margins(said[model].detach(), wanted[model])
            # The mean over images of each model, added up: no model's step depends on how many there are.
            loss = functional.cross_entropy(said.flatten(0, 1), wanted.flatten()) * models
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            every = pixels[:, None].expand(-1, models, -1, -1)
            logits.append(torch.cat([_forward(part, weights) for part in every.split(512)], dim=1))
    return Trained(torch.stack(logits).numpy(), margins)


def _weights(models: int, side: int, classes: int, draws: np.random.Generator) -> list:
    first, second = WIDTHS
    features = second * (side // 4) ** 2
    shapes = [
        (models * first, 1, 3, 3),
        (models * second, first, 3, 3),
        (models, features, classes),
    ]
    weights = []
    for shape, inputs in zip(shapes, (9, 9 * first, features), strict=True):
        values = draws.normal(scale=np.sqrt(2 / inputs), size=shape).astype(np.float32)
        weights.append(torch.from_numpy(values).requires_grad_())
    sizes = [(models * first,), (models * second,), (models, 1, classes)]
    return weights + [torch.zeros(size, requires_grad=True) for size in sizes]


def _forward(pixels: torch.Tensor, weights: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the logits of each model, [M, B, C], of its own images, [B, M, side, side]."""
    first, second, last, *offsets = weights
    models = len(last)
    hidden = functional.conv2d(pixels, first, offsets[0], padding=1, groups=models)
    hidden = functional.max_pool2d(functional.relu(hidden), 2)
    hidden = functional.conv2d(hidden, second, offsets[1], padding=1, groups=models)
    hidden = functional.max_pool2d(functional.relu(hidden), 2)
    features = hidden.unflatten(1, (models, -1)).flatten(2).transpose(0, 1)
    return torch.baddbmm(offsets[2], features, last)


def _margins(said: torch.Tensor, wanted: torch.Tensor) -> np.ndarray:
    own = said.gather(1, wanted[:, None])[:, 0]
    others = said.scatter(1, wanted[:, None], -torch.inf).max(dim=1).values
    return (own - others).numpy()
