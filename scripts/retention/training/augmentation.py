"""Batches of images: crops of the cache resized on the CPU, then varied and normalised on the device.

What is random is drawn from one `torch.Generator`, and pixels are resized by the same code whatever
the device, so a GPU sees the bytes that a CPU sees.
"""

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional

from retention.training.models import Normalisation

ASPECT_RATIO = (3 / 4, 4 / 3)
ATTEMPTS = 10  # at a crop that fits, as torchvision's RandomResizedCrop
GREY = (0.2989, 0.587, 0.114)  # ITU-R 601, as torchvision
PREPARED_BATCHES = 2
MOST_ROOMS = PREPARED_BATCHES + 4  # batches waiting, being read, in use; and two of other sizes
UNREFERRED = 3  # what sys.getrefcount says of a list's element bound to one name
MOST_READERS = 8  # of a GPU's batches; one thread resizes some 5,000 images a second

Box = tuple[int, int, int, int]  # top, left, height, width in pixels


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
    """How one batch's images are cut out and varied; without draws, they are only cut out."""

    boxes: list[Box]
    flip: np.ndarray | None = None  # bool [B]
    brightness: torch.Tensor | None = None  # float32 [B], factors
    contrast: torch.Tensor | None = None  # float32 [B], factors
    contrast_first: torch.Tensor | None = None  # bool [B]
    varies_colour: bool = False


class BatchMaker:
    """Turns sample indices into float32 batches [B, 3, S, S], normalised, on the device.

    readers: threads that crop and resize; results do not depend on their number.
    """

    def __init__(
        self,
        images: Images,
        image_size: int,
        normalisation: Normalisation,
        device: torch.device,
        channels_last: bool = False,
        readers: int | None = None,
    ):
        self.images = images
        self.image_size = image_size
        self.device = device
        self.readers = readers or _readers_for(device)
        self.writer = _Writer(image_size, normalisation, device, channels_last)

    def clean(self, batches: Iterable[np.ndarray]) -> Iterator[torch.Tensor]:
        """Yield each batch's centre squares resized: nothing is random."""

        def plan(images: Sequence[np.ndarray]) -> Draws:
            return Draws([centre_square(*image.shape[:2]) for image in images])

        return self._batches(batches, plan)

    def augmented(
        self,
        batches: Iterable[np.ndarray],
        augmentation: Augmentation,
        generator: torch.Generator,
    ) -> Iterator[torch.Tensor]:
        """Yield each batch with random resized crops, flips and colour drawn from `generator`."""

        def plan(images: Sequence[np.ndarray]) -> Draws:
            return draw([image.shape[:2] for image in images], augmentation, generator)

        return self._batches(batches, plan)

    def _batches(
        self,
        batches: Iterable[np.ndarray],
        plan: Callable[[Sequence[np.ndarray]], Draws],
    ) -> Iterator[torch.Tensor]:
        """Yield the batches in order, read a few ahead.

        One thread plans, batch after batch, so that a generator is drawn from in order; the images
        of a batch are then cropped and resized side by side.
        """
        with ThreadPoolExecutor(1) as planner, ThreadPoolExecutor(self.readers) as resizers:

            def read(indices: np.ndarray) -> tuple[np.ndarray, Draws]:
                images = [self.images.image(int(index)) for index in indices]
                draws = plan(images)
                batch = self.writer.empty(len(images), draws)

                def fill(rows: np.ndarray) -> None:
                    for row in rows:
                        flip = draws.flip is not None and draws.flip[row]
                        box, size = draws.boxes[row], self.image_size
                        self.writer.write(batch[row], crop_and_resize(images[row], box, size, flip))

                list(resizers.map(fill, np.array_split(np.arange(len(images)), self.readers)))
                return batch, draws

            for batch, draws in _ahead(planner, read, batches):
                yield self.writer.finish(batch, draws)


