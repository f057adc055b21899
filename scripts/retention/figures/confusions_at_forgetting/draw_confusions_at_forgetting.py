"""Classes by what they are taken for at forgetting events: a matrix an architecture, of many classes the frequent pairs too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from retention.common.lists import plural
from retention.reporting.facets import ABREAST, TEXT, caption_below, grid_behind
from retention.reporting.look import Look
from retention.reporting.style import (
    GREY,
    NothingEstimable,
    as_label,
    grid_figure,
    headline,
    in_lines,
    legend,
    tallest,
    width_of,
)
from retention.reporting.ticks import round_ticks
from retention.reporting.words import percent, quoted_if_blank

SHADES = "Blues"  # reads alike with every colour vision, and in grey
EMPTY = "#e9e9e9"  # of what can not be: a class is not taken for itself when it is lost
WRITTEN = 10  # classes of a matrix whose shares are written into it
PAIRS = 15  # most frequent ones, named where a matrix has no room for the names of all classes
LETTERS = 6  # of classes' names, points
UPRIGHT = 1  # letters of a name that are not turned
LABEL = 1.2  # inches of a class's name at most
LINE = 0.085  # inches from a name to the next
PAGE = 9.0  # inches of a figure whose matrices name all classes
CELL, LEAST = 0.32, 2.2  # inches of a class at most, and of few classes together
BAR, COUNTS = 0.75, 0.35  # inches of the colours' bar, and of the counts beside a matrix
ABOVE = 0.8  # inches of what stands above and below a matrix beside its names
EDGES = 0.65  # inches of what stands above and below all matrices
TITLES = 0.14  # inches of a line of a title
PAIR = 0.2  # inches of a pair of classes


@dataclass(frozen=True)
class Classes:
    """C classes in their order: names, as long as there is room; families, "" where there are none; whether names are cut."""

    names: Sequence[str]
    families: Sequence[str]
    are_cut: bool

    def __len__(self) -> int:
        return len(self.names)

    @property
    def label_width(self) -> float:
        """Return the inches of the longest name."""
        return max(width_of(name, LETTERS) for name in self.names) + 0.1

    @property
    def blocks(self) -> list[tuple[str, int, int]]:
        """Return the families of several classes: name, first place and the one after the last."""
        starts = [k for k in range(len(self)) if not k or self.families[k] != self.families[k - 1]]
        ends = [*starts[1:], len(self)]
        return [
            (self.families[first], first, end)
            for first, end in zip(starts, ends, strict=True)
            if self.families[first] and end - first > 1
        ]


def draw(confusions: pd.DataFrame, finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the series confusions_at_forgetting and the table of class_forgetting.

    Raises `NothingEstimable` where nothing was forgotten.
    """
    shares = confusions[confusions["statistic"] == "share"]
    if shares.empty:
        raise NothingEstimable(
            "No training sample was forgotten, so none was taken for another class."
        )
    events = confusions[confusions["statistic"] == "events"]
    classes, names = _classes(events), look.ordered(events["architecture"])
    within = finding[finding["statistic"] == "family_share_forgetting"].set_index("architecture")
    titles = [
        (look.title(name), *_below(events[events["architecture"] == name], within.reindex([name])))
        for name in names
    ]
    figure, panels, below = _figure(classes, titles)
    top = float(shares["estimate"].max())
    for name, axes in zip(names, panels, strict=True):
        of_name = shares[shares["architecture"] == name]
        mesh = _draw_matrix(axes, of_name, len(classes), top)
        _frame_families(axes, classes)
        if below is None:
            _write_counts(axes, events[events["architecture"] == name].sort_values("place"))
        if len(classes) <= WRITTEN:
            _write_shares(axes, of_name, top)
    _draw_bar(panels, mesh, -(-len(names) // _layout(classes, len(names))[0]))
    if below is not None:
        _draw_pairs(below, shares, events, classes, look)
    headline(figure, "What samples are taken for when they are forgotten")
    caption_below(figure, *_signs(classes, below is not None))
    return figure


def _classes(events: pd.DataFrame) -> Classes:
    rows = (
        events.drop_duplicates("place").sort_values("place").fillna({"class_name": "", "group": ""})
    )
    shown = [_cut(quoted_if_blank(name)) for name in rows["class_name"]]
    return Classes(
        [text for text, _ in shown], list(rows["group"].astype(str)), any(cut for _, cut in shown)
    )


def _cut(name: str) -> tuple[str, bool]:
    """Return a name in one line, and whether it is cut: in its middle, as names often differ at their ends."""
    text = shown = " ".join(as_label(name, len(name) + 8).split("\n"))
    letters = len(text)
    while (width := width_of(shown, LETTERS)) > LABEL and letters > 2:
        letters = max(2, min(letters - 1, int(letters * LABEL / width) + 1))
        shown = f"{text[: letters - letters // 2]}…{text[-(letters // 2) :]}"
    return shown, shown != text


def _below(events: pd.DataFrame, within: pd.DataFrame) -> Iterator[str]:
    """Yield what stands below an architecture's title: its events, and how many stay within a family where that is known."""
    seeds, count = plural(int(events["seeds"].iloc[0]), "seed"), int(events["count"].sum())
    yield f"{count:,} events, {seeds}"
    row = within.iloc[0]
    if pd.notna(row["estimate"]):
        chance = "" if pd.isna(row["chance"]) else f" (chance {percent(row['chance'])})"
        yield f"{percent(row['estimate'])} within a family{chance}"


def _layout(classes: Classes, panels: int) -> tuple[int, float, bool]:
    """Return how many matrices stand beside each other, the inches of their sides, and whether these name all classes.

    As many as can be named; where no layout has room for all names, as many as there is room for.
    """
    most = min(panels, ABREAST)
    for across in range(most, 0, -1):
        down = -(-panels // across)
        high = (PAGE - EDGES) / down - classes.label_width - ABOVE
        side = min(_room(classes, across), high, max(CELL * len(classes), LEAST))
        if side >= LINE * len(classes):
            return across, side, True
    return most, _room(classes, most), False


def _room(classes: Classes, across: int) -> float:
    """Return the inches that the side of a matrix may have where so many stand beside each other."""
    return (TEXT - BAR - classes.label_width - 0.3) / across - COUNTS


def _figure(
    classes: Classes, titles: Sequence[Sequence[str]]
) -> tuple[Figure, list[Axes], Axes | None]:
    """Return the figure, a square panel per title with its labels, and axes for pairs where not all classes are named."""
    across, side, all_named = _layout(classes, len(titles))
    words = ["\n".join(in_lines(line, side + COUNTS, 8) for line in lines) for lines in titles]
    down = -(-len(titles) // across)
    height = side + classes.label_width + 0.45 + TITLES * tallest(words) + EDGES / down
    heights = [height] * down + ([] if all_named else [0.85 + PAIR * PAIRS])
    figure, grid = grid_figure(heights, across, whole_last=not all_named)
    if len(titles) == 1 and all_named:  # no wider than it needs to be
        figure.set_figwidth(min(TEXT, side + COUNTS + classes.label_width + 0.3 + BAR))
    panels = [axes for row in grid[:down] for axes in row]
    for axes in panels[len(titles) :]:
        axes.remove()
    panels = panels[: len(titles)]
    for place, (axes, text) in enumerate(zip(panels, words, strict=True)):
        axes.set_title(text, fontsize=8)
        axes.set_xlabel("taken for", fontsize=7)
        if place % across == 0:
            axes.set_ylabel("class", fontsize=7)
        _label(axes, classes, side, place % across == 0)
    return figure, panels, None if all_named else grid[-1][0]


def _draw_matrix(axes: Axes, shares: pd.DataFrame, classes: int, top: float) -> QuadMesh:
    """Draw the share of every pair; grey: a class by itself, and one without events."""
    matrix = np.zeros((classes, classes))
    matrix[shares["place"], shares["taken_for"].astype(int)] = shares["estimate"]
    matrix[~matrix.any(axis=1)] = np.nan
    np.fill_diagonal(matrix, np.nan)
    edges = np.arange(classes + 1) - 0.5
    axes.set_facecolor(EMPTY)
    mesh = axes.pcolormesh(edges, edges, matrix, cmap=SHADES, vmin=0, vmax=top, rasterized=True)
    axes.set_ylim(classes - 0.5, -0.5)
    axes.set_box_aspect(1)
    axes.spines[:].set_visible(True)
    return mesh


def _draw_bar(panels: list[Axes], mesh: QuadMesh, rows: int) -> None:
    """Draw what the shades mean, beside the panels and about as long as one of them."""
    bar = panels[0].figure.colorbar(
        mesh, ax=panels, location="right", shrink=0.7 / rows, aspect=20, pad=0.02
    )
    bar.set_label("share of the class's events", fontsize=7)
    bar.ax.tick_params(labelsize=7)
    round_ticks(bar.ax.yaxis, percent=True)


def _label(axes: Axes, classes: Classes, side: float, first: bool) -> None:
    """Name classes at both axes; where there are too many, families or else those classes that have room."""
    least = LINE / side * len(classes)
    places: list[float] = list(range(len(classes)))
    names = list(classes.names)
    if least > 1:
        found = classes.blocks or [(name, k, k + 1) for k, name in enumerate(classes.names)]
        kept = list(_apart(found, least))
        places, names = [place for place, _ in kept], [_cut(name)[0] for _, name in kept]
    turned = 90 if max(map(len, names), default=0) > UPRIGHT else 0
    axes.set_xticks(places, names, rotation=turned, fontsize=LETTERS)
    axes.set_yticks(places, names if first else [""] * len(names), fontsize=LETTERS)
    axes.tick_params(length=2)


def _apart(blocks: Sequence[tuple[str, int, int]], least: float) -> Iterator[tuple[float, str]]:
    """Yield middle and name of blocks, large ones first, that are no nearer than `least` to one before."""
    taken: list[float] = []
    for name, first, end in sorted(blocks, key=lambda block: (block[1] - block[2], block[1])):
        middle = (first + end - 1) / 2
        if all(abs(middle - other) >= least for other in taken):
            taken.append(middle)
            yield middle, name


def _frame_families(axes: Axes, classes: Classes) -> None:
    """Draw a frame around each family's own confusions."""
    for _, first, end in classes.blocks:
        corner, side = (first - 0.5, first - 0.5), end - first
        axes.add_patch(Rectangle(corner, side, side, fill=False, linewidth=0.7, edgecolor="black"))


def _write_counts(axes: Axes, events: pd.DataFrame) -> None:
    """Write at the right of a matrix how many events each class has."""
    beside = axes.get_yaxis_transform()
    for place, count in zip(events["place"], events["count"], strict=True):
        axes.text(
            1.03,
            place,
            f"{count:,.0f}",
            transform=beside,
            va="center",
            fontsize=LETTERS,
            color=GREY,
        )


def _write_shares(axes: Axes, shares: pd.DataFrame, top: float) -> None:
    """Write each share into its cell, as a percentage without its sign."""
    for place, taken_for, share in zip(
        shares["place"], shares["taken_for"], shares["estimate"], strict=True
    ):
        ink = "white" if share > 0.6 * top else "black"
        text = percent(share).removesuffix(" %")
        axes.text(taken_for, place, text, ha="center", va="center", fontsize=5.5, color=ink)


def _draw_pairs(
    axes: Axes, shares: pd.DataFrame, events: pd.DataFrame, classes: Classes, look: Look
) -> None:
    """Draw the pairs of most events, a dot an architecture: their share of all its events."""
    totals = events.groupby("architecture")["count"].sum()
    of_all = shares.assign(estimate=shares["count"] / shares["architecture"].map(totals))
    table = of_all.pivot(index=["place", "taken_for"], columns="architecture", values="estimate")
    table = table.reindex(columns=totals.index).fillna(0.0)
    order = table.mean(axis=1).sort_values(ascending=False, kind="stable").index[:PAIRS]
    table = table.loc[order]
    for name in look.ordered(table.columns):
        label = in_lines(look.title(name), 2.0, 7)
        axes.plot(
            table[name],
            range(len(table)),
            "o",
            color=look.colour(name),
            markersize=4.5,
            label=label,
        )
    labels = [f"{classes.names[place]} → {classes.names[int(other)]}" for place, other in order]
    axes.set_yticks(range(len(labels)), labels, fontsize=7)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlim(left=0)
    round_ticks(axes.xaxis, percent=True)
    grid_behind(axes)
    axes.set_title("Most frequent confusions: share of all forgetting events", fontsize=8)
    legend(axes, fontsize=7, loc="best")


def _signs(classes: Classes, many: bool) -> Iterator[str]:
    yield (
        "framed: families"
        if classes.blocks
        else "classes that are taken for each other stand beside each other"
    )
    yield "grey: none possible, or no event"
    yield "at the right: events of the class" * (not many)
    yield "in the cells: %" * (len(classes) <= WRITTEN)
    yield f"{len(classes)} classes, not all are named" * many
    yield "… names are cut, confusions_at_forgetting.csv has them whole" * classes.are_cut
