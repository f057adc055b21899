"""The last panel of a specification curve: what errors that others could make give, beside the study's own number."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from retention.reporting.choices import (
    dimension_in_words,
    level_in_words,
    statistic_in_words,
)
from retention.reporting.estimate_panels import statistic_of
from retention.reporting.look import NO_STUDY, Look
from retention.reporting.specification import Specification
from retention.reporting.specification_marks import on_one_line
from retention.reporting.style import GREY, as_label

LONGEST = 24  # characters of a name in the legend
LINE = 0.14  # inches of the legend
ONE_LINE = 48  # characters of all names, which then stand on one line
BELOW = 0.34  # inches from the axis to the legend


def height_of_faults(found: Specification) -> float:
    """Return the height of the panel, inches."""
    names = found.shown if len(found.shown) > 1 else []
    return 0.7 + 0.16 * (1 + len(found.faults)) + LINE * -(-len(names) // _columns(names))


def draw_faults(
    axes: Axes, found: Specification, tint: Mapping[str, str], look: Look = NO_STUDY
) -> None:
    """Draw what errors give beside the study's own number, a line each; tint: a colour per comparison."""
    shown = found.shown
    for column, name in enumerate(shown):
        own = found.rows[name].loc[list(found.own)].iloc[:1]
        tables = [own, *(rows.loc[rows.index == name] for _, rows in found.faults)]
        shift = 0.24 * (column - (len(shown) - 1) / 2)
        for place, rows in enumerate(tables):
            if rows["estimate"].notna().any():
                _draw_line(axes, rows.iloc[0], place + shift, tint[name])
    errors = (as_label(_in_words(wrong), 40) for wrong, _ in found.faults)
    names = ["this study's own", *errors]
    axes.set_yticks(range(len(names)), names, fontsize=6.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="x", labelsize=7)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title("errors that others could make, counted nowhere above", fontsize=8, pad=2)
    axes.set_xlabel(statistic_in_words(statistic_of(found.first)), fontsize=7, labelpad=2)
    if len(shown) > 1:
        _legend(axes, {look.comparison(name): tint[name] for name in shown})


def _draw_line(axes: Axes, row: pd.Series, place: float, colour: str) -> None:
    """Draw an estimate on a line of its own, with its interval and chance."""
    if pd.notna(row["low"]):
        axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.1)
    axes.plot(row["estimate"], place, "o", color=colour, markersize=3)
    if pd.notna(row["chance"]):
        axes.plot(row["chance"], place, "|", color=GREY, markersize=5)


def _legend(axes: Axes, tint: Mapping[str, str]) -> None:
    """Name the comparisons' colours below the axis."""
    assert axes.figure is not None
    lines = [Line2D([], [], color=colour, marker="o", markersize=3) for colour in tint.values()]
    below = axes.transAxes + ScaledTranslation(0, -BELOW, axes.figure.dpi_scale_trans)
    axes.legend(
        lines,
        [on_one_line(name, LONGEST) for name in tint],
        ncols=_columns([*tint]),
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=below,
        fontsize=6.5,
        borderpad=0,
        borderaxespad=0,
        handlelength=1.6,
    )


def _columns(names: Sequence[str]) -> int:
    """Return how many names stand side by side in the legend."""
    return 2 if sum(map(len, names)) > ONE_LINE else max(1, len(names))


def _in_words(wrong: Mapping[str, str]) -> str:
    """Return the levels that are errors, with their choices."""
    return ", ".join(
        f"{dimension_in_words(name)} {level_in_words(name, level)}" for name, level in wrong.items()
    )
