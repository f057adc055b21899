"""Panels of one kind beside and below each other: one width of a paper, titles that have room, axes that can be compared."""

import textwrap
from collections.abc import Sequence
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retention.reporting.style import GREY, LINE_OF_FOOTNOTE, SETTINGS, in_lines, tallest

PALE = "#e6e6e6"  # of grids
COLUMN, TEXT = 3.3, 6.5  # inches: the widths of a paper's column and of its text
ABREAST = 3  # facets beside each other
EDGES = 0.75  # inches of what stands above and below all facets
BESIDE = 0.8  # inches of the width that the labels of an axis take
GAP = 0.18  # inches between facets
SIZE = 8  # of a facet's title, points
LINE = 0.14  # inches of a line of it


def facets(
    titles: Sequence[str],
    height: float,
    rows: int = 1,
    below: Sequence[str] = (),
    beside: float = BESIDE,
    width: float | None = None,
) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure with a facet per title, and the axes of each: `rows` panels of `height` inches below each other.

    One facet is as wide as a column of a paper, or `width`; more share the width of its text, at most `ABREAST` beside each other.
    below: a second title of each, in lines. beside: inches of the width that are no panels'. The figure is as much higher as long titles need.
    """
    mpl.use("Agg")
    mpl.rcParams.update(SETTINGS)
    across = min(len(titles), ABREAST)
    down = -(-len(titles) // across)
    width = width or (COLUMN if across == 1 else TEXT)
    words = _in_room(titles, below, (width - beside) / across - GAP)
    lines = [tallest(words[first : first + across]) for first in range(0, len(words), across)]
    inches = height * rows * down + LINE * sum(lines) + EDGES
    figure = Figure(figsize=(width, inches), layout="constrained")
    grid = figure.subplots(down * rows, across, squeeze=False)
    found = [
        grid[rows * (place // across) : rows * (place // across + 1), place % across].tolist()
        for place in range(across * down)
    ]
    for axes in (axes for panels in found[len(titles) :] for axes in panels):
        axes.remove()
    for panels, text in zip(found, words, strict=False):
        panels[0].set_title(text, fontsize=SIZE)
    return figure, found[: len(titles)]


def _in_room(titles: Sequence[str], below: Sequence[str], inches: float) -> list[str]:
    """Return titles with what stands below each, in lines that are so wide at most."""
    pairs = zip(titles, below or [""] * len(titles), strict=True)
    lines = [[title, *filter(None, text.split("\n"))] for title, text in pairs]
    return ["\n".join(in_lines(text, inches, SIZE) for text in of_one) for of_one in lines]


def share_limits(panels: Sequence[Axes]) -> None:
    """Give panels of as many facets one range of heights, that of all their data; the first of a row writes its numbers."""
    limits = [axes.get_ylim() for axes in panels]
    for place, axes in enumerate(panels):
        axes.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
        if place % ABREAST:
            axes.tick_params(labelleft=False)


def label_rows(panels: Sequence[Axes], text: str) -> None:
    """Write what the heights are at the first panel of each row of facets."""
    for axes in panels[::ABREAST]:
        axes.set_ylabel(text)


def grid_behind(axes: Axes, axis: Literal["both", "x", "y"] = "both") -> None:
    """Draw a pale grid behind the data."""
    axes.grid(axis=axis, color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)


def caption_below(figure: Figure, *signs: str) -> None:
    """Write below a figure what its marks mean, those that are not "", in lines that its width has room for."""
    room = int(LINE_OF_FOOTNOTE * figure.get_figwidth() / TEXT)
    text = "\n".join(textwrap.wrap("; ".join(filter(None, signs)), room))
    figure.supxlabel(text, fontsize=7, color=GREY, x=0.01, ha="left")
