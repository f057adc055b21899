"""What a sampler says of itself, and what it may know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from retention.sampling.keys import Key

if TYPE_CHECKING:
    import numpy as np

Purpose = tuple[str | int, ...]


@dataclass(frozen=True)
class Sampler:
    """The declaration of a sampler.

    presentations: of a sample per epoch, in the words of docs/treatments.md. keys: those that its
    definitions may have beside `sampler`. scheduled: whether presentations are laid down before the run
    (reviews.parquet), in proportion to scores of other runs. adaptive: whether they follow the run's own trace.
    """

    presentations: str
    keys: Mapping[str, Key] = field(default_factory=dict)
    scheduled: bool = False
    adaptive: bool = False


@dataclass(frozen=True)
class Sources:
    """What a scheduled sampler may know: its definition, and what other runs say of the samples.

    column: returns a score or a column of samples.parquet, float [R, N], NaN where a sample was never
    learned; raises `UserError` where a run lacks it.
    """

    definition: Mapping
    column: Callable[[str], np.ndarray]


@dataclass(frozen=True)
class Known:
    """What any other sampler may know: its definition, and what is known while the run trains.

    labels: int [N], of the training samples. purpose: of its random draws. correct_at: returns the
    samples' correctness after an epoch that is over, bool [N].
    """

    definition: Mapping
    labels: np.ndarray
    purpose: Purpose
    correct_at: Callable[[int], np.ndarray]


class EpochOrder(Protocol):
    """What every sampler makes.

    An epoch's order may depend on what is `Known` and on a schedule made before the run: so a resumed
    run goes on as an uninterrupted one, and nothing that is still to come is known.
    """

    def order(self, epoch: int) -> np.ndarray:
        """Return the N positions (int64, into the N training samples) that an epoch presents."""
