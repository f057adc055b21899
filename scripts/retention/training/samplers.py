"""Which training samples an epoch presents, and in which order."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np

from retention.common.errors import UserError
from retention.common.randomness import generator


class Sampler(Protocol):
    """What every treatment's sampler offers."""

    def order(self, epoch: int) -> np.ndarray:
        """Return the N positions (int64, into the training samples) that an epoch presents."""


class RandomSampler:
    """Every training sample once per epoch, in an order that depends on the purpose alone."""

    def __init__(self, count: int, purpose: tuple[str | int, ...]):
        self.count = count
        self.purpose = purpose

    def order(self, epoch: int) -> np.ndarray:
        """Return a permutation of 0 … count-1."""
        return generator(*self.purpose, epoch).permutation(self.count)


def make_sampler(definition: Mapping, count: int, purpose: tuple[str | int, ...]) -> Sampler:
    """Return the sampler of a treatment definition; `UserError` for one that is not known."""
    name = definition.get("sampler", "random")
    if name != "random":
        raise UserError(f"treatment: sampler '{name}' is not known; the known one is: random")
    return RandomSampler(count, purpose)


def batches_of(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Cut an order into batches; a last batch of one joins the one before it.

    BatchNorm cannot normalise a single sample whose feature map is one pixel.
    """
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [np.concatenate(batches[-2:])]
    return batches


def evaluation_batches(indices: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    """Yield `indices` in their order, `batch_size` at a time (in eval mode one alone is fine)."""
    for start in range(0, len(indices), batch_size):
        yield indices[start : start + batch_size]
