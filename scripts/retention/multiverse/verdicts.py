"""What is said of a number: how many classes of definitions give it, and what that tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from retention.common.lists import listed
from retention.common.multiverse_tables import GIVES, NOT_EVALUATED
from retention.common.paper import known_choices
from retention.multiverse.choices import Choices
from retention.multiverse.grids import Grid, NewStudy
from retention.multiverse.targets import MATCH, UNDECIDED, Number, numbers_of
from retention.statistics.resampling import MINIMUM_SEEDS

GIVE, CANNOT, NONE = (
    "these give such a number here",
    "these data can't tell",
    "no definition of the list gives such a number here",
)
NOT_COMPARABLE = "not comparable"
FEW_SEEDS = f"no interval knows of other seeds: there are fewer than {MINIMUM_SEEDS}"
MOST = 0.1  # of the classes that a set which tells something may hold
DRAWS = 200  # simulated targets of a base rate
STATUS = {MATCH: GIVES, UNDECIDED: "too wide to tell"}
OF_FAULT = {MATCH: f"an error of this kind {GIVES}", UNDECIDED: "too wide to tell"}

SUMMARY = [
    "reported",
    "finding",
    "statistic",
    "dataset",
    "comparison",
    "verdict",
    "here",
    "classes",
    "matches",
    "undecided",
    "base_rate",
    "truth_kept",
    "asked",
    "left_out",
    "known",
    "faults",
    "reason",
]


class BaseRate(NamedTuple):
    """What is left of the classes if one of them is the truth, over simulated targets; NaN where none can be simulated.

    left: how many classes are matched or undecided, on average; kept: in which share the truth is one of them.
    """

    left: float = float("nan")
    kept: float = float("nan")


@dataclass(frozen=True)
class Paper:
    """What numbers are held against: the paper, and which of our data sets are comparable with its (or why not).

    known: by dimension the level that is known; sources: by dimension where it stands.
    """

    numbers: Sequence[Number]
    architectures: Sequence[str]
    known: Mapping[str, str]
    sources: Mapping[str, str]
    comparable: Mapping[str, object]

    @property
    def known_text(self) -> str:
        """What is known with its source, for people: `curve exponential (p. 4)`."""
        return ", ".join(
            f"{name} {level} ({self.sources[name]})" for name, level in self.known.items()
        )

    def reason(self, datasets: Sequence[str], architectures: Sequence[str], number: Number) -> str:
        """Return why estimates are not comparable with a number, "" where they are."""
        for dataset in datasets:
            comparable = self.comparable.get(dataset, False)
            if comparable is not True:
                return str(comparable or "not a data set of the paper")
        expected = [number.architecture] if number.architecture else self.architectures
        if set(architectures) - set(expected):
            return f"the paper's number is about {' and '.join(sorted(expected))}"
        return ""


def paper_of(paper: Mapping, choices: Choices, comparable: Mapping[str, object]) -> Paper:
    """Return what is held against, from the paper of `common.paper.read_paper`; its known slots narrow the multiverse."""
    known = {
        name: choices.dimensions[name].level(level)
        for name, level in known_choices(paper).items()
        if name in choices.dimensions
    }
    sources = {name: paper["choices"][name]["source"] for name in known}
    return Paper(numbers_of(paper, choices), paper["architectures"], known, sources, comparable)


def verdict(matches: int, undecided: int, classes: int) -> str:
    """Return what a set of classes says: at most a tenth of them, or one, tells something; what is too wide counts, too."""
    if not classes:
        return NOT_EVALUATED
    if not matches + undecided:
        return NONE
    few = matches + undecided <= max(1, int(MOST * classes))
    return GIVE if matches and few else CANNOT


def not_evaluated(reason: str, paper: Paper) -> dict:
    """Return the columns of the summary where nothing is held against a number."""
    both = dict.fromkeys(("verdict", "here"), NOT_EVALUATED)
    return both | {"classes": 0, "known": paper.known_text, "reason": reason}


def summed(status: np.ndarray, reason: str, base: BaseRate, paper: Paper, study: NewStudy) -> dict:
    """Return what the statuses of classes, int8 [classes], come to: columns of the summary.

    reason: why they are not comparable with the paper's, "" where they are.
    """
    matches, undecided = int((status == MATCH).sum()), int((status == UNDECIDED).sum())
    here = verdict(matches, undecided, len(status))
    few = "" if study.ours >= MINIMUM_SEEDS else FEW_SEEDS
    return {
        "verdict": NOT_COMPARABLE if reason and here != NOT_EVALUATED else here,
        "here": here,
        "classes": len(status),
        "matches": matches,
        "undecided": undecided,
        "base_rate": base.left,
        "truth_kept": base.kept,
        "known": paper.known_text,
        "asked": "",
        "left_out": "",
        "faults": "",
        "reason": "; ".join(filter(None, (reason, few))),
    }


def nothing_left(
    grids: Sequence[Grid], known: Mapping[str, str], cells: slice | int = slice(None)
) -> str:
    """Return the reason where what is known or fixed leaves no combination that has an estimate in some cells.

    known: levels by dimension. What is no choice of any of these findings is not named: no level of it can be added.
    """
    empty = [
        grid.finding for grid in grids if not np.isfinite(grid.estimate[~grid.fault, cells]).any()
    ]
    if empty:
        return f"no combination of {listed(empty)} has an estimate"
    choices = {name for grid in grids for name in grid.levels if (grid.levels[name] != "").any()}
    said = listed(f"{name} {level}" for name, level in known.items() if name in choices)
    if not said:
        return "no definition has an estimate in every finding and cell"
    return f"no combination with an estimate has {said}; add such levels (multiverse.add)"
