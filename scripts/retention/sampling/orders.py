"""Orders of presentations: which training samples an epoch presents, one after the other."""

from collections.abc import Callable, Iterator

import numpy as np

from retention.common.randomness import generator
from retention.sampling.declaration import Purpose
from retention.sampling.exposures import Exposures


class RandomSampler:
    """Every training sample once per epoch, in an order that depends on the purpose alone."""

    def __init__(self, count: int, purpose: Purpose):
        self.count = count
        self.purpose = purpose

    def order(self, epoch: int) -> np.ndarray:
        """Return a permutation of 0 … count-1."""
        return generator(*self.purpose, epoch).permutation(self.count)


class ScheduledSampler:
    """Each sample as often as a schedule says.

    counts: int [T, N], row e - 1 for epoch e, each of sum N.
    """

    def __init__(self, counts: np.ndarray, purpose: Purpose):
        self.counts = counts
        self.purpose = purpose

    def order(self, epoch: int) -> np.ndarray:
        """Return the epoch's scheduled presentations, repeats spread over it."""
        return spread(self.counts[epoch - 1], generator(*self.purpose, epoch))


class SteppingSampler:
    """Each sample at rates that are known only epoch by epoch; steps through those not yet counted.

    rates: begins anew with epoch 1 whenever it is called, and yields presentations per sample in each
    epoch, float [N] of sum N.
    """

    def __init__(self, count: int, purpose: Purpose, rates: Callable[[], Iterator[np.ndarray]]):
        self.count, self.purpose, self.rates = count, purpose, rates
        self._begin()

    def order(self, epoch: int) -> np.ndarray:
        """Return the epoch's presentations, repeats spread over it."""
        if epoch <= self.epoch:
            self._begin()
        while self.epoch < epoch:
            self.epoch += 1
            counts = self.exposures.next_epoch(next(self.coming))
        return spread(counts, generator(*self.purpose, epoch))

    def _begin(self) -> None:
        self.epoch, self.coming = 0, self.rates()
        offsets = generator(*self.purpose, "offsets").random(self.count)
        self.exposures = Exposures(offsets)


def spread(counts: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Return an order in which position i stands `counts[i]` times, evenly from a random start.

    The k-th of c repeats lies at (k + u) / c of the epoch, u drawn once per sample: repeats are
    about N / c places apart, so a batch holds a sample twice only when it is larger than that.
    """
    positions = np.repeat(np.arange(len(counts)), counts)
    repeat = np.arange(len(positions)) - (np.cumsum(counts) - counts)[positions]
    place = (repeat + draws.random(len(counts))[positions]) / counts[positions]
    return positions[np.argsort(place, kind="stable")]


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