class _Writer:
    """Where resized images are collected, and what makes a batch for the model of them.

    For a GPU, or where colour varies, bytes are collected and the whole batch is worked on on the
    device. On the CPU every image is normalised at once, while it is in the processor's cache:
    passes over a batch of floats took eight times as long as the resizing.
    """

    def __init__(self, size: int, normalisation: Normalisation, device, channels_last: bool):
        mean, std = (np.array(v, np.float32) for v in (normalisation.mean, normalisation.std))
        self.size, self.device, self.channels_last = size, device, channels_last
        self.rooms: list[np.ndarray] = []
        # (x / 255 − mean) / std as one product and one difference
        self.scale, self.shift = 1 / (255 * std), mean / std
        shape = (size, size, 3) if channels_last else (3, 1, 1)
        planes = [v if channels_last else v[:, None, None] for v in (self.scale, self.shift)]
        self.planes = [np.ascontiguousarray(np.broadcast_to(plane, shape)) for plane in planes]

    def empty(self, count: int, draws: Draws) -> np.ndarray:
        """Return room for a batch: that of an earlier one which nobody refers to any more, or new.

        New memory costs the system as much time as resizing does.
        """
        size, as_bytes = self.size, self._as_bytes(draws)
        last = as_bytes or self.channels_last
        shape = (count, size, size, 3) if last else (count, 3, size, size)
        dtype = np.dtype(np.uint8 if as_bytes else np.float32)
        for room in self.rooms:
            # A tensor made from an array, and any view of it, refers to the array.
            if sys.getrefcount(room) == UNREFERRED and (room.shape, room.dtype) == (shape, dtype):
                return room
        self.rooms = [*self.rooms[1 - MOST_ROOMS :], np.empty(shape, dtype)]
        return self.rooms[-1]

    def write(self, room: np.ndarray, pixels: np.ndarray) -> None:
        """Write one image, uint8 [S, S, 3], into its room."""
        if room.dtype == np.uint8:
            room[...] = pixels
            return
        room[...] = pixels if self.channels_last else pixels.transpose(2, 0, 1)
        np.multiply(room, self.planes[0], out=room)
        np.subtract(room, self.planes[1], out=room)

    def finish(self, batch: np.ndarray, draws: Draws) -> torch.Tensor:
        """Return float32 [B, 3, S, S] on the device, in the memory format of the model."""
        given = torch.from_numpy(batch)
        if not self._as_bytes(draws):
            return given.permute(0, 3, 1, 2) if self.channels_last else given
        if self.device.type == "cuda":
            given = given.pin_memory()
        moved = given.to(self.device, non_blocking=True).permute(0, 3, 1, 2)
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        pixels = moved.to(torch.float32, memory_format=layout)
        if draws.varies_colour:
            pixels = vary_colour(pixels.div_(255), draws).mul_(255)
        scale, shift = (
            torch.from_numpy(v).to(self.device).view(1, 3, 1, 1) for v in (self.scale, self.shift)
        )
        return pixels.mul_(scale).sub_(shift)

    def _as_bytes(self, draws: Draws) -> bool:
        return self.device.type != "cpu" or draws.varies_colour


def draw(
    shapes: Sequence[tuple[int, int]], augmentation: Augmentation, generator: torch.Generator
) -> Draws:
    """Draw one batch's crops, flips and colour factors; as many draws whatever is switched on.

    shapes: (height, width) of each image, pixels.
    """
    crops = torch.rand((len(shapes), ATTEMPTS, 4), generator=generator, dtype=torch.float64)
    others = torch.rand((len(shapes), 4), generator=generator)
    colour = 1 + augmentation.color * (2 * others - 1)
    return Draws(
        boxes=[
            random_box(height, width, augmentation.crop_scale, rows)
            for (height, width), rows in zip(shapes, crops.numpy(), strict=True)
        ],
        flip=(others[:, 0] < 0.5).numpy() & augmentation.flip,
        brightness=colour[:, 1].clamp(min=0),
        contrast=colour[:, 2].clamp(min=0),
        contrast_first=others[:, 3] < 0.5,
        varies_colour=augmentation.color > 0,
    )


