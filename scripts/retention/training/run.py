"""One run or pretraining as it is asked for: which, how, and where its results go."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from retention.common.randomness import seed_for
from retention.sampling.declaration import Purpose


@dataclass(frozen=True)
class RunNames:
    """Which run it is."""

    study: str
    dataset: str
    architecture: str
    treatment: str
    seed: int

    def seed_of(self, purpose: str, *more: str | int) -> int:
        """Return the seed of a purpose: all treatments of a seed share what is not sampling."""
        return seed_for(self.study, self.dataset, self.architecture, self.seed, purpose, *more)

    @property
    def held_out(self) -> Purpose:
        """What draws the held-out samples that are evaluated: all runs on a data set share them."""
        return (self.study, self.dataset, "held-out samples")


@dataclass(frozen=True)
class BackboneNames:
    """Which backbone it is, and the data set that it is trained on from scratch."""

    study: str
    source: str
    architecture: str

    def seed_of(self, purpose: str, *more: str | int) -> int:
        """Return the seed of a purpose."""
        return seed_for(*self.purpose(purpose), *more)

    def purpose(self, name: str) -> Purpose:
        """Return a purpose's whole name, which no run has."""
        return (self.study, self.source, self.architecture, "pretraining", name)

    @property
    def held_out(self) -> Purpose:
        """What draws the held-out samples that are evaluated."""
        return self.purpose("held-out samples")


@dataclass(frozen=True)
class RunSettings:
    """How to train: definitions from the configuration, the recipe complete.

    A pretraining has neither treatment nor weights, and stores nothing.
    """

    definition: Mapping
    recipe: Mapping
    treatment: Mapping
    store: Mapping
    weights: Path | None
    code_version: str
    reviews: Path | None = None  # schedule of reviews, where the treatment has one
    commit: str = ""  # of the sources, where they are a clone
    on_other_device: str = "go_on"  # or stop, where a run was begun on another device of its kind


@dataclass(frozen=True)
class RunOutputs:
    """Where the results go; the last two are optional."""

    traces: Path
    epochs: Path
    run: Path
    centroids: Path
    probabilities: Path | None = None
    final_weights: Path | None = None


@dataclass(frozen=True)
class BackboneOutputs:
    """Where a pretraining's results go; the digest is optional."""

    weights: Path
    epochs: Path
    digest: Path | None = None
