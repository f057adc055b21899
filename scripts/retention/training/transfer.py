"""How a batch reaches its device: written there on a CPU; copied to a GPU beside the training.

A carrier has `begin` and `receive`, called by the thread that trains, and between them `send`, called
by the one that reads batches ahead. What `receive` returns is nobody else's memory: a batch may be kept.
"""

import math
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol

import numpy as np
import torch

Fill = Callable[[np.ndarray], None]

ROOMS = 2  # one is filled while the other is copied


class Carrier(Protocol):
    """What brings batches to a device."""

    def begin(self, shape: tuple[int, ...], dtype: np.dtype) -> Any:
        """Return what `send` takes for a batch."""

    def send(self, begun: Any, fill: Fill) -> Any:
        """Let `fill` write the batch; return what `receive` takes."""

    def receive(self, sent: Any) -> torch.Tensor:
        """Return the batch on the device."""


def carrier_to(device: torch.device) -> Carrier:
    """Return the carrier to a device."""
    return Crossing(CudaCopies(device)) if device.type == "cuda" else OnTheSpot()


class OnTheSpot:
    """On a CPU: each batch is written into memory of its own.

    New memory costs as much time as the resizing, unless the thread that trains asks for it: for that
    one `prepare_torch` keeps what is freed.
    """

    def begin(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return memory for the batch."""
        return np.empty(shape, dtype)

    def send(self, begun: np.ndarray, fill: Fill) -> torch.Tensor:
        """Fill it."""
        fill(begun)
        return torch.from_numpy(begun)

    def receive(self, sent: torch.Tensor) -> torch.Tensor:
        """Return it."""
        return sent


class Copies(Protocol):
    """What a crossing asks of a device that copies by itself."""

    def pinned(self, count: int) -> torch.Tensor:
        """Return memory of the host that the device reads by itself, uint8 [count]."""

    def start(self, host: torch.Tensor) -> tuple[torch.Tensor, Any]:
        """Begin a copy to the device; return it, and an event with `synchronize()` that marks its end."""

    def await_on_device(self, given: torch.Tensor, copied: Any) -> None:
        """Let what the calling thread asks of the device from now on begin after the copy's end."""


class CudaCopies:
    """Copies on a stream of their own."""

    def __init__(self, device: torch.device):
        self.device, self.stream = device, torch.cuda.Stream(device)

    def pinned(self, count: int) -> torch.Tensor:
        """Return pinned memory, uint8 [count]."""
        return torch.empty(count, dtype=torch.uint8, pin_memory=True)

    def start(self, host: torch.Tensor) -> tuple[torch.Tensor, torch.cuda.Event]:
        """Begin a copy on the stream, into memory that belongs to the stream."""
        with torch.cuda.stream(self.stream):
            given = host.to(self.device, non_blocking=True)
            return given, self.stream.record_event()

    def await_on_device(self, given: torch.Tensor, copied: torch.cuda.Event) -> None:
        """Let the training's stream wait; no thread does."""
        training = torch.cuda.current_stream(self.device)
        training.wait_event(copied)
        # Else the memory might be given to a later copy while the training still reads it.
        given.record_stream(training)


class _Room:
    """Pinned memory for one batch, and the event after the last copy out of it."""

    def __init__(self) -> None:
        self.memory = torch.empty(0, dtype=torch.uint8)
        self.copied: Any = None


class Crossing:
    """To a GPU: bytes are written into pinned memory, which is used again, and copied from there.

    No byte is read or written at the wrong time:

    - A room is one thread's between `get` and `put`, so no two batches are written into it at once.
    - It is written again only after `copied.synchronize()`, so no copy still reads from it. It goes back
      when its copy was begun, whatever becomes of the batch: no consumer can hold it up or keep it.
    - Each batch has an event of its own, so the device waits for this batch's copy and no other.
    - The copy is new memory of the device, which `await_on_device` ties to the training's stream.
    """

    def __init__(self, copies: Copies):
        self.copies = copies
        self.free: SimpleQueue[_Room] = SimpleQueue()
        for _ in range(ROOMS):
            self.free.put(_Room())

    def begin(self, shape: tuple[int, ...], dtype: np.dtype) -> tuple[int, ...]:
        """Return the shape; the room is found when it is needed. dtype: uint8, all that crosses."""
        if dtype != np.uint8:
            raise TypeError(f"batches cross as bytes, not as {dtype}")
        return shape

    def send(self, begun: tuple[int, ...], fill: Fill) -> tuple[torch.Tensor, Any]:
        """Fill a room and begin its copy; return the copy and the event at its end."""
        count = math.prod(begun)
        room = self.free.get()
        try:
            if room.copied is not None:
                room.copied.synchronize()
            if len(room.memory) < count:
                room.memory = self.copies.pinned(count)
            host = room.memory[:count].view(begun)
            fill(host.numpy())
            given, copied = self.copies.start(host)
            room.copied = copied
        finally:
            self.free.put(room)
        return given, copied

    def receive(self, sent: tuple[torch.Tensor, Any]) -> torch.Tensor:
        """Return the copy; what is asked of the device from now on begins after it."""
        self.copies.await_on_device(*sent)
        return sent[0]
