"""The page that a second reader begins with: the samples whose labels are most suspect, in the order of the ranking."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention.pages.cards import Picture, Pictures
from retention.pages.rasters import Raster, raster_of
from retention.pages.sheet import Sheet
from retention.pages.suspected import TRAIN
from retention.reporting.class_composition import composition
from retention.reporting.look import Look
from retention.reporting.words import number, percent

FIRST = 50  # samples of each ranking
CLASSES = 12  # of which the page tells how many of the first they have


@dataclass(frozen=True)
class Verdict:
    """What the runs of one architecture make of a suspect.

    score: in words; right: by seed, at how many evaluations it was right, in words; raster: None where traces are unknown.
    """

    architecture: str
    colour: str
    score: str
    right: tuple[tuple[int, str], ...]
    raster: Raster | None


@dataclass(frozen=True)
class Suspect:
    """A sample of a ranking; all but rank and picture are text. suggested: "" where no other class was ever said."""

    rank: int
    sample_id: str
    path: str
    class_title: str
    page: str
    suggested: str
    how_often: str
    agree: str
    in_class: str
    duplicates: str
    picture: Picture | None
    alternative: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class Ranked:
    """The first samples of a ranking of so many, and by class how many of the first they are: rows of `composition`."""

    suspects: Sequence[Suspect]
    of: int
    worst_share: str
    classes: Sequence[Mapping[str, object]]
    more_classes: int


class Review:
    """What the page shows of both rankings.

    suspected: rows of `read_suspected`; classes: title and page by label.
    """

    def __init__(
        self,
        sheet: Sheet,
        suspected: pd.DataFrame,
        classes: Mapping[int, tuple[str, str]],
        look: Look,
        pictures: Pictures,
    ) -> None:
        self._classes, self._look, self._pictures = classes, look, pictures
        is_training = suspected["split"] == TRAIN
        self._parts = suspected[is_training], suspected[~is_training]
        tops = pd.concat([part.head(FIRST) for part in self._parts])
        self._rows = {int(place): row for row, place in enumerate(tops["place"])}
        shown = sheet.only(tops["place"].to_numpy(dtype=int))
        self._of = {name: shown.of(name) for name in look.ordered(sheet.architectures)}

    @property
    def training(self) -> Ranked:
        """Return the first of the training samples."""
        return self._ranked(self._parts[0])

    @property
    def held_out(self) -> Ranked:
        """Return the first of the held-out samples."""
        return self._ranked(self._parts[1])

    def _ranked(self, part: pd.DataFrame) -> Ranked:
        classes = composition(part, FIRST)
        told = classes[classes["in_first"] > 0]
        return Ranked(
            suspects=[self._suspect(row) for row in part.head(FIRST).to_dict("records")],
            of=len(part),
            worst_share=f"{100 * part['worst_share'].iloc[0]:.3g}\u00a0%" if len(part) else "",
            classes=[
                {
                    "title": self._classes[int(row["label"])][0],
                    "in_first": row["in_first"],
                    "share_of_first": percent(row["share_of_first"]),
                    "samples": row["samples"],
                    "share": percent(row["share"]),
                }
                for row in told.head(CLASSES).to_dict("records")
            ],
            more_classes=max(0, len(told) - CLASSES),
        )

    def _suspect(self, found: dict) -> Suspect:
        title, page = self._classes[int(found["label"])]
        suggested = self._suggested(found)
        taken = f", taken for {suggested}" if suggested else ""
        return Suspect(
            rank=int(found["rank"]),
            sample_id=found["sample_id"],
            path="" if found["path"] == found["sample_id"] else found["path"],
            class_title=title,
            page=page,
            suggested=suggested,
            how_often=_how_often(found),
            agree=f"{found['runs_in_worst_share']} of {found['runs']}",
            in_class=f"{found['rank_in_class']} of {found['samples_of_class']}",
            duplicates=found["duplicates_with_other_label"],
            picture=self._pictures.of(int(found["sample_index"])),
            alternative=f"rank {found['rank']}, sample {found['sample_id']}, label {title}{taken}",
            verdicts=tuple(self._verdicts(found)),
        )

    def _suggested(self, found: Mapping) -> str:
        if pd.isna(found["suggested_label"]):
            return ""
        label = int(found["suggested_label"])
        return self._classes[label][0] if label in self._classes else str(label)

    def _verdicts(self, found: Mapping) -> Iterator[Verdict]:
        row = self._rows[int(found["place"])]
        for name, sheet in self._of.items():
            seeds = [run.seed for run in sheet.runs]
            raster, right = None, tuple((seed, "") for seed in seeds)
            if sheet.histories is not None:
                correct = sheet.histories.correct[:, row]
                raster = raster_of(correct, sheet.histories.epochs, seeds)
                right = _right(seeds, correct)
            score = found.get(f"score_{name}", np.nan)
            yield Verdict(
                architecture=self._look.title(name),
                colour=self._look.colour(name),
                score="no score" if pd.isna(score) else f"score {number(score)}",
                right=right,
                raster=raster,
            )


def _right(seeds: Sequence[int], correct: np.ndarray) -> tuple[tuple[int, str], ...]:
    return tuple((seed, str(int(row.sum()))) for seed, row in zip(seeds, correct, strict=True))


def _how_often(found: Mapping) -> str:
    """Return how sure the runs are of the class that they take a sample for, in words."""
    if not pd.isna(found["suggested_probability"]):
        return f"probability {number(found['suggested_probability'])}"
    if not pd.isna(found["suggested_share"]):
        return f"{percent(found['suggested_share'])} of evaluations"
    return ""
