"""Batches of images: cut out of the cache as bytes, moved, then resized and varied on the device.

What is random is drawn on the CPU from one `torch.Generator`, so a GPU sees the same crops.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional

from retention.training.models import Normalisation

ASPECT_RATIO = (3 / 4, 4 / 3)
PREPARED_BATCHES = 2


class Images(Protocol):
    """What training asks of an image cache."""

    def image(self, index: int) -> np.ndarray:
        """Return sample `index` as uint8 [H, W, 3]."""


@dataclass(frozen=True)
class Augmentation:
    """How training images vary: the crop's share of the area, mirroring, strength of colour."""

    crop_scale: tuple[float, float] = (1.0, 1.0)
    flip: bool = False
    color: float = 0.0

    @classmethod
    def from_recipe(cls, recipe: Mapping) -> "Augmentation":
        """Read the recipe's `augmentation` map; what it leaves out does not vary."""
        given = recipe.get("augmentation") or {}
        low, high = given.get("crop_scale") or (1.0, 1.0)
        return cls((low, high), bool(given.get("flip", False)), float(given.get("color", 0.0)))


@dataclass(frozen=True)
class Draws:
    """One batch's random draws: integer crop boxes and, per image, flip and colour factors."""

    boxes: np.ndarray  # int64 [B, 4]: top, left, height, width in pixels
    flip: torch.Tensor  # bool [B]
    brightness: torch.Tensor  # float32 [B]
    contrast: torch.Tensor  # float32 [B]


class BatchMaker:
    """Turns sample indices into float32 batches [B, 3, S, S], normalised, on the device."""

    def __init__(
        self,
        images: Images,
        image_size: int,
        normalisation: Normalisation,
        device: torch.device,
        channels_last: bool = False,
    ):
        self.images = images
        self.image_size = image_size
        self.device = device
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        shape = (1, 3, 1, 1)
        self.mean = torch.tensor(normalisation.mean, device=device).view(shape)
        self.std = torch.tensor(normalisation.std, device=device).view(shape)

    def clean(self, batches: Iterable[np.ndarray]) -> Iterator[torch.Tensor]:
        """Yield each batch's centre squares resized (bilinear, antialiased): nothing is random."""
        for groups in _ahead(self._read_squares, batches):
            batch = torch.empty(
                (sum(len(rows) for rows, _ in groups), 3, self.image_size, self.image_size),
                device=self.device,
            )
            for rows, pixels in groups:
                batch[rows] = self._resized(self._on_device(pixels))
            yield self._normalised(batch)

    def augmented(
        self,
        batches: Iterable[np.ndarray],
        augmentation: Augmentation,
        generator: torch.Generator,
    ) -> Iterator[torch.Tensor]:
        """Yield each batch with random resized crops, flips and colour drawn from `generator`."""

        def read(indices: np.ndarray) -> tuple[torch.Tensor, Draws]:
            images = [self.images.image(int(index)) for index in indices]
            draws = draw(images, augmentation, generator)
            return _packed(images, draws.boxes), draws

        for pixels, draws in _ahead(read, batches):
            batch = crop_and_resize(self._on_device(pixels), draws, self.image_size)
            if augmentation.color:
                batch = vary_colour(batch, draws)
            yield self._normalised(batch)

    def _read_squares(self, indices: np.ndarray) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return (rows of the batch, uint8 [b, s, s, 3]) per distinct size s of centre square."""
        by_size: dict[int, tuple[list[int], list[np.ndarray]]] = {}
        for row, index in enumerate(indices):
            square = _centre_square(self.images.image(int(index)))
            rows, squares = by_size.setdefault(len(square), ([], []))
            rows.append(row)
            squares.append(square)
        return [
            (torch.tensor(rows), torch.from_numpy(np.stack(squares)))
            for rows, squares in by_size.values()
        ]

    def _on_device(self, pixels: torch.Tensor) -> torch.Tensor:
        if self.device.type == "cuda":
            pixels = pixels.pin_memory()
        moved = pixels.to(self.device, non_blocking=True)
        return moved.permute(0, 3, 1, 2).to(torch.float32).div_(255)

    def _resized(self, batch: torch.Tensor) -> torch.Tensor:
        if batch.shape[-1] == self.image_size:
            return batch
        return functional.interpolate(
            batch, size=(self.image_size,) * 2, mode="bilinear", antialias=True
        )

    def _normalised(self, batch: torch.Tensor) -> torch.Tensor:
        return ((batch - self.mean) / self.std).contiguous(memory_format=self.format)


def draw(images: list[np.ndarray], augmentation: Augmentation, generator: torch.Generator) -> Draws:
    """Draw one batch's crops, flips and colour factors; as many draws whatever is switched on.

    A crop has a uniform share of the area and a log-uniform aspect ratio of 3/4 to 4/3 (Szegedy
    et al., CVPR 2015), cut to the image where it would not fit. At scale (1, 1) it is the centre
    square, as in the clean evaluation.
    """
    uniform = torch.rand((len(images), 7), generator=generator)
    low, high = augmentation.crop_scale
    boxes = [
        _box(image.shape[0], image.shape[1], low, high, row)
        for image, row in zip(images, uniform[:, :4].double().numpy(), strict=True)
    ]
    colour = 1 + augmentation.color * (2 * uniform[:, 5:] - 1)
    return Draws(
        boxes=np.array(boxes),
        flip=(uniform[:, 4] < 0.5) & augmentation.flip,
        brightness=colour[:, 0],
        contrast=colour[:, 1],
    )


def _box(height: int, width: int, low: float, high: float, uniform: np.ndarray) -> tuple:
    if low == high == 1.0:
        side = min(height, width)
        return (height - side) // 2, (width - side) // 2, side, side
    area = height * width * (low + (high - low) * uniform[0])
    logs = [math.log(ratio) for ratio in ASPECT_RATIO]
    ratio = math.exp(logs[0] + (logs[1] - logs[0]) * uniform[1])
    box_height = min(max(round(math.sqrt(area / ratio)), 1), height)
    box_width = min(max(round(math.sqrt(area * ratio)), 1), width)
    top = int(uniform[2] * (height - box_height + 1))
    left = int(uniform[3] * (width - box_width + 1))
    return top, left, box_height, box_width


def crop_and_resize(pixels: torch.Tensor, draws: Draws, size: int) -> torch.Tensor:
    """Resize each image's crop, which lies at the top left of its frame, to [B, 3, size, size].

    Bilinear, without antialiasing: the stored images should be under twice `size`. Sampling stays
    within the crop, so the frame's padding never shows.
    """
    count, _, frame_height, frame_width = pixels.shape
    extent = torch.from_numpy(draws.boxes[:, 2:]).to(pixels.device, torch.float32)
    centres = (torch.arange(size, device=pixels.device) + 0.5) / size
    columns = centres.expand(count, size)
    flip = draws.flip.to(pixels.device)[:, None]
    columns = torch.where(flip, 1 - columns, columns)
    rows = _within(centres.expand(count, size), extent[:, :1], frame_height)
    columns = _within(columns, extent[:, 1:], frame_width)
    grid = torch.stack(
        (columns[:, None, :].expand(-1, size, -1), rows[:, :, None].expand(-1, -1, size)), dim=-1
    )
    return functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


def _within(share: torch.Tensor, extent: torch.Tensor, frame: int) -> torch.Tensor:
    """Turn positions as shares of a crop into grid_sample's coordinates of the frame."""
    position = torch.minimum((share * extent).clamp(min=0.5), extent - 0.5)
    return position * (2 / frame) - 1


