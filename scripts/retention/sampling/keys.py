"""The keys that treatment definitions may have beside `sampler`, and what may stand under each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from retention.common.names import nearest


class Key(Protocol):
    """What may stand under one key."""

    def fault(self, value: object) -> str:
        """Return what is wrong with a value, such as `is 'x', expected …`; "" where nothing is."""


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    choices: tuple[str, ...]

    def fault(self, value: object) -> str:
        """Return what is wrong with a value that is none of the words."""
        if value in self.choices:
            return ""
        one = f"{self.choices[0]}, or no such key"
        wanted = f"one of {', '.join(self.choices)}" if len(self.choices) > 1 else one
        return f"is {value!r}, expected {wanted}{nearest(value, self.choices)}"


@dataclass(frozen=True)
class Share:
    """A number between 0 and 1, and neither."""

    def fault(self, value: object) -> str:
        """Return what is wrong with a value that is no such number."""
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1:
            return ""
        return f"is {value!r}, expected more than 0 and less than 1"


@dataclass(frozen=True)
class Score:
    """A score of samples.parquet; `retention.sampling.checks` knows which a study has."""

    def fault(self, value: object) -> str:
        """Return nothing."""
        return ""


SOURCES = ("same_seed", "next_seed", "other_seeds", "other_architecture")
SCORED: Mapping[str, Key] = {"source": Choice(SOURCES), "shuffle": Choice(("within_class",))}
PRUNING: Mapping[str, Key] = {
    "keep_fraction": Share(),
    "prune_by": Score(),
    "keep": Choice(("most_forgotten", "least_forgotten")),
    **SCORED,
}
