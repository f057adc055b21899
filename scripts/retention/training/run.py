"""One run as it is asked for: which, how, and where its results go."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from retention.common.randomness import seed_for


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


@dataclass(frozen=True)
class RunSettings:
    """How to train: definitions from the configuration, the recipe complete."""

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
