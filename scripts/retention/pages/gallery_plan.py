"""What the pages of a gallery show: chosen for all pages before any picture is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from retention.common.errors import UserError
from retention.pages.chosen import (
    Choice,
    Standing,
    held_and_lost,
    most_forgotten,
    never_forgotten,
    never_learned,
    standing_of,
)
from retention.pages.sheet import Sheet
from retention.reporting.look import Look

OF_ALL = 24  # samples of all classes, and of each direction of a disagreement
MOST, FEWEST = 12, 4  # samples of a list of a class
CARDS = 8000  # of all classes: what a folder of 200 classes has room for

LISTS = {
    "most forgotten": most_forgotten,
    "never forgotten": never_forgotten,
    "never learned": never_learned,
}


@dataclass(frozen=True)
class ClassPlan:
    """A class: title in words, number of samples, and by list and architecture what is shown.

    hazards: by architecture Σ events / Σ epochs at risk, the mean over runs, NaN where nothing was at risk;
    forgotten: by architecture how many samples at least one run forgot.
    """

    label: int
    title: str
    page: str
    samples: int
    hazards: Mapping[str, float]
    forgotten: Mapping[str, int]
    lists: Mapping[str, Mapping[str, Choice]]


@dataclass(frozen=True)
class Disagreement:
    """What one architecture held and another lost."""

    holder: str
    loser: str
    choice: Choice


@dataclass(frozen=True)
class Plan:
    """What a gallery shows of a sheet of training samples.

    of_all, unlearned: the most forgotten and the never learned, of all runs and classes.
    standings: by architecture, in the study's order; classes: by mean hazard over the architectures, highest first.
    """

    sheet: Sheet
    standings: Mapping[str, Standing]
    of_all: Choice
    unlearned: Choice
    classes: tuple[ClassPlan, ...]
    disagreements: tuple[Disagreement, ...]

    @property
    def places(self) -> np.ndarray:
        """Return the places of all samples that are shown, int [K], rising."""
        return np.unique(np.concatenate([choice.places for choice in self._choices()]))

    def _choices(self) -> Iterator[Choice]:
        yield self.of_all
        yield self.unlearned
        for found in self.classes:
            for by_architecture in found.lists.values():
                yield from by_architecture.values()
        for disagreement in self.disagreements:
            yield disagreement.choice


def plan_of(sheet: Sheet, look: Look) -> Plan:
    """Return what a gallery of a sheet's training samples shows; raise `UserError` where it has none."""
    training = sheet.only((sheet.samples["split"] == "train").to_numpy())
    if not len(training):
        raise UserError(
            f"{sheet.dataset}: has no sample of the split train, which a gallery shows; its splits: "
            f"{', '.join(sorted(set(sheet.samples['split']))) or 'none'}"
        )
    standings = {name: standing_of(training, name) for name in look.ordered(sheet.architectures)}
    of_all_runs = standing_of(training)
    return Plan(
        sheet=training,
        standings=standings,
        of_all=most_forgotten(of_all_runs, OF_ALL),
        unlearned=never_learned(of_all_runs, OF_ALL),
        classes=tuple(_classes(sheet, training, standings)),
        disagreements=tuple(
            Disagreement(holder, loser, held_and_lost(standings[holder], standings[loser], OF_ALL))
            for holder, loser in permutations(standings, 2)
        ),
    )


def shown_per_list(classes: int, architectures: int) -> int:
    """Return how many samples each list of a class shows: fewer where there are many classes."""
    return int(np.clip(CARDS // (classes * architectures * len(LISTS)), FEWEST, MOST))


def class_titles(sheet: Sheet) -> dict[int, str]:
    """Return what classes are called, by label; one without a name by its label."""
    names = sheet.samples.drop_duplicates("label").set_index("label")["class_name"]
    return {
        int(label): name.strip() or f"(no name, label {label})" for label, name in names.items()
    }


def page_of(label: int) -> str:
    """Return the file name of a class's page, which no name of a class can spoil."""
    return f"class_{label}.html"


def _classes(
    sheet: Sheet, training: Sheet, standings: Mapping[str, Standing]
) -> Iterator[ClassPlan]:
    titles, members = class_titles(sheet), training.samples.groupby("label").indices
    count = shown_per_list(len(members), len(standings))
    found = [
        _class(int(label), titles[int(label)], np.sort(places), standings, count)
        for label, places in members.items()
    ]
    yield from sorted(found, key=_by_hazard)


def _class(
    label: int, title: str, places: np.ndarray, standings: Mapping[str, Standing], count: int
) -> ClassPlan:
    return ClassPlan(
        label=label,
        title=title,
        page=page_of(label),
        samples=len(places),
        hazards={name: found.class_hazard(places) for name, found in standings.items()},
        forgotten={
            name: int(found.ever_forgotten[places].sum()) for name, found in standings.items()
        },
        lists={
            kind: {name: choose(found, count, places) for name, found in standings.items()}
            for kind, choose in LISTS.items()
        },
    )


def _by_hazard(found: ClassPlan) -> tuple[float, int]:
    """Return what classes are sorted by: highest mean hazard first, those without one last, then by label."""
    mean = _mean(np.array(list(found.hazards.values())))
    return (-mean if np.isfinite(mean) else np.inf), found.label


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan
