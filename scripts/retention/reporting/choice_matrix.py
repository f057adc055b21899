"""The lower half of a specification curve: which combination has which level of which choice."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator

from retention.reporting.choices import dimension_in_words, level_in_words
from retention.reporting.look import NO_STUDY, Look
from retention.reporting.specification import Specification, in_which
from retention.reporting.specification_marks import (
    DIAMOND,
    MARK,
    PALE,
    RING,
    limit_places,
    on_one_line,
    pitch_of,
    places_of,
    strokes,
)
from retention.reporting.style import GREY
from retention.reporting.words import number

LINE = 0.105  # inches of a level
SMALL = 6.0  # points of the words beside the levels
BESIDE = 28.0  # points from the axis to where medians end
LONGEST = 36  # characters of them
OF_HEAD = 26  # characters of what they belong to
OF_AXIS = 24  # characters of the comparison's name below
NEAR = 0.1  # of the axis, in which no number stands beside another one
FEW = 8  # combinations that have a level; so few are drawn larger
DARK = "#333333"


class Line(NamedTuple):
    """A row of the matrix: to what it belongs, its name, and its combinations, dark and pale ones or a mark's."""

    of: str
    name: str
    dark: Sequence[int]
    pale: Sequence[int] = ()
    mark: dict[str, Any] | None = None


def _marks(found: Specification, look: Look = NO_STUDY) -> Iterator[Line]:
    """Yield the rows above the choices: marked combinations, and those that give a reported number."""
    yield Line("", "this study's own", found.own, mark=RING)
    for name, numbers in found.named.items():
        yield Line("", name.replace("_", " "), numbers, mark=DIAMOND)
    for one in found.matches:
        verdict = one.verdict.replace("such a number", "it")
        of = look.comparison(one.comparison)
        name = f"{on_one_line(of, max(8, LONGEST - 2 - len(verdict)))}: {verdict}"
        yield Line(f"paper's {one.reported}", name, one.gives, one.undecided)


def _levels(found: Specification) -> Iterator[tuple[str, str]]:
    """Yield choice and level of the rows below."""
    for name in found.levels:
        yield from ((name, level) for level in in_which(found.levels[name]))


def height_of(found: Specification) -> float:
    """Return the height of the matrix, inches."""
    return 0.3 + LINE * (len(list(_marks(found))) + len(list(_levels(found))))


def draw_choices(axes: Axes, found: Specification, first: str, look: Look = NO_STUDY) -> None:
    """Draw which combination has which level, and beside each level the median of the first comparison's estimates.

    first: what that comparison is called.
    """
    marks, levels, places = list(_marks(found, look)), list(_levels(found)), found.places
    for place, line in enumerate(marks):
        if line.mark:
            at = places_of(found, line.dark)
            how: dict[str, Any] = {"linestyle": "none", "color": MARK, "zorder": 3, **line.mark}
            axes.plot(at, np.full(len(at), place), **how)
            continue
        for numbers, colour in ((line.pale, PALE), (line.dark, DARK)):
            _dots(axes, place, places.index.isin(numbers), places, colour)
    shaded = {name for number, name in enumerate(found.levels) if number % 2 == 0}
    for place, (dimension, level) in enumerate(levels, start=len(marks)):
        has = (found.levels[dimension] == level).to_numpy()
        if dimension in shaded:
            axes.axhspan(place - 0.5, place + 0.5, color="#f3f3f3", linewidth=0, zorder=0)
        _dots(axes, place, has, places, DARK)
        middle = found.first["estimate"][has].median()
        _beside(axes, place, "\u2013" if np.isnan(middle) else number(middle))
    if levels:
        _beside(axes, len(marks) - 1, "median")
    words = [line.name for line in marks] + [level_in_words(*one) for one in levels]
    names = [on_one_line(name, LONGEST) for name in words]
    _name_rows(axes, names)
    for text, (dimension, level) in zip(axes.get_yticklabels()[len(marks) :], levels, strict=True):
        text.set_color(GREY if level in found.uncrossed[dimension] else "black")
    _name_places(axes, found, first)
    heads = [line.of for line in marks] + [dimension_in_words(name) for name, _ in levels]
    _name_groups(axes, heads, names)


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names, fontsize=SMALL)
    axes.tick_params(axis="y", length=0, pad=2)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)


def _name_places(axes: Axes, found: Specification, first: str) -> None:
    """Name what combinations are ordered by, and set those apart that have no estimate of it."""
    of, known = on_one_line(first, OF_AXIS), found.ordered
    axes.tick_params(axis="x", labelsize=7)
    limit_places(axes, found)
    axes.set_xlabel(f"combinations, in the order of the estimates of {of}", fontsize=7, loc="right")
    ticks = MaxNLocator(integer=True, steps=[1, 2, 5, 10]).tick_values(1, known)
    last = found.places.max()
    room = 0 if known == len(found.places) else NEAR * last  # for what stands at the right end
    axes.set_xticks([tick for tick in ticks if 1 <= tick <= known - room])
    if known == len(found.places):
        return
    begins = last - len(found.places) + known + 0.5
    axes.axvspan(known + 0.5, begins, color="white", linewidth=0, zorder=0.1)
    at: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "clip_on": False, "zorder": 5}
    axes.plot([known + 0.5, begins], [0, 0], color="white", linewidth=2.0, **at)
    below: dict[str, Any] = {"xycoords": axes.get_xaxis_transform(), "fontsize": 7, "ha": "right"}
    below |= {"textcoords": "offset points", "va": "top"}
    axes.annotate(f"none: {len(found.places) - known}", (last + 0.5, 0), (0, -5), **below)


def _dots(axes: Axes, place: int, has: np.ndarray, places: pd.Series, colour: str) -> None:
    """Draw a dot for each combination that has a level; narrow ones are strokes, few ones larger."""
    at = places[has].to_numpy()
    pitch = pitch_of(int(places.max()))
    if len(at) <= FEW or pitch >= 4:
        size = float(np.clip(0.6 * pitch, 2.8, 4.5))
        dots: dict[str, Any] = {"color": colour, "markersize": size, "markeredgewidth": 0}
        axes.plot(at, np.full(len(at), place), "o", zorder=3, **dots)
        return
    strokes(axes, at, place - 0.34, place + 0.34, colour, 0.75 * pitch)


def _beside(axes: Axes, place: int, text: str) -> None:
    """Write at the right of a row."""
    axes.annotate(
        text,
        (1, place),
        (BESIDE, 0),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        fontsize=SMALL,
        color=GREY,
        ha="right",
        va="center",
    )


def _name_groups(axes: Axes, heads: Sequence[str], names: Sequence[str]) -> None:
    """Write to what rows belong left of the first of them, beyond the longest of the rows' names."""
    font = FontProperties(size=SMALL)
    longest = max(
        text_to_path.get_text_width_height_descent(name, font, False)[0] for name in names
    )
    offset = longest + 9  # points
    for place, head in enumerate(heads):
        if head and (place == 0 or heads[place - 1] != head):
            axes.annotate(
                on_one_line(head, OF_HEAD),
                (0, place),
                (-offset, 0),
                xycoords=axes.get_yaxis_transform(),
                textcoords="offset points",
                fontsize=SMALL,
                fontweight="bold",
                ha="right",
                va="center",
            )
