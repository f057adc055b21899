"""Which training samples an epoch presents, and in which order."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import numpy as np

from retention.common.errors import UserError
from retention.common.exposures import Exposures, rates_of
from retention.common.randomness import generator
from retention.common.treatments import complete_treatment, needs_plan, treatment_faults

Purpose = tuple[str | int, ...]


class Sampler(Protocol):
    """What every treatment's sampler offers.

    An epoch's order may depend on the purpose of its random draws, on the labels, on a plan made
    before the run and on the records of epochs that are over: so a resumed run goes on as an
    uninterrupted one, and nothing that is still to come is known.
    """

    def order(self, epoch: int) -> np.ndarray:
        """Return the N positions (int64, into the N training samples) that an epoch presents."""


class RandomSampler:
    """Every training sample once per epoch, in an order that depends on the purpose alone."""

    def __init__(self, count: int, purpose: Purpose):
        self.count = count
        self.purpose = purpose

    def order(self, epoch: int) -> np.ndarray:
        """Return a permutation of 0 … count-1."""
        return generator(*self.purpose, epoch).permutation(self.count)


class PlannedSampler:
    """Each sample as often as a plan says: spaced repetition, forgetting-weighted, pruning.

    counts: int [T, N], row e - 1 for epoch e, each of sum N.
    """

    def __init__(self, counts: np.ndarray, purpose: Purpose):
        self.counts = counts
        self.purpose = purpose

    def order(self, epoch: int) -> np.ndarray:
        """Return the epoch's planned presentations, repeats spread over it."""
        return spread(self.counts[epoch - 1], generator(*self.purpose, epoch))


class SteppingSampler:
    """A sampler whose rates are known only epoch by epoch; steps through those not yet counted."""

    def __init__(self, count: int, purpose: Purpose):
        self.count, self.purpose = count, purpose
        self._begin()

    def order(self, epoch: int) -> np.ndarray:
        """Return the epoch's presentations, repeats spread over it."""
        if epoch <= self.epoch:
            self._begin()
        while self.epoch < epoch:
            self.epoch += 1
            counts = self.exposures.next_epoch(self.rates(self.epoch))
        return spread(counts, generator(*self.purpose, epoch))

    def rates(self, epoch: int) -> np.ndarray:
        """Return presentations per sample in this epoch, float [N] of sum N."""
        raise NotImplementedError

    def _begin(self) -> None:
        self.epoch = 0
        offsets = generator(*self.purpose, "offsets").random(self.count)
        self.exposures = Exposures(offsets)


class ClassBalancedSampler(SteppingSampler):
    """Every class equally often, within a class every sample equally often.

    labels: int [N].
    """

    def __init__(self, labels: np.ndarray, purpose: Purpose):
        sizes = np.bincount(labels)
        self.balanced = len(labels) / (np.count_nonzero(sizes) * sizes[labels])
        super().__init__(len(labels), purpose)

    def rates(self, epoch: int) -> np.ndarray:
        """Return N / (classes · size of the class)."""
        return self.balanced


class AdaptiveSampler(SteppingSampler):
    """Spaced repetition by each sample's hazard in the run's own trace so far.

    Before epoch e the epochs 0 … e - 1 are over. A sample's hazard in them is (forgetting events
    + ½) / (epochs at risk + 1), the mean of a Beta posterior under Jeffreys' prior: a sample just
    learned is reviewed often, and less with every epoch it is held. Samples never at risk so far
    are held at one presentation.

    correct_at: returns correctness after an epoch that is over, bool [N].
    """

    def __init__(self, count: int, purpose: Purpose, correct_at: Callable[[int], np.ndarray]):
        self.correct_at = correct_at
        super().__init__(count, purpose)

    def rates(self, epoch: int) -> np.ndarray:
        """Return clip(hazard / κ, ¼, 3) after looking at the epoch before."""
        correct = self.correct_at(epoch - 1)
        if self.before is not None:
            self.at_risk += self.before
            self.forgotten += self.before & ~correct
        self.before = correct
        hazard = np.where(self.at_risk > 0, (self.forgotten + 0.5) / (self.at_risk + 1), np.nan)
        return rates_of(hazard)[0]

    def _begin(self) -> None:
        super()._begin()
        self.before: np.ndarray | None = None
        self.at_risk = np.zeros(self.count, dtype=np.int64)
        self.forgotten = np.zeros(self.count, dtype=np.int64)


def make_sampler(
    definition: Mapping,
    labels: np.ndarray,
    purpose: Purpose,
    plan: np.ndarray | None = None,
    correct_at: Callable[[int], np.ndarray] | None = None,
) -> Sampler:
    """Return the sampler of a treatment definition.

    labels: int [N] of the training samples. plan: int [T, N], where the treatment has one.
    correct_at: as `AdaptiveSampler` takes it. Raises `UserError` for a definition with faults and
    for a plan that is lacking or that no one asked for.
    """
    for fault in treatment_faults(definition):
        raise UserError(f"treatment: {fault}")
    name = complete_treatment(definition)["sampler"]
    if needs_plan(definition) != (plan is not None):
        does = "needs a plan; give" if plan is None else "has no plan; leave out"
        raise UserError(f"treatment: this {name} treatment {does} --reviews")
    if plan is not None:
        return PlannedSampler(plan, purpose)
    if name == "class_balanced":
        return ClassBalancedSampler(labels, purpose)
    if name == "adaptive_spaced_repetition":
        return AdaptiveSampler(len(labels), purpose, correct_at)
    return RandomSampler(len(labels), purpose)


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
