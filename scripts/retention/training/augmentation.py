"""How training images vary: crops, mirroring, turning, colour, erasing, drawn from `torch.Generator`s."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import cast

import numpy as np
import torch

ASPECT_RATIO = (3 / 4, 4 / 3)
ATTEMPTS = 10  # at a crop that fits, as torchvision's RandomResizedCrop
# Of the rectangles that are erased: share of the area, aspect (Zhong et al., AAAI 2020, as timm).
ERASED_SCALE, ERASED_ASPECT = (0.02, 1 / 3), (0.3, 1 / 0.3)
GREY = (0.2989, 0.587, 0.114)  # ITU-R 601, as torchvision


@dataclass(frozen=True)
class Augmentation:
    """How training images vary: the crop's share of the area, mirroring, strength of colour.

    rotation: degrees, 90 or 180, of which images are turned by a random multiple; 0: not. erasing:
    share of the images of which a rectangle is erased.
    """

    crop_scale: tuple[float, float] = (1.0, 1.0)
    flip: bool = False
    color: float = 0.0
    vertical_flip: bool = False
    rotation: int = 0
    erasing: float = 0.0

    @classmethod
    def from_recipe(cls, recipe: Mapping) -> "Augmentation":
        """Read the `augmentation` map of a complete recipe."""
        given = recipe["augmentation"]
        own = {field.name: given[field.name] for field in fields(cls)}
        return cls(**own | {"crop_scale": tuple(given["crop_scale"])})

    @property
    def varies_colour(self) -> bool:
        """Whether any image's colour is varied."""
        return self.color > 0

    @property
    def changes_batches(self) -> bool:
        """Tell whether something is done to batches that are cut out and resized."""
        return bool(self.vertical_flip or self.rotation or self.erasing)


@dataclass(frozen=True)
class Changes:
    """What is done to the images of one batch after they were cut out, resized and normalised."""

    upside_down: torch.Tensor  # bool [B], mirrored top to bottom
    quarters: torch.Tensor  # int64 [B], quarter turns, counter-clockwise
    erased: torch.Tensor  # bool [B]
    uniform: np.ndarray  # float64 [B, ATTEMPTS, 4], of the rectangles


@dataclass(frozen=True)
class Draws:
    """How one batch's images are cut out and varied."""

    boxes: np.ndarray  # int32 [B, 4]: top, left, height, width in pixels
    flip: np.ndarray  # bool [B]
    brightness: torch.Tensor | None = None  # float32 [B], factors
    contrast: torch.Tensor | None = None  # float32 [B], factors
    contrast_first: torch.Tensor | None = None  # bool [B]
    varies_colour: bool = False
    changes: Changes | None = None


def draw(
    height: np.ndarray,
    width: np.ndarray,
    augmentation: Augmentation,
    generator: torch.Generator,
    crop_pct: float = 1.0,
) -> Draws:
    """Draw one batch's crops, flips and colour factors; as many draws whatever is switched on.

    height, width: int [B], each image's, pixels. crop_pct: of images that are not cropped at random.
    """
    crops = torch.rand((len(height), ATTEMPTS, 4), generator=generator, dtype=torch.float64)
    others = torch.rand((len(height), 4), generator=generator)
    colour = 1 + augmentation.color * (2 * others - 1)
    return Draws(
        boxes=random_boxes(height, width, augmentation.crop_scale, crops.numpy(), crop_pct),
        flip=(others[:, 0] < 0.5).numpy() & augmentation.flip,
        brightness=colour[:, 1].clamp(min=0),
        contrast=colour[:, 2].clamp(min=0),
        contrast_first=others[:, 3] < 0.5,
        varies_colour=augmentation.varies_colour,
    )


