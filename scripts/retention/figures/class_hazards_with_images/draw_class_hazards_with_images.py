"""Hazard of forgetting by class, architectures beside each other, and the images of each class that are forgotten most."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from PIL.Image import Image

from retention.reporting.lacking import not_drawn
from retention.reporting.look import Look
from retention.reporting.style import (
    GREY,
    LABEL,
    draw_intervals,
    footnote,
    headline,
    in_lines,
    new_figure,
    select,
    tallest,
)
from retention.reporting.words import class_names, quoted_if_blank

SHOWN, SHOWN_WITH_IMAGES = 30, 16  # the most and the least forgotten where there are more classes
IMAGES = 5  # of a class
SIDE = 0.42  # inches of an image's longer side
ROW, LANE = 0.1, 0.1  # inches of a class: between it and the next, and for every architecture
APART = 0.05  # inches between images
BEFORE = 0.1  # inches between the axes and the first image
LABELS, LINES = 1.9, 3  # inches of the classes' names, and their lines at most
LINE = 0.135  # inches of a line
EDGES = 1.15  # inches of what stands above and below the classes
BESIDE = 1.8  # inches of an architecture's name
GAP = 0.7  # of a row, between the most and the least forgotten


def draw(
    finding: pd.DataFrame,
    forgotten: pd.DataFrame,
    look: Look,
    cache: Callable[[int], Image] | None = None,
) -> Figure:
    """Return the figure, from the tables of class_forgetting and most_forgotten.

    cache: a sample's thumbnail by its sample_index; without it the plot stands alone.
    """
    rows = select(finding, ["class_hazard"]).copy()
    rows["class_name"] = class_names(rows)
    rows = rows.drop_duplicates(["architecture", "class_name"])
    order, left_out = _shown(rows, SHOWN if cache is None else SHOWN_WITH_IMAGES)
    labels, cut = _labels(order)
    names = look.ordered(rows["architecture"])
    row = _row_height(labels, len(names), cache is not None)
    places = _places(len(order), bool(left_out))
    titles = [in_lines(look.title(name), BESIDE, 8) for name in names]
    lines = sum(tallest([title]) for title in titles)
    figure, (axes,) = new_figure(EDGES + row * (places[-1] + 1) + LINE * lines)
    for lane, name in enumerate(names):
        of_name = rows[rows["architecture"] == name].set_index("class_name").reindex(order)
        shift = (lane - (len(names) - 1) / 2) * LANE / row
        _draw_lane(axes, of_name, places + shift, look.colour(name))
    axes.set_yticks(places, labels)
    axes.set_ylim(places[-1] + 0.5, -0.5)
    axes.set_xlabel("hazard of forgetting (per epoch)")
    axes.set_ylabel("class")
    if left_out:
        _draw_gap(axes, places, left_out)
    if cache is not None:
        _draw_images(axes, _by_class(forgotten, order), places, cache)
    _name_architectures(axes, titles, [look.colour(name) for name in names])
    headline(figure, "Hazard of forgetting by class" + _beside(cache))
    footnote(figure, rows, "; ".join(_signs(finding, rows, order, cut)))
    return figure


def _places(classes: int, parted: bool) -> np.ndarray:
    """Return the heights of classes, in rows: 0, 1, …, and a gap between the two ends where others are left out."""
    number = np.arange(classes)
    return number + GAP * parted * (number >= classes // 2)


def _shown(rows: pd.DataFrame, most: int) -> tuple[list[str], int]:
    """Return the classes by their mean hazard over the architectures, and how many between the ends are left out."""
    mean = rows.groupby("class_name")["estimate"].mean()
    order = list(mean.sort_values(ascending=False, kind="stable").index)
    if len(order) <= most:
        return order, 0
    return order[: most // 2] + order[-most // 2 :], len(order) - most


def _labels(names: Sequence[str]) -> tuple[list[str], bool]:
    """Return names in lines, and whether some are cut."""
    whole = [in_lines(name, LABELS, LABEL) for name in names]  # a break in a name is written out
    labels = [
        label if label.count("\n") < LINES else "\n".join(label.split("\n")[:LINES]) + " …"
        for label in whole
    ]
    return labels, labels != whole


def _row_height(labels: Sequence[str], lanes: int, with_images: bool) -> float:
    """Return how many inches a class takes: for its lines, its name and its images."""
    lines = max(1 + label.count("\n") for label in labels)
    return max(ROW + LANE * lanes, LINE * lines + 0.04, (SIDE + APART) * with_images)


def _draw_lane(axes: Axes, rows: pd.DataFrame, places: np.ndarray, colour: str) -> None:
    """Draw the classes of one architecture, and its hazard over all samples as an upright line."""
    known = rows["estimate"].notna().to_numpy()
    of_all = rows["chance"].dropna()
    if len(of_all):
        axes.axvline(of_all.iloc[0], color=colour, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    drawn = rows[known].assign(chance=float("nan"))
    draw_intervals(axes, drawn, drawn.index, [colour] * len(drawn), places[known])


def _draw_gap(axes: Axes, places: np.ndarray, left_out: int) -> None:
    """Draw where classes are left out between the most and the least forgotten."""
    middle = places[len(places) // 2 - 1 : len(places) // 2 + 1].mean()
    axes.axhline(middle, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.text(
        0,
        middle,
        f"{left_out} classes between ",
        transform=axes.get_yaxis_transform(),
        ha="right",
        va="center",
        fontsize=7,
        color=GREY,
    )


def _by_class(forgotten: pd.DataFrame, order: Sequence[str]) -> list[list[int]]:
    """Return the samples of each class, the most forgotten first."""
    named = forgotten["class_name"].fillna("").map(quoted_if_blank)
    found = forgotten.assign(class_name=named).dropna(subset=["place"]).sort_values("place")
    of_class = found.groupby("class_name")["sample_index"].agg(list).to_dict()
    return [[int(index) for index in of_class.get(name, [])[:IMAGES]] for name in order]


def _draw_images(
    axes: Axes, samples: Sequence[Sequence[int]], places: np.ndarray, cache: Callable[[int], Image]
) -> None:
    """Draw the images of each class at the right of its line."""
    for place, chosen in zip(places, samples, strict=True):
        for number, index in enumerate(chosen):
            image = np.asarray(cache(index))
            box = OffsetImage(image, zoom=72 * SIDE / max(image.shape[:2]), interpolation="nearest")
            middle = 72 * (BEFORE + SIDE / 2 + number * (SIDE + APART))
            _put(axes, box, place, middle)
        if not chosen:
            axes.annotate(
                "none forgotten",
                (1, place),
                (72 * BEFORE, 0),
                axes.get_yaxis_transform(),
                "offset points",
                va="center",
                fontsize=7,
                color=GREY,
            )
    axes.annotate(
        "most-forgotten images",
        (1, 1),
        (72 * BEFORE, 3),
        "axes fraction",
        "offset points",
        va="bottom",
        fontsize=8,
    )


def _put(axes: Axes, box: OffsetImage, place: float, middle: float) -> None:
    """Put an image so many points right of the axes."""
    at = axes.get_yaxis_transform()
    axes.add_artist(
        AnnotationBbox(
            box,
            (1, place),
            (middle, 0),
            at,
            "offset points",
            frameon=False,
            pad=0,
            annotation_clip=False,
        )
    )


def _name_architectures(axes: Axes, titles: Sequence[str], colours: Sequence[str]) -> None:
    """Write the architectures above the axes, below each other: however long, no name lies on another."""
    lines = [
        Line2D([], [], color=colour, marker="o", markersize=4.5, linewidth=1.4)
        for colour in colours
    ]
    axes.legend(
        lines, titles, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, fontsize=8
    )


def _signs(
    finding: pd.DataFrame, rows: pd.DataFrame, order: Sequence[str], cut: bool
) -> Iterator[str]:
    """Yield what the marks mean, and what is not drawn: some run never learned a sample of these classes."""
    yield "upright: all samples of an architecture"
    if lacking := not_drawn(finding):
        yield f"not shown: {lacking}, which some run never learned"
    drawn = rows[rows["class_name"].isin(order)]
    if len(drawn) < len(order) * rows["architecture"].nunique():
        yield "no dot: some run of the architecture never learned the class"
    if cut:
        yield "… names are cut, class_forgetting.csv has them whole"


def _beside(cache: Callable[[int], Image] | None) -> str:
    return "" if cache is None else ", and the images that are forgotten most"
