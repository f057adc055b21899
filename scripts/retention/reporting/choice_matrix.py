"""The lower half of a specification curve: which combination has which level of which choice."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator

from retention.reporting.choices import dimension_in_words, level_in_words
from retention.reporting.specification import Specification, in_which
from retention.reporting.specification_marks import MATCHING, NAMED, OWN, pitch_of, strokes
from retention.reporting.style import GREY, as_label
from retention.reporting.words import number

LINE = 0.105  # inches of a level
SMALL = 6.0  # points of the words beside the levels
LONGEST = 40  # characters of them
FEW = 8  # combinations that have a level; so few are drawn larger


def _marks(found: Specification) -> Iterator[tuple[str, Sequence[int], str]]:
    """Yield the rows above the choices: in words, the combinations that are so, the colour."""
    yield "this study's own", found.own, OWN
    for name, numbers in found.named.items():
        yield name.replace("_", " "), numbers, NAMED
    for name, numbers in found.matching.items():
        yield f"like the paper's number, {name}", numbers, MATCHING


def _lines(found: Specification) -> list[tuple[str, str]]:
    """Return the rows of the matrix: choice and level."""
    return [(name, level) for name in found.levels for level in in_which(found.levels[name])]


def height_of(found: Specification) -> float:
    """Return the height of the matrix, inches."""
    return 0.3 + LINE * (len(list(_marks(found))) + len(_lines(found)))


def draw_choices(axes: Axes, found: Specification, first: str) -> None:
    """Draw which combination has which level, and beside each level the median of the first comparison's estimates.

    first: what that comparison is called.
    """
    marks, lines, order = list(_marks(found)), _lines(found), found.levels.index
    for place, (_, numbers, colour) in enumerate(marks):
        _dots(axes, place, np.isin(order, list(numbers)), colour, few=len(numbers) <= FEW)
    for place, (dimension, level) in enumerate(lines, start=len(marks)):
        has = (found.levels[dimension] == level).to_numpy()
        if [*found.levels].index(dimension) % 2 == 0:
            axes.axhspan(place - 0.5, place + 0.5, color="#f3f3f3", linewidth=0, zorder=0)
        _dots(axes, place, has, "#333333", few=has.sum() <= FEW)
        middle = found.first["estimate"][has].median()
        _beside(axes, place, "" if np.isnan(middle) else number(middle))
    _beside(axes, len(marks) - 1, "median")
    words = [name for name, _, _ in marks] + [level_in_words(*line) for line in lines]
    names = [_on_one_line(name) for name in words]
    _name_rows(axes, names, f"the estimates of {as_label(first, 60)}", len(order))
    _name_dimensions(axes, lines, len(marks), names)


def _on_one_line(name: str) -> str:
    """Return a name that fits a row: of a long one, the beginning."""
    return as_label(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…")


def _name_rows(axes: Axes, names: Sequence[str], of: str, combinations: int) -> None:
    axes.set_yticks(range(len(names)), names, fontsize=SMALL)
    axes.tick_params(axis="y", length=0, pad=2)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0.5, combinations + 0.5)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel(f"combinations, in the order of {of}", fontsize=7)


def _dots(axes: Axes, place: int, has: np.ndarray, colour: str, few: bool) -> None:
    """Draw a dot for each combination that has a level; narrow ones are strokes, few ones larger."""
    at = np.flatnonzero(has) + 1
    pitch = pitch_of(len(has))
    if few or pitch >= 4:
        size = float(np.clip(0.6 * pitch, 2.8, 4.5))
        axes.plot(
            at,
            np.full(len(at), place),
            "o",
            color=colour,
            markersize=size,
            markeredgewidth=0,
            zorder=3,
        )
        return
    strokes(axes, at, place - 0.34, place + 0.34, colour, 0.75 * pitch)


def _beside(axes: Axes, place: int, text: str) -> None:
    """Write at the right of a row."""
    at = axes.get_yaxis_transform()
    axes.text(1.075, place, text, fontsize=SMALL, transform=at, va="center", ha="right", color=GREY)


def _name_dimensions(
    axes: Axes, lines: Sequence[tuple[str, str]], before: int, names: Sequence[str]
) -> None:
    """Write each choice left of its first level, beyond the longest of the levels' names."""
    font = FontProperties(size=SMALL)
    longest = max(
        text_to_path.get_text_width_height_descent(name, font, False)[0] for name in names
    )
    offset = longest + 9  # points
    for place, (dimension, _) in enumerate(lines, start=before):
        if place == before or lines[place - before - 1][0] != dimension:
            axes.annotate(
                dimension_in_words(dimension),
                (0, place),
                (-offset, 0),
                xycoords=axes.get_yaxis_transform(),
                textcoords="offset points",
                fontsize=SMALL,
                fontweight="bold",
                ha="right",
                va="center",
            )
