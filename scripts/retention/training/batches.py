"""Batches for a model from an image cache: cut out, resized, varied, normalised, on its device.

What is random is drawn from one `torch.Generator` and bytes do not depend on the device, so a GPU
sees what a CPU sees.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch

from retention.common.randomness import seed_for
from retention.data.image_cache import Places
from retention.training.augmentation import (
    Augmentation,
    Draws,
    change,
    draw,
    draw_changes,
    no_draws,
    vary_colour,
)
from retention.training.device import memory_share
from retention.training.models import Normalisation
from retention.training.resizing import resize_crops, resize_on_device

PREPARED_BATCHES = 2
MOST_ROOMS = PREPARED_BATCHES + 4  # batches waiting, being read, in use; and two of other sizes
MOST_READERS = 8  # of a GPU's batches; one thread resizes some 5,000 images a second
RESIDENT_SHARE = 0.5  # of a GPU's free memory; the rest is the model's
COPIED_AT_ONCE = 1 << 26  # bytes to a GPU
RESIZED_AT_ONCE = 32  # on a GPU: some 10 MB of indices an image

DrawFor = Callable[[np.ndarray, np.ndarray], Draws]  # heights and widths


class Images(Protocol):
    """What training asks of an image cache."""

    pixels: np.ndarray  # uint8 [bytes]

    def places(self, indices: np.ndarray) -> Places:
        """Return where the samples `indices` lie in the pixels."""


class BatchMaker:
    """Turns sample indices into float32 batches [B, 3, S, S], normalised, on the device.

    readers: threads that crop and resize. resident: whether the pixels are kept on the device and
    resized there; `None`: on a GPU that has room for them. Batches depend on neither.
    """

    def __init__(
        self,
        images: Images,
        image_size: int,
        normalisation: Normalisation,
        device: torch.device,
        channels_last: bool = False,
        readers: int | None = None,
        resident: bool | None = None,
    ):
        self.device = device
        resident = _has_room(device, images.pixels.nbytes) if resident is None else resident
        kind = DeviceReader if resident else HostReader
        self.reader = kind(images, image_size, device, readers or _readers_for(device))
        self.normaliser = _Normaliser(normalisation, device, channels_last)

    @property
    def resident(self) -> bool:
        """Whether the pixels are kept on the device."""
        return isinstance(self.reader, DeviceReader)

    def clean(self, batches: Iterable[np.ndarray]) -> Iterator[torch.Tensor]:
        """Yield each batch's centre squares resized: nothing is random."""
        return self._batches(batches, no_draws)

    def augmented(
        self,
        batches: Iterable[np.ndarray],
        augmentation: Augmentation,
        generator: torch.Generator,
    ) -> Iterator[torch.Tensor]:
        """Yield each batch with random resized crops, flips and colour drawn from `generator`.

        What is done to batches as they are is drawn from a generator of its own, seeded by that
        one's seed, so that switching it on shifts no other draw.
        """
        own = torch.Generator().manual_seed(seed_for(generator.initial_seed(), "changes"))

        def draw_for(height: np.ndarray, width: np.ndarray) -> Draws:
            draws = draw(height, width, augmentation, generator)
            if not augmentation.changes_batches:
                return draws
            return replace(draws, changes=draw_changes(len(height), augmentation, own))

        return self._batches(batches, draw_for)

    def _batches(self, batches: Iterable[np.ndarray], draw_for: DrawFor) -> Iterator[torch.Tensor]:
        for given, draws in self.reader.read(batches, draw_for, self.normaliser):
            batch = self.normaliser.finish(given, draws)
            yield batch if draws.changes is None else change(batch, draws.changes)


class HostReader:
    """Crops and resizes on the CPU's threads, a few batches ahead of the training."""

    def __init__(self, images: Images, size: int, device: torch.device, readers: int):
        self.images, self.size, self.device, self.readers = images, size, device, readers
        # The kernel is compiled for arrays that are not written to; a map of a file is one.
        self.pixels = images.pixels.view(np.ndarray)
        self.pixels.flags.writeable = False
        self.rooms = _Rooms()

    def read(
        self, batches: Iterable[np.ndarray], draw_for: DrawFor, normaliser: "_Normaliser"
    ) -> Iterator[tuple[torch.Tensor, Draws]]:
        """Yield batches in order; one thread draws, so that a generator is drawn from in order."""
        with ThreadPoolExecutor(1) as drawer, ThreadPoolExecutor(self.readers) as resizers:

            def read_one(indices: np.ndarray) -> tuple[torch.Tensor, Draws]:
                places = self.images.places(indices)
                draws = draw_for(places.height, places.width)
                table, last = normaliser.table(draws)
                size, count = self.size, len(indices)
                shape = (count, size, size, 3) if last else (count, 3, size, size)
                room = self.rooms.find(shape, table.dtype)
                planes = room.transpose(0, 3, 1, 2) if last else room

                def fill(part: slice) -> None:
                    boxes, flip = draws.boxes[part], draws.flip[part]
                    resize_crops(self.pixels, places[part], boxes, flip, table, planes[part])

                list(resizers.map(fill, _parts(count, self.readers)))
                return torch.from_numpy(room), draws

            for room, draws in _ahead(drawer, read_one, batches):
                given = room
                if self.device.type == "cuda":
                    given = given.pin_memory().to(self.device, non_blocking=True)
                yield (given if given.shape[1] == 3 else given.permute(0, 3, 1, 2)), draws