def draw_changes(count: int, augmentation: Augmentation, generator: torch.Generator) -> Changes:
    """Draw what is done to the images of one batch; as many draws whatever is switched on."""
    uniform = torch.rand((count, ATTEMPTS, 4), generator=generator, dtype=torch.float64)
    flips, turns, erased = torch.rand((3, count), generator=generator, dtype=torch.float64)
    least = augmentation.rotation // 90  # quarter turns: 0, 1 or 2
    quarters = least * (turns * (4 // least)).long() if least else torch.zeros_like(turns).long()
    return Changes(
        upside_down=(flips < 0.5) & augmentation.vertical_flip,
        quarters=quarters,
        erased=erased < augmentation.erasing,
        uniform=uniform.numpy(),
    )


def change(batch: torch.Tensor, changes: Changes) -> torch.Tensor:
    """Mirror, turn and erase parts of float32 [B, 3, S, S], in place; what is erased becomes 0.

    Mirroring and quarter turns move pixels and make none.
    """
    _replace(batch, changes.upside_down, lambda images: images.flip(2))
    for turns in (1, 2, 3):
        turned = partial(torch.rot90, k=turns, dims=(2, 3))
        _replace(batch, changes.quarters == turns, turned)
    size = np.full(len(batch), batch.shape[2])
    boxes = random_boxes(size, size, ERASED_SCALE, changes.uniform, aspect_ratio=ERASED_ASPECT)
    for row in changes.erased.nonzero()[:, 0].tolist():
        top, left, height, width = boxes[row].tolist()
        batch[row, :, top : top + height, left : left + width] = 0
    return batch


def _replace(
    batch: torch.Tensor, chosen: torch.Tensor, made: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    """Put what is made of the chosen images, bool [B], in their place."""
    if chosen.any():
        rows = chosen.nonzero()[:, 0].to(batch.device, non_blocking=True)
        batch[rows] = made(batch[rows])


def no_draws(height: np.ndarray, width: np.ndarray, crop_pct: float = 1.0) -> Draws:
    """Return what leaves nothing to chance: each image's centre square."""
    return Draws(centre_squares(height, width, crop_pct), np.zeros(len(height), dtype=bool))


def random_boxes(
    height: np.ndarray,
    width: np.ndarray,
    scale: tuple[float, float],
    uniform: np.ndarray,
    crop_pct: float = 1.0,
    aspect_ratio: tuple[float, float] = ASPECT_RATIO,
) -> np.ndarray:
    """Return crops with a uniform share of the area and a log-uniform aspect, of 3/4 to 4/3.

    Szegedy et al., CVPR 2015, as torchvision's RandomResizedCrop does it: the first of ten
    attempts that fits, else the largest centred crop of an allowed aspect. height, width: int
    [B]. uniform: float64 [B, ATTEMPTS, 4] in [0, 1). Returns int32 [B, 4]. A scale of (1, 1) is
    the centre square of the clean evaluation.
    """
    low, high = scale
    if low == high == 1.0:
        return centre_squares(height, width, crop_pct)
    height, width = np.asarray(height, dtype=float), np.asarray(width, dtype=float)
    share, aspect, down, right = np.moveaxis(uniform, 2, 0)
    area = (height * width)[:, None] * (low + (high - low) * share)
    narrow, wide = (math.log(ratio) for ratio in aspect_ratio)
    ratio = np.exp(narrow + (wide - narrow) * aspect)
    widths, heights = np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))
    fits = (widths > 0) & (heights > 0)
    fits &= (widths <= width[:, None]) & (heights <= height[:, None])
    chosen = np.arange(len(height)), fits.argmax(axis=1)
    widths, heights = widths[chosen], heights[chosen]
    tops = np.floor(down[chosen] * (height - heights + 1))
    lefts = np.floor(right[chosen] * (width - widths + 1))
    attempts = np.stack([tops, lefts, heights, widths], axis=1)
    fallback = _largest_crops(height, width)
    return np.where(fits.any(axis=1)[:, None], attempts, fallback).astype(np.int32)


def _largest_crops(height: np.ndarray, width: np.ndarray) -> np.ndarray:
    ratio = np.clip(width / height, *ASPECT_RATIO)
    widths = np.minimum(width, np.rint(height * ratio))
    heights = np.minimum(height, np.rint(width / ratio))
    return np.stack([(height - heights) // 2, (width - widths) // 2, heights, widths], axis=1)


def centre_squares(height: np.ndarray, width: np.ndarray, crop_pct: float = 1.0) -> np.ndarray:
    """Return centred squares, int32 [B, 4], their side `crop_pct` of the short side to the nearest pixel."""
    side = np.maximum(np.rint(crop_pct * np.minimum(height, width)).astype(np.int32), 1)
    squares = np.stack([(height - side) // 2, (width - side) // 2, side, side], axis=1)
    return squares.astype(np.int32)


def vary_colour(batch: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Vary brightness and contrast of float32 [B, 3, S, S] in [0, 1], in either order.

    As torchvision's ColorJitter: contrast is about the mean grey of the image.
    """
    given = (draws.contrast_first, draws.brightness, draws.contrast)
    # A copy that blocks would let the training thread wait for all that the GPU has still to do.
    first, brightness, contrast = (
        drawn.to(batch.device, non_blocking=True).view(-1, 1, 1, 1)
        for drawn in cast(tuple[torch.Tensor, ...], given)  # which `draw` draws
    )
    batch = torch.where(first, _contrasted(batch, contrast), (batch * brightness).clamp(0, 1))
    return torch.where(first, (batch * brightness).clamp(0, 1), _contrasted(batch, contrast))


def _contrasted(batch: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    weights = torch.tensor(GREY).to(batch.device, non_blocking=True).view(1, 3, 1, 1)
    grey = (batch * weights).sum(dim=1, keepdim=True).mean(dim=(2, 3), keepdim=True)
    return ((batch - grey) * factor + grey).clamp(0, 1)
