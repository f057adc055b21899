"""What the panels of a specification curve share: marks, widths, strokes and the lines of marked combinations."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention.reporting.specification import Specification
from retention.reporting.style import as_label

MARK = "black"  # of marked combinations; colours are those of architectures
RING: dict = {"marker": "o", "markersize": 5.2, "fillstyle": "none", "markeredgewidth": 1.1}
DIAMOND: dict = {"marker": "D", "markersize": 3.6, "markeredgecolor": "white"}
DIAMOND["markeredgewidth"] = 0.5
PALE = "#b4b4b4"
EDGE = 0.008  # of the combinations: half a mark
CURVE_WIDTH = 3.5  # inches, about


def draw_guides(axes: Axes, found: Specification) -> None:
    """Draw a line through the panel where the study's own combination stands, a dotted one at each that has a name."""
    for numbers, style in ((numbers_named(found), ":"), (found.own, "-")):
        for place in places_of(found, numbers):
            axes.axvline(place, color=MARK, linewidth=0.6, linestyle=style, zorder=0.5)


def places_of(found: Specification, numbers: Sequence[int]) -> np.ndarray:
    """Return where combinations stand, int, of those that are drawn."""
    return found.places[found.places.index.isin(list(numbers))].to_numpy()


def numbers_named(found: Specification) -> list[int]:
    """Return the numbers of the combinations that have a name, but for the study's own."""
    return sorted({one for numbers in found.named.values() for one in numbers})


def limit_places(axes: Axes, found: Specification) -> None:
    """Let a panel be as wide as all combinations take, and their marks at its ends."""
    last = found.places.max()
    room = max(0.5, EDGE * last)
    axes.set_xlim(1 - room, last + room)


def strokes(
    axes: Axes,
    at: np.ndarray,
    low: pd.Series | float,
    high: pd.Series | float,
    colour: str,
    width: float,
    alpha: float = 1.0,
) -> None:
    """Draw upright strokes as one path, which keeps files small; none where an end is NaN."""
    ends = np.full((len(at), 3), np.nan)  # a NaN after each stroke lifts the pen
    ends[:, 0], ends[:, 1] = low, high
    axes.plot(
        np.repeat(at, 3),
        ends.ravel(),
        color=colour,
        linewidth=width,
        alpha=alpha,
        solid_capstyle="butt",
        zorder=2,
    )


def pitch_of(combinations: int) -> float:
    """Return the points from one combination to the next, about."""
    return CURVE_WIDTH * 72 / max(combinations, 1)


def on_one_line(name: str, longest: int) -> str:
    """Return a name that fits a line of so many characters: of a long one, the beginning."""
    written = as_label(name, 10 * len(name) + 2)  # no letter takes more when it is written out
    return written if len(written) <= longest else f"{written[: longest - 1]}…"