class DeviceReader:
    """Keeps all pixels on the device and cuts out and resizes there."""

    def __init__(self, images: Images, size: int, device: torch.device, readers: int):
        self.images, self.size = images, size
        count = len(images.pixels)
        self.pixels = torch.empty(count, dtype=torch.uint8, device=device)
        # Piece by piece: a GPU may hold more than the job is given of the host's memory.
        for start in range(0, count, COPIED_AT_ONCE):
            part = slice(start, start + COPIED_AT_ONCE)
            self.pixels[part] = torch.from_numpy(np.array(images.pixels[part])).to(device)

    def read(
        self, batches: Iterable[np.ndarray], draw_for: DrawFor, normaliser: "_Normaliser"
    ) -> Iterator[tuple[torch.Tensor, Draws]]:
        """Yield batches of bytes in order."""
        for indices in batches:
            places = self.images.places(indices)
            draws = draw_for(places.height, places.width)
            parts = [
                resize_on_device(
                    self.pixels, places[part], draws.boxes[part], draws.flip[part], self.size
                )
                for part in _parts(len(indices), -(-len(indices) // RESIZED_AT_ONCE))
            ]
            yield torch.cat(parts).permute(0, 3, 1, 2), draws


class _Normaliser:
    """Makes of bytes what the model expects: (x / 255 − mean) / std, as a product and a difference.

    On the CPU the kernel writes the normalised value of a byte from a table of them. For a GPU,
    or where colour varies, it writes bytes, and the whole batch is worked on on the device.
    """

    def __init__(self, normalisation: Normalisation, device: torch.device, channels_last: bool):
        mean, std = (
            torch.tensor(v, dtype=torch.float32) for v in (normalisation.mean, normalisation.std)
        )
        self.scale = (1 / (255 * std)).view(1, 3, 1, 1).to(device)
        self.shift = (mean / std).view(1, 3, 1, 1).to(device)
        self.device, self.channels_last = device, channels_last
        self.bytes = np.tile(np.arange(256, dtype=np.uint8), (3, 1))
        self.floats = None
        if device.type == "cpu":
            every = torch.from_numpy(self.bytes)[None, :, :, None].float()
            self.floats = every.mul(self.scale).sub(self.shift)[0, :, :, 0].numpy()

    def table(self, draws: Draws) -> tuple[np.ndarray, bool]:
        """Return what bytes become in the reader's batch, [3, 256], and whether colours go last."""
        if self.floats is None or draws.varies_colour:
            return self.bytes, True
        return self.floats, self.channels_last

    def finish(self, given: torch.Tensor, draws: Draws) -> torch.Tensor:
        """Return float32 [B, 3, S, S] in the memory format of the model."""
        if given.dtype == torch.float32:
            return given
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        pixels = given.to(torch.float32, memory_format=layout)
        if draws.varies_colour:
            pixels = vary_colour(pixels.div_(255), draws).mul_(255)
        return pixels.mul_(self.scale).sub_(self.shift)


class _Rooms:
    """Memory for batches, used again: new memory costs the system as much time as resizing."""

    def __init__(self):
        self.rooms: list[np.ndarray] = []

    def find(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return an earlier batch's memory that nobody refers to any more, or new memory."""
        for place in range(len(self.rooms)):
            fits = (self.rooms[place].shape, self.rooms[place].dtype) == (shape, dtype)
            # A tensor made from an array, and any view of it, refers to the array.
            if fits and _references(self.rooms, place) == UNREFERRED:
                return self.rooms[place]
        self.rooms = [*self.rooms[1 - MOST_ROOMS :], np.empty(shape, dtype)]
        return self.rooms[-1]


def _references(rooms: list[np.ndarray], place: int) -> int:
    """Count what refers to an element: no local name may, or the count would be of that too."""
    return sys.getrefcount(rooms[place])


# Measured, since it is no matter of the language: Python 3.14 counts otherwise than those before.
UNREFERRED = _references([np.empty(0)], 0)


def _has_room(device: torch.device, needed: int) -> bool:
    """Tell whether a GPU has memory for the pixels beside a model's, within this job's share."""
    if device.type != "cuda":
        return False
    free, total = torch.cuda.mem_get_info(device)
    return needed < RESIDENT_SHARE * min(free, memory_share() * total)


def _readers_for(device: torch.device) -> int:
    if device.type == "cpu":
        return torch.get_num_threads()
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4
    return min(MOST_READERS, allowed)


def _parts(count: int, parts: int) -> list[slice]:
    """Return slices that cut `count` rows into so many parts of nearly one size."""
    bounds = np.linspace(0, count, parts + 1).astype(int)
    return [slice(a, b) for a, b in pairwise(bounds)]


def _ahead(drawer: ThreadPoolExecutor, read, batches: Iterable[np.ndarray]) -> Iterator:
    """Yield `read(batch)` in order, read by one thread that stays a few batches ahead."""
    waiting = []
    try:
        for batch in batches:
            waiting.append(drawer.submit(read, batch))
            if len(waiting) > PREPARED_BATCHES:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        for future in waiting:
            future.cancel()