def random_box(height: int, width: int, scale: tuple[float, float], uniform: np.ndarray) -> Box:
    """Return a crop with a uniform share of the area and a log-uniform aspect of 3/4 to 4/3.

    Szegedy et al., CVPR 2015, as torchvision's RandomResizedCrop does it: the first of ten
    attempts that fits, else the largest centred crop of an allowed aspect. uniform: float
    [ATTEMPTS, 4] in [0, 1). A scale of (1, 1) is the centre square of the clean evaluation.
    """
    low, high = scale
    if low == high == 1.0:
        return centre_square(height, width)
    logs = [math.log(ratio) for ratio in ASPECT_RATIO]
    for share, aspect, down, right in uniform:
        area = height * width * (low + (high - low) * share)
        ratio = math.exp(logs[0] + (logs[1] - logs[0]) * aspect)
        box_width, box_height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < box_width <= width and 0 < box_height <= height:
            top = int(down * (height - box_height + 1))
            return top, int(right * (width - box_width + 1)), box_height, box_width
    ratio = min(max(width / height, ASPECT_RATIO[0]), ASPECT_RATIO[1])
    box_width, box_height = min(width, round(height * ratio)), min(height, round(width / ratio))
    return (height - box_height) // 2, (width - box_width) // 2, box_height, box_width


def centre_square(height: int, width: int) -> Box:
    """Return the largest centred square."""
    side = min(height, width)
    return (height - side) // 2, (width - side) // 2, side, side


def crop_and_resize(image: np.ndarray, box: Box, size: int, flip: bool = False) -> np.ndarray:
    """Return a crop of uint8 [H, W, 3] as uint8 [size, size, 3], bilinear, antialiased, mirrored."""
    top, left, height, width = box
    crop = torch.from_numpy(image[top : top + height, left : left + width].copy())
    if (height, width) != (size, size):
        planes = crop.permute(2, 0, 1)[None]
        planes = functional.interpolate(planes, size=(size, size), mode="bilinear", antialias=True)
        crop = planes[0].permute(1, 2, 0)
    # torch mirrors bytes ten times as fast as numpy
    return (crop.flip(1) if flip else crop).numpy()


def vary_colour(batch: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Vary brightness and contrast of float32 [B, 3, S, S] in [0, 1], in either order.

    As torchvision's ColorJitter: contrast is about the mean grey of the image.
    """
    first = draws.contrast_first.to(batch.device).view(-1, 1, 1, 1)
    brightness = draws.brightness.to(batch.device).view(-1, 1, 1, 1)
    contrast = draws.contrast.to(batch.device).view(-1, 1, 1, 1)
    batch = torch.where(first, _contrasted(batch, contrast), (batch * brightness).clamp(0, 1))
    return torch.where(first, (batch * brightness).clamp(0, 1), _contrasted(batch, contrast))


def _contrasted(batch: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    weights = torch.tensor(GREY, device=batch.device).view(1, 3, 1, 1)
    grey = (batch * weights).sum(dim=1, keepdim=True).mean(dim=(2, 3), keepdim=True)
    return ((batch - grey) * factor + grey).clamp(0, 1)


def _readers_for(device: torch.device) -> int:
    if device.type == "cpu":
        return torch.get_num_threads()
    return min(
        MOST_READERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4
    )


def _ahead(planner: ThreadPoolExecutor, read, batches: Iterable[np.ndarray]) -> Iterator:
    """Yield `read(batch)` in order, read by one thread that stays a few batches ahead."""
    waiting = []
    try:
        for batch in batches:
            waiting.append(planner.submit(read, batch))
            if len(waiting) > PREPARED_BATCHES:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        for future in waiting:
            future.cancel()
