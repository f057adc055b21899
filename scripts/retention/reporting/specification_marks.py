"""What the panels of a specification curve share: colours, widths, strokes and the lines of marked combinations."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention.reporting.specification import Specification
from retention.reporting.style import PALETTE

OWN, NAMED, MATCHING = "black", PALETTE[4], PALETTE[5]
CURVE_WIDTH = 4.0  # inches, about


def draw_guides(axes: Axes, found: Specification) -> None:
    """Draw a line through the panel where the study's own combination stands, and each that has a name."""
    for numbers, colour in ((numbers_named(found), NAMED), (found.own, OWN)):
        for place, one in enumerate(found.first.index, start=1):
            if one in numbers:
                axes.axvline(place, color=colour, linewidth=0.6, alpha=0.7, zorder=0.5)


def numbers_named(found: Specification) -> set[int]:
    """Return the numbers of the combinations that have a name, but for the study's own."""
    return {one for numbers in found.named.values() for one in numbers}


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
