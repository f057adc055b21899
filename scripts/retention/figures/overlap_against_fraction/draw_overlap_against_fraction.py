"""Overlap of the most-forgotten samples against the top fraction, within and between architectures."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retention.common.lists import plural
from retention.reporting.facets import (
    caption_below,
    facets,
    grid_behind,
    label_rows,
    share_limits,
)
from retention.reporting.look import Look
from retention.reporting.style import GREY, NothingEstimable, headline, in_lines, legend
from retention.reporting.ticks import round_ticks

HEIGHT = 2.1  # inches of a panel
BAND = "#d9d9d9"
MOST = 6  # comparisons that have a panel each: those of three architectures
LINES = 2  # of a name in the legend
BY_LOT = 0.5  # share of the places above which ties decide


def draw(overlaps: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the series overlap_against_fraction."""
    if overlaps.empty:
        raise NothingEstimable("There is one run, and an overlap needs two.")
    kinds = overlaps[["comparison", "architecture"]].drop_duplicates()
    within = look.ordered(kinds["architecture"].dropna())
    between = sorted(kinds.loc[kinds["architecture"].isna(), "comparison"])
    same = [f"{name} vs {name}" for name in within]
    panels = [[kind] for kind in same + between]
    if len(panels) > MOST:
        panels = [group for group in (same, between) if group]
    tables = [overlaps[overlaps["comparison"].isin(group)] for group in panels]
    titles = [_title(group, look) for group in panels]
    figure, columns = facets(titles, HEIGHT, 1, [_pairs(rows) for rows in tables])
    found = [axes for (axes,) in columns]
    for group, rows, axes in zip(panels, tables, found, strict=True):
        _draw(axes, rows, group, look)
        axes.set_xlabel("top fraction of the samples")
    share_limits(found)
    label_rows(found, "overlap (Jaccard)")
    headline(figure, "Overlap of the most-forgotten samples")
    caption_below(
        figure,
        "thin: a pair of runs, thick: mean of the pairs"
        if len(panels) == len(same + between)
        else "a line: mean over the pairs of runs",
        "grey: two random lists, 95 %",
        "dotted: ties leave most places to chance" * bool((overlaps["by_lot"] > BY_LOT).any()),
        "upright: the study's fraction",
    )
    return figure


def _title(group: Sequence[str], look: Look) -> str:
    if len(group) > 1:
        return "each architecture" if _is_within(group[0]) else "each pair of architectures"
    return look.pair(group[0])


def _pairs(rows: pd.DataFrame) -> str:
    pairs = len(rows[["comparison", "seed", "other_seed"]].drop_duplicates())
    words = "between seeds" if rows["architecture"].notna().any() else "between architectures"
    return f"{words}, {plural(pairs, 'pair')}"


def _is_within(kind: str) -> bool:
    one, other = kind.split(" vs ")
    return one == other


def _draw(axes: Axes, rows: pd.DataFrame, group: Sequence[str], look: Look) -> None:
    chance = rows.groupby("fraction")[["chance", "chance_low", "chance_high"]].mean()
    low, high = chance["chance_low"], chance["chance_high"]
    axes.fill_between(chance.index, low, high, color=BAND, linewidth=0)
    axes.plot(chance.index, chance["chance"], color=GREY, linewidth=1)
    if rows["own"].any():
        axes.axvline(rows.loc[rows["own"], "fraction"].iloc[0], color=GREY, linewidth=0.6)
    apart = len({look.colour_of(kind) for kind in group}) == len(group)  # else no legend tells them
    for kind in group:
        found = rows[rows["comparison"] == kind]
        colour = look.colour_of(kind) if apart else GREY
        if len(group) == 1:
            for _, pair in found.groupby(["seed", "other_seed"]):
                axes.plot(
                    pair["fraction"], pair["estimate"], color=colour, linewidth=0.6, alpha=0.45
                )
        means = found.groupby("fraction")[["estimate", "by_lot"]].mean()
        name = _short(in_lines(look.pair(kind), 1.5, 6))
        _draw_mean(axes, means, colour, 2 if len(group) == 1 else 1.1, name)
    if len(group) > 1 and apart:
        legend(axes, fontsize=6, loc="best")
    round_ticks(axes.xaxis, percent=True)
    round_ticks(axes.yaxis)
    axes.set_xlim(0, rows["fraction"].max() * 1.02)
    axes.set_ylim(bottom=0)
    grid_behind(axes)


def _short(name: str) -> str:
    """Return a name of several lines, cut at `LINES`."""
    lines = name.split("\n")
    return name if len(lines) <= LINES else "\n".join(lines[:LINES]) + " …"


def _draw_mean(axes: Axes, means: pd.DataFrame, colour: str, width: float, name: str) -> None:
    """Draw the mean of the pairs, dotted where most places are given by lot and on the way there."""
    by_lot = means["by_lot"].to_numpy() > BY_LOT
    beside = by_lot | np.r_[by_lot[1:], False] | np.r_[False, by_lot[:-1]]
    for chosen, style in ((~by_lot, "-"), (beside, ":")):
        line = means["estimate"].where(chosen)
        label = name if style == "-" else None
        axes.plot(line.index, line, style, color=colour, linewidth=width, label=label)