def vary_colour(batch: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Scale brightness, then contrast about the image's own mean grey; values stay in [0, 1]."""
    brightness = draws.brightness.to(batch.device).view(-1, 1, 1, 1)
    contrast = draws.contrast.to(batch.device).view(-1, 1, 1, 1)
    batch = (batch * brightness).clamp_(0, 1)
    grey = batch.mean(dim=(1, 2, 3), keepdim=True)
    return ((batch - grey) * contrast + grey).clamp_(0, 1)


def _centre_square(image: np.ndarray) -> np.ndarray:
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return image[top : top + side, left : left + side]


def _packed(images: list[np.ndarray], boxes: np.ndarray) -> torch.Tensor:
    """Copy each image's crop to the top left of a frame as large as the largest crop."""
    height, width = boxes[:, 2].max(), boxes[:, 3].max()
    frames = np.zeros((len(images), height, width, 3), dtype=np.uint8)
    for frame, image, (top, left, box_height, box_width) in zip(frames, images, boxes, strict=True):
        frame[:box_height, :box_width] = image[top : top + box_height, left : left + box_width]
    return torch.from_numpy(frames)


def _ahead(read, batches: Iterable[np.ndarray]) -> Iterator:
    """Yield `read(batch)` in order, read by one thread that stays a few batches ahead.

    One thread, so that a generator used by `read` is drawn from in the batches' order.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = []
        try:
            for batch in batches:
                waiting.append(pool.submit(read, batch))
                if len(waiting) > PREPARED_BATCHES:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()
