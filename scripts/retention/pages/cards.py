"""What a gallery shows of a sample: its picture, and what each architecture made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from retention.data.thumbnails import Thumbnails
from retention.pages.chosen import Standing
from retention.pages.rasters import Raster, raster_of
from retention.pages.sheet import NEVER_LEARNED, Sheet
from retention.pages.taken_for import TakenFor, most_said, said_when_lost, taken_for
from retention.reporting.look import Look
from retention.reporting.words import number

SMALL = 64  # pixels: images below are shown larger with their pixels as they are


@dataclass(frozen=True)
class Picture:
    """A thumbnail in the gallery's folder; small: whether its pixels are to be seen one by one."""

    file: str
    width: int
    height: int
    small: bool


@dataclass(frozen=True)
class View:
    """What the runs of one architecture made of a sample.

    hazard: in words; events: by seed, in words; raster: None where the traces are unknown.
    """

    architecture: str
    colour: str
    hazard: str
    events: tuple[tuple[int, str], ...]
    raster: Raster | None
    taken_for: TakenFor | None


@dataclass(frozen=True)
class Card:
    """A sample with its views; page: of its class; picture: None without a cache."""

    sample_id: str
    path: str
    class_title: str
    page: str
    picture: Picture | None
    alternative: str
    views: tuple[View, ...]


class Pictures:
    """Thumbnails as files of a folder, each written once."""

    def __init__(self, thumbnails: Thumbnails | None, folder: Path) -> None:
        self._thumbnails, self._folder = thumbnails, folder
        self._written: dict[int, Picture] = {}

    def __len__(self) -> int:
        return len(self._written)

    def of(self, sample_index: int) -> Picture | None:
        """Return the picture of a sample, which is written if it is new; None without a cache."""
        if self._thumbnails is None:
            return None
        if sample_index not in self._written:
            jpeg = self._thumbnails.jpeg(sample_index)
            file = f"thumbnails/{sample_index}.jpg"
            (self._folder / file).parent.mkdir(exist_ok=True)
            (self._folder / file).write_bytes(jpeg)
            width, height = Image.open(BytesIO(jpeg)).size
            small = max(width, height) < SMALL
            self._written[sample_index] = Picture(file, width, height, small)
        return self._written[sample_index]


class Cards:
    """Cards of the samples at some places of a sheet.

    sheet: of training samples; places: int [K], rising, those that cards are asked for; standings: by architecture;
    classes: title and page by label.
    """

    def __init__(
        self,
        sheet: Sheet,
        places: np.ndarray,
        standings: Mapping[str, Standing],
        classes: Mapping[int, tuple[str, str]],
        look: Look,
        pictures: Pictures,
    ) -> None:
        shown = sheet.only(places)
        self._samples = shown.samples
        self._of = {name: shown.of(name) for name in standings}
        self._rows = {int(place): row for row, place in enumerate(places)}
        self._hazard = {name: found.hazard[places] for name, found in standings.items()}
        self._status = {name: found.status() for name, found in self._of.items()}
        self._events = {
            name: found.statistic("forgetting_events") for name, found in self._of.items()
        }
        self._classes, self._look, self._pictures = classes, look, pictures

    def epochs(self, architecture: str) -> np.ndarray | None:
        """Return the epochs of an architecture's traces, int [E], None where these are unknown."""
        histories = self._of[architecture].histories
        return None if histories is None else histories.epochs

    def of(self, place: int, architectures: Sequence[str]) -> Card:
        """Return the card of a sample with a view per architecture."""
        row = self._rows[int(place)]
        sample = self._samples.iloc[row]
        views = tuple(self._view(row, name) for name in architectures)
        title, page = self._classes[int(sample["label"])]
        hazards = ", ".join(f"{view.hazard} ({view.architecture})" for view in views)
        return Card(
            sample_id=sample["sample_id"],
            path="" if sample["path"] == sample["sample_id"] else sample["path"],
            class_title=title,
            page=page,
            picture=self._pictures.of(int(sample["sample_index"])),
            alternative=f"{title}, sample {sample['sample_id']}, {hazards}",
            views=views,
        )

    def taken_for(self, place: int) -> TakenFor | None:
        """Return what all runs together took a sample for at its forgetting events; None where a trace is unknown."""
        row, said = self._rows[int(place)], []
        for sheet in self._of.values():
            found = sheet.histories
            if found is None or found.predicted is None:
                return None
            said.append(said_when_lost(found.correct[:, row], found.predicted[:, row]))
        return most_said(np.concatenate(said), self._names, lost=True)

    @property
    def _names(self) -> dict[int, str]:
        return {label: title for label, (title, _) in self._classes.items()}

    def _view(self, row: int, architecture: str) -> View:
        sheet = self._of[architecture]
        seeds = [run.seed for run in sheet.runs]
        status, events = self._status[architecture][:, row], self._events[architecture][:, row]
        histories, raster, taken = sheet.histories, None, None
        if histories is not None:
            correct = histories.correct[:, row]
            raster = raster_of(correct, histories.epochs, seeds)
            said = None if histories.predicted is None else histories.predicted[:, row]
            taken = taken_for(correct, said, self._names)
        return View(
            architecture=self._look.title(architecture),
            colour=self._look.colour(architecture),
            hazard=_hazard(self._hazard[architecture][row], status),
            events=tuple(
                (seed, "–" if never else f"{lost:.0f}")
                for seed, lost, never in zip(seeds, events, status == NEVER_LEARNED, strict=True)
            ),
            raster=raster,
            taken_for=taken,
        )


def _hazard(hazard: float, status: np.ndarray) -> str:
    """Return a mean hazard in words; status: [R], of the runs that it is the mean of."""
    if np.isfinite(hazard):
        return f"hazard {number(hazard)}"
    return "never learned" if (status == NEVER_LEARNED).all() else "never at risk"
