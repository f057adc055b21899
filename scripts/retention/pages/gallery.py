"""A gallery: the forgotten samples themselves, as a folder of pages that open from disk."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from retention.data.thumbnails import Thumbnails
from retention.pages.cards import Card, Cards, Pictures
from retention.pages.chosen import Choice
from retention.pages.gallery_plan import ClassPlan, Plan, class_titles, page_of, plan_of
from retention.pages.rasters import raster_of
from retention.pages.rendering import render
from retention.pages.review import Review
from retention.pages.sheet import Sheet
from retention.pages.strip import write_strip
from retention.reporting.look import Look
from retention.reporting.words import number

SIDE = 144  # pixels of a picture's longer side
FILES = re.compile(
    r"index\.html|disagreements\.html|review\.html|class_-?\d+\.html|thumbnails|most_forgotten\.json"
)
EXAMPLE = np.array([[0, 1, 1, 1, 0, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1, 1]], dtype=bool)


@dataclass(frozen=True)
class Named:
    """An architecture as pages show it; epochs: of its traces, int [E], None where these are unknown."""

    title: str
    colour: str
    seeds: Sequence[int]
    epochs: np.ndarray | None


@dataclass(frozen=True)
class Shown:
    """A list as pages show it; of: the architectures that it is about."""

    of: Sequence[Named]
    cards: Sequence[Card]
    choice: Choice


@dataclass(frozen=True)
class Counts:
    """How many training samples an architecture's runs never forgot, forgot and never learned.

    otherwise: those that some runs held and the others never learned; the four add up to all samples.
    """

    never_forgotten: int
    forgotten: int
    never_learned: int
    otherwise: int


@dataclass(frozen=True)
class Bar:
    """A class's hazard for an architecture, in words and as share of the highest, and how many samples it forgot."""

    of: Named
    hazard: str
    share: float
    forgotten: int


@dataclass(frozen=True)
class Listed:
    """A class in the list of classes, with a bar per architecture."""

    plan: ClassPlan
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Written:
    """What a gallery's folder holds."""

    pages: int
    pictures: int


def write_gallery(
    sheet: Sheet,
    look: Look,
    thumbnails: Thumbnails | None,
    folder: Path,
    suspected: pd.DataFrame | None = None,
) -> Written:
    """Write index.html, disagreements.html, a page per class, thumbnails and most_forgotten.json into an empty folder.

    suspected: rows of `read_suspected`, with which there is review.html.
    Raises `UserError` where there is no training sample, and where the cache lacks a picture.
    """
    plan = plan_of(sheet, look)
    pictures = Pictures(thumbnails, folder)
    known = {label: (title, page_of(label)) for label, title in class_titles(sheet).items()}
    cards = Cards(plan.sheet, plan.places, plan.standings, known, look, pictures)
    review = None if suspected is None else Review(sheet, suspected, known, look, pictures)
    pages = 0
    for name, page in Pages(plan, cards, look, thumbnails is not None, review):
        (folder / name).write_text(page, encoding="utf-8")
        pages += 1
    write_strip(plan.of_all.places.tolist(), cards, folder)
    return Written(pages, len(pictures))


def counts_of(plan: Plan) -> dict[str, Counts]:
    """Return what became of the training samples, by architecture."""
    counts = {}
    for name, found in plan.standings.items():
        rest = ~(found.never_forgotten | found.ever_forgotten | found.unlearned)
        parts = (found.never_forgotten, found.ever_forgotten, found.unlearned, rest)
        counts[name] = Counts(*(int(part.sum()) for part in parts))
    return counts


class Pages:
    """The pages of a gallery one after another, file name and text, so that memory holds one of them."""

    def __init__(
        self,
        plan: Plan,
        cards: Cards,
        look: Look,
        has_pictures: bool,
        review: Review | None = None,
    ) -> None:
        self._plan, self._cards, self._review = plan, cards, review
        self._named = {
            name: Named(
                look.title(name),
                look.colour(name),
                [run.seed for run in plan.sheet.of(name).runs],
                cards.epochs(name),
            )
            for name in plan.standings
        }
        self._common = {
            "dataset": plan.sheet.dataset,
            "architectures": list(self._named.values()),
            "has_pictures": has_pictures,
            "has_review": review is not None,
            "example": raster_of(EXAMPLE, np.arange(EXAMPLE.shape[1]), (0, 1)),
        }
        hazards = [hazard for found in plan.classes for hazard in found.hazards.values()]
        self._highest = float(np.nanmax([*hazards, 0.0])) or 1.0  # of no class: no bar

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield "index.html", self._index()
        yield "disagreements.html", self._disagreements()
        if self._review is not None:
            yield "review.html", self._to_review(self._review)
        for place in range(len(self._plan.classes)):
            yield self._plan.classes[place].page, self._class(place)

    def _index(self) -> str:
        return render(
            "gallery_index.html.j2",
            **self._common,
            title=f"Gallery of {self._common['dataset']}",
            samples=len(self._plan.sheet),
            counts=list(counts_of(self._plan).values()),
            of_all=self._shown(list(self._named), self._plan.of_all),
            unlearned=self._shown(list(self._named), self._plan.unlearned),
            disagreements=self._shown_disagreements(),
            suspects=self._review and self._review.training.of + self._review.held_out.of,
            classes=[Listed(found, self._bars(found)) for found in self._plan.classes],
        )

    def _disagreements(self) -> str:
        return render(
            "gallery_disagreements.html.j2",
            **self._common,
            title=f"Disagreements on {self._common['dataset']}",
            shown=self._shown_disagreements(),
        )

    def _shown_disagreements(self) -> list[Shown]:
        return [
            self._shown([found.holder, found.loser], found.choice)
            for found in self._plan.disagreements
        ]

    def _to_review(self, review: Review) -> str:
        return render(
            "gallery_review.html.j2",
            **self._common,
            title=f"Review these first: labels of {self._common['dataset']}",
            training=review.training,
            held_out=review.held_out,
        )

    def _class(self, place: int) -> str:
        classes = self._plan.classes
        found = classes[place]
        return render(
            "gallery_class.html.j2",
            **self._common,
            title=f"Class {found.title} of {self._plan.sheet.dataset}",
            found=found,
            bars=self._bars(found),
            before=classes[place - 1] if place else None,
            after=classes[place + 1] if place + 1 < len(classes) else None,
            lists={
                kind: [self._shown([name], choice) for name, choice in choices.items()]
                for kind, choices in found.lists.items()
            },
        )

    def _shown(self, names: Sequence[str], choice: Choice) -> Shown:
        cards = [self._cards.of(int(place), names) for place in choice.places]
        return Shown([self._named[name] for name in names], cards, choice)

    def _bars(self, found: ClassPlan) -> list[Bar]:
        return [
            Bar(
                of=self._named[name],
                hazard=f"hazard {number(hazard)}" if np.isfinite(hazard) else "no hazard",
                share=float(np.nan_to_num(hazard / self._highest)),
                forgotten=found.forgotten[name],
            )
            for name, hazard in found.hazards.items()
        ]
