"""One look for all figures, and files that are the same bytes for the same table."""

import re
import textwrap
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from unicodedata import category

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from retention.common.errors import UserError
from retention.common.files import atomic_path
from retention.reporting.ticks import round_ticks, thin_ticks

GREY = "#777777"
PALE = "#e6e6e6"  # of grids
UNNAMED = re.compile(r"_child\d+")  # what matplotlib calls a line without a label
GLUE = "\ue000"  # stands for a blank at which no line is broken; in names it would be written out
LINE_OF_FOOTNOTE = 118  # characters of the text width
LABEL = 8  # of labels, points
ROOM_OF_LABEL = 3.0  # inches of a line's label
LINE_OF_ROW = 0.135  # inches of a line of it
FEWEST = 4  # letters of a line that is broken to fit
LINE_OF_LABEL = 80  # characters of a label, which leave room for what it labels
SETTINGS: dict[Any, Any] = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "text.parse_math": False,  # a name with $ is no formula, and no figure has formulas
    "svg.hashsalt": "retention",
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
}
# Dates and program versions would make equal figures differ.
METADATA = {
    ".pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    ".svg": {"Date": None, "Creator": None},
    ".png": {"Software": None},
}


def new_figure(height: float, panels: int = 1) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure of text width (6.5 inches) and its axes, side by side."""
    mpl.use("Agg")
    mpl.rcParams.update(SETTINGS)
    figure = Figure(figsize=(6.5, height), layout="constrained")
    return figure, figure.subplots(1, panels, squeeze=False)[0].tolist()


def stacked_figure(heights: Sequence[float]) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure of text width and its axes, one below the other, of heights in inches."""
    mpl.use("Agg")
    mpl.rcParams.update(SETTINGS)
    figure = Figure(figsize=(6.5, sum(heights)), layout="constrained")
    axes = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)
    return figure, axes[:, 0].tolist()


def grid_figure(
    heights: Sequence[float], columns: int, whole_last: bool = False
) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure of text width and its axes by row, rows of heights in inches.

    whole_last: the last row is one panel of the full width, its labels no matter of the others.
    """
    mpl.use("Agg")
    mpl.rcParams.update(SETTINGS)
    figure = Figure(figsize=(6.5, sum(heights)), layout="constrained")
    if not whole_last:
        axes = figure.subplots(len(heights), columns, height_ratios=heights, squeeze=False)
        return figure, axes.tolist()
    *upper, last = heights
    ratios = [sum(upper), last]
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=ratios)[:, 0]
    axes = above.subplots(len(upper), columns, height_ratios=upper, squeeze=False)
    return figure, [*axes.tolist(), [below.subplots()]]


class NothingEstimable(Exception):
    """The statistics of a figure are in the table, but of none is there an estimate."""


def select(finding: pd.DataFrame, statistics: Sequence[str]) -> pd.DataFrame:
    """Return the rows of some statistics that have an estimate.

    Raises `UserError` when the table has no such statistic, `NothingEstimable` when it has no estimate.
    """
    rows = finding[finding["statistic"].isin(statistics)]
    if rows.empty:
        raise UserError(f"the finding's table has no row of {', '.join(statistics)}")
    rows = rows[rows["estimate"].notna()]
    if rows.empty:
        raise NothingEstimable(f"Nothing could be estimated: {', '.join(statistics)}")
    return rows


def text_figure(text: str) -> Figure:
    """Return a figure of text width that says why there is nothing to draw."""
    figure, (axes,) = new_figure(1.0)
    axes.set_axis_off()
    headline(figure, "\n".join(textwrap.wrap(text, LINE_OF_FOOTNOTE * 7 // 9)))
    return figure


def as_label(name: str, width: int = LINE_OF_LABEL) -> str:
    """Return a name as it can be read in a figure: in lines of `width` characters at most.

    Of letters that draw nothing those are written out that would break the line, or are all of the name.
    """
    if all(letter.isspace() or category(letter) == "Cf" for letter in name):
        return repr(name)
    # joiners and the like draw nothing, and are part of how a word is spelt
    written = "".join(
        letter if letter.isprintable() or category(letter) == "Cf" else repr(letter)[1:-1]
        for letter in name
    )
    if len(written) <= width:
        return written
    glued = written.replace(" = ", f"{GLUE}={GLUE}").replace(" %", f"{GLUE}%")
    return "\n".join(textwrap.wrap(glued, width)).replace(GLUE, " ")


def in_lines(text: str, inches: float, size: float) -> str:
    """Return a text as it can be read in a figure, in lines that are so wide at most; size: of its letters, in points."""
    letters = len(text) + 1
    while True:
        shown = as_label(text, letters)
        widest = max((width_of(line, size) for line in shown.split("\n")), default=0.0)
        if widest <= inches or letters <= FEWEST:
            return shown
        letters = max(FEWEST, min(letters - 1, int(letters * inches / widest)))


def width_of(text: str, size: float) -> float:
    """Return how wide a line is, in inches; size: of its letters, in points."""
    font = FontProperties(family=mpl.rcParams["font.family"], size=size)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # fonts.py says so
        width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def tallest(labels: Iterable[str]) -> int:
    """Return the lines of the label that has most, 1 for no labels."""
    return max((1 + label.count("\n") for label in labels), default=1)


def row_labels(names: Iterable[str], inches: float = ROOM_OF_LABEL) -> list[str]:
    """Return names as the labels of lines, each line of a name in as many as it needs to be no wider."""
    return ["\n".join(in_lines(line, inches, LABEL) for line in name.split("\n")) for name in names]


def rows_height(names: Iterable[str], least: float) -> float:
    """Return how many inches the lines of `draw_intervals` need by their labels, `least` for each at least."""
    labels = row_labels(names)
    return len(labels) * max(least, LINE_OF_ROW * tallest(labels) + 0.06)


def draw_intervals(
    axes: Axes,
    rows: pd.DataFrame,
    names: Sequence[str],
    colours: Sequence[str],
    places: Sequence[float] | None = None,
) -> None:
    """Draw one estimate per line with its interval, its chance (|) and its ceiling (▷).

    names: labels, wrapped here. colours: of the lines, as `Look.colours_of` gives them. places: heights of the lines, from
    the top; 0, 1, … without.
    """
    places = range(len(rows)) if places is None else places
    for place, colour, (_, row) in zip(places, colours, rows.iterrows(), strict=True):
        if pd.notna(row["low"]):
            axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.4)
        axes.plot(row["estimate"], place, "o", color=colour, markersize=4.5)
        if pd.notna(row["chance"]):
            axes.plot(row["chance"], place, "|", color=GREY, markersize=11, markeredgewidth=1.3)
        if pd.notna(row["ceiling"]):
            axes.plot(row["ceiling"], place, ">", color=GREY, markersize=5, fillstyle="none")
    axes.set_yticks(list(places), row_labels(names))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.margins(x=0.08)
    round_ticks(axes.xaxis, 8)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)


def name_x(axes: Axes, text: str) -> None:
    """Write what the numbers along the page are, in full words."""
    axes.set_xlabel(text, fontsize=7)


def legend(axes: Axes, **how: Any) -> None:
    """Draw the legend of the lines that were given a label; matplotlib's passes over those that begin with _."""
    lines = [line for line in axes.get_lines() if not UNNAMED.fullmatch(str(line.get_label()))]
    axes.legend(lines, [str(line.get_label()) for line in lines], **how)


