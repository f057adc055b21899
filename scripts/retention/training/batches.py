"""Batches for a model from an image cache: cut out, resized, varied, normalised, on its device.

What is random is drawn from one `torch.Generator` and bytes do not depend on the device, so a GPU
sees what a CPU sees.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any, Protocol, TypeVar

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
from retention.training.machine import reading_threads
from retention.training.models import Normalisation
from retention.training.resizing import resize_crops
from retention.training.transfer import carrier_to
from retention.training.view import WHOLE, View

PREPARED_BATCHES = 2

T = TypeVar("T")
DrawFor = Callable[[np.ndarray, np.ndarray], Draws]  # heights and widths


class Images(Protocol):
    """What training asks of an image cache."""

    pixels: np.ndarray  # uint8 [bytes]

    def places(self, indices: np.ndarray) -> Places:
        """Return where the samples `indices` lie in the pixels."""


class BatchMaker:
    """Turns sample indices into float32 batches [B, 3, S, S], normalised, on the device.

    readers: threads that crop and resize; `None`: as many as the job's cores leave. Batches do not
    depend on it. view: the clean evaluation's square, and how all crops are resized. A batch is the
    consumer's own and may be kept.
    """

    def __init__(
        self,
        images: Images,
        image_size: int,
        normalisation: Normalisation,
        device: torch.device,
        channels_last: bool = False,
        readers: int | None = None,
        view: View = WHOLE,
    ):
        self.images, self.size, self.device, self.view = images, image_size, device, view
        self.readers = readers or reading_threads(device)
        # The kernel is compiled for arrays that are not written to; a map of a file is one.
        self.pixels = images.pixels.view(np.ndarray)
        self.pixels.flags.writeable = False
        self.normaliser = _Normaliser(normalisation, device, channels_last)
        self.carrier = carrier_to(device)

    def clean(self, batches: Iterable[np.ndarray]) -> Iterator[torch.Tensor]:
        """Yield each batch's centre squares resized: nothing is random."""

        def draw_for(height: np.ndarray, width: np.ndarray) -> Draws:
            return no_draws(height, width, self.view.crop_pct)

        return self._batches(batches, draw_for, varies_colour=False)

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
            draws = draw(height, width, augmentation, generator, self.view.crop_pct)
            if not augmentation.changes_batches:
                return draws
            return replace(draws, changes=draw_changes(len(height), augmentation, own))

        return self._batches(batches, draw_for, augmentation.varies_colour)

    def _batches(
        self, batches: Iterable[np.ndarray], draw_for: DrawFor, varies_colour: bool
    ) -> Iterator[torch.Tensor]:
        """Yield batches in order; one thread draws, so that a generator is drawn from in order."""
        size = self.size
        table, last = self.normaliser.table(varies_colour)
        image = (size, size, 3) if last else (3, size, size)
        begun = (
            (indices, self.carrier.begin((len(indices), *image), table.dtype))
            for indices in batches
        )
        with ThreadPoolExecutor(1) as drawer, ThreadPoolExecutor(self.readers) as resizers:

            def read(indices: np.ndarray, memory: Any) -> tuple[Any, Draws]:
                places = self.images.places(indices)
                draws = draw_for(places.height, places.width)

                def fill(batch: np.ndarray) -> None:
                    planes = batch.transpose(0, 3, 1, 2) if last else batch

                    def resize(part: slice) -> None:
                        of_part = places[part], draws.boxes[part], draws.flip[part]
                        kind = self.view.interpolation
                        resize_crops(self.pixels, *of_part, table, planes[part], kind)

                    list(resizers.map(resize, _parts(len(indices), self.readers)))

                return self.carrier.send(memory, fill), draws

            for sent, draws in _ahead(drawer, read, begun):
                given = self.carrier.receive(sent)
                batch = self.normaliser.finish(given.permute(0, 3, 1, 2) if last else given, draws)
                yield batch if draws.changes is None else change(batch, draws.changes)


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

    def table(self, varies_colour: bool) -> tuple[np.ndarray, bool]:
        """Return what bytes become in the batch that is read, [3, 256], and whether colours go last."""
        if self.floats is None or varies_colour:
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


def _parts(count: int, parts: int) -> list[slice]:
    """Return slices that cut `count` rows into so many parts of nearly one size, none empty."""
    bounds = np.linspace(0, count, min(parts, count) + 1).astype(int)
    return [slice(a, b) for a, b in pairwise(bounds)]


def _ahead(
    drawer: ThreadPoolExecutor, read: Callable[..., T], given: Iterable[tuple[Any, ...]]
) -> Iterator[T]:
    """Yield `read(*arguments)` in order, read by one thread that stays a few batches ahead."""
    waiting: deque[Future[T]] = deque()
    try:
        for arguments in given:
            waiting.append(drawer.submit(read, *arguments))
            if len(waiting) > PREPARED_BATCHES:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