def draw_margin(axes: Axes, rows: pd.DataFrame) -> None:
    """Shade the margin within which a difference counts as none, and write each row's verdict."""
    margin = rows["margin"].iloc[0]
    axes.axvspan(-margin, margin, color="#e8eef4", linewidth=0, zorder=0)
    for place, (_, row) in enumerate(rows.iterrows()):
        if pd.notna(row["low_90"]):
            ends = [row["low_90"], row["high_90"]]
            axes.plot(
                ends,
                [place, place],
                color="black",
                linewidth=3.2,
                alpha=0.35,
                solid_capstyle="butt",
                zorder=1,  # below the dots
            )
        at = axes.get_yaxis_transform()
        axes.text(1.01, place, row["verdict"], fontsize=7, transform=at, va="center")


def margin_signs(rows: pd.DataFrame) -> str:
    """Return what the marks of `draw_margin` mean, of those that are drawn."""
    signs = ["thick: 90 %"] if rows["low_90"].notna().any() else []
    if (rows["n"] < 3).any():
        signs.append("fewer than 3 seeds: no interval")
    return "; ".join([*signs, "| no difference", f"shaded: margin ± {rows['margin'].iloc[0]:g}"])


def headline(figure: Figure, text: str) -> None:
    """Write the figure's title at its left edge, in lines that the figure has room for."""
    lines = (in_lines(line, 0.95 * figure.get_figwidth(), 9) for line in text.split("\n"))
    figure.suptitle("\n".join(lines), fontsize=9, x=0.01, ha="left")


def footnote(figure: Figure, rows: pd.DataFrame, signs: str) -> None:
    """Write under the figure what the marks mean and what the intervals are about."""
    targets = ", ".join(sorted(rows["target"].dropna().unique())) or "none"
    lines = f"dot, line: estimate and 95 % interval (about: {targets})"
    text = f"{lines if rows['low'].notna().any() else 'dot: estimate'}; {signs}"
    text = "\n".join(textwrap.wrap(text, LINE_OF_FOOTNOTE))
    figure.supxlabel(text, fontsize=7, color=GREY, x=0.01, ha="left")


def save(figure: Figure, outputs: Sequence[Path]) -> None:
    """Write the figure once per output path, the format chosen by its suffix; numbers at axes that would touch are thinned."""
    for output in outputs:
        if output.suffix not in METADATA:
            raise UserError(f"{output}: unknown format; known are {', '.join(METADATA)}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # fonts.py has said so
        thin_ticks(figure)
    for output in outputs:
        with atomic_path(output) as temporary, warnings.catch_warnings(), mpl.rc_context(_of_pdf()):
            warnings.filterwarnings("ignore", "Glyph .* missing")  # fonts.py has said so
            figure.savefig(temporary, metadata=METADATA[output.suffix])


def _of_pdf() -> dict[Any, Any]:
    """Return the settings of PDF files: embedded whole, OpenType fonts with PostScript outlines draw nothing."""
    return {"pdf.fonttype": 3} if len(mpl.rcParams["font.family"]) > 1 else {}
