"""F8: accuracy against the share of samples kept, and what a score is worth to another run."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retention.reporting.controls import in_label, with_controls
from retention.reporting.look import SEVERAL, Look
from retention.reporting.pruned import LOT, in_arms
from retention.reporting.style import (
    GREY,
    draw_intervals,
    draw_margin,
    footnote,
    grid_figure,
    headline,
    in_lines,
    legend,
    margin_signs,
    name_x,
    rows_height,
    select,
    tallest,
)
from retention.reporting.ticks import round_ticks
from retention.reporting.words import percent

COMPARED = ("gain_over_random", "transfer_loss")
MARKS = "osD^vP"  # of the sources of scores
STYLES = ("-", "-.", ":")  # of lines that share a colour
WHOLE: dict[str, Any] = {"marker": "*", "markersize": 6, "color": SEVERAL, "linestyle": "none"}
DODGE = 0.025  # of the shares' range: between two marks of one share
LINE = 0.1  # inches of a line of the legend
SAMPLE = 0.45  # inches of the legend before a name
CLOSE = 0.12  # of the width between the outer ticks: nearer ones would touch


def draw(finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding's table alone."""
    rows = with_controls(select(in_arms(finding), COMPARED))
    metric = rows["metric"].iloc[0]
    levels = select(finding, [metric])
    architectures = look.ordered(levels["architecture"])
    names = [
        f"{_in_lines(look.comparison(row['comparison']), in_label(row))}, n = {row['n']:.0f}"
        for _, row in rows.iterrows()
    ]
    room = 6.5 / len(architectures) - 0.7
    panels = {
        name: _ways(levels[levels["architecture"] == name], look, room / 2 - SAMPLE)
        for name in architectures
    }
    lines = max(sum(tallest([name]) for name, _ in ways) for ways in panels.values())
    heights = [2.4 + LINE * lines, 0.95 + rows_height(names, 0.34)]
    figure, (above, (below,)) = grid_figure(heights, len(architectures), whole_last=True)
    for axes, (architecture, ways) in zip(above, panels.items(), strict=True):
        _draw_levels(axes, ways, look.colour(architecture))
        axes.set_title(in_lines(look.title(architecture), room, 8), fontsize=8)
    metric = metric.replace("_", " ")
    above[0].set_ylabel(f"final {metric},\nheld-out samples", fontsize=7)
    for axes in above:
        legend(axes, fontsize=6, loc="upper left", bbox_to_anchor=(-0.02, -0.26), ncols=2)
    draw_intervals(below, rows, names, look.colours_of(rows))
    draw_margin(below, rows)
    name_x(below, f"difference in final {metric}, paired by seed")
    headline(figure, "Training on the samples that a score keeps")
    signs = f"{margin_signs(rows)}; verdict at the right; n: seeds; the upper panels have heights of their own"
    footnote(figure, rows, signs if len(architectures) > 1 else signs.rpartition(";")[0])
    return figure


def _in_lines(comparison: str, of_control: str) -> str:
    """Return a comparison in two lines; of_control: what the first arm's name ends with."""
    first, minus, second = comparison.partition(" minus ")
    return f"{first}{of_control}\nminus {second}" if minus else f"{first}{of_control}"


def _line_name(arms: pd.DataFrame, look: Look) -> str:
    """Return the title of the arms that a line joins; of several shares kept what their titles say beside the share."""
    names = [
        (look.title(str(arm["treatment"])), percent(arm["keep_fraction"]))
        for _, arm in arms.iterrows()
    ]
    if len(names) == 1:
        return names[0][0]
    rests = {title.replace(share, "").strip() for title, share in names}
    return rests.pop() if len(rests) == 1 else ", ".join(title for title, _ in names)


def _ways(levels: pd.DataFrame, look: Look, room: float) -> list[tuple[str, pd.DataFrame]]:
    """Return the ways to choose what is kept, each with its name and its arms; all samples last. room: inches of a name."""
    pruned = levels[levels["keep_fraction"] < 1]
    groups = [arms for _, arms in pruned.groupby(pruned["source"] + _further(pruned), sort=True)]
    ordered = [arms.sort_values("keep_fraction") for arms in groups]
    ways = [(in_lines(_line_name(arms, look), room, 6), arms) for arms in ordered]
    for _, whole in levels[levels["keep_fraction"] == 1].iterrows():
        name = in_lines(f"{look.title(str(whole['treatment']))}: all samples", room, 6)
        ways.append((name, whole.to_frame().T))
    return ways


def _draw_levels(axes: Axes, ways: Sequence[tuple[str, pd.DataFrame]], colour: str) -> None:
    """Draw the metric against the share kept: a mark for each way to choose what is kept, random pruning grey."""
    pruned = [(name, arms) for name, arms in ways if (arms["keep_fraction"] < 1).all()]
    whole = [(name, arm) for name, arm in ways if (arm["keep_fraction"] == 1).all()]
    shares = sorted({float(share) for _, arms in ways for share in arms["keep_fraction"]})
    for place, (name, arms) in enumerate(pruned):
        found = pd.concat([arms, *(arm for _, arm in whole)])
        apart = DODGE * (1 - shares[0]) * (place - (len(pruned) - 1) / 2)
        at = found["keep_fraction"] + apart * (found["keep_fraction"] < 1)
        by_lot = arms["source"].iloc[0] == LOT
        paint, line = (GREY, "--") if by_lot else (colour, STYLES[place % len(STYLES)])
        axes.plot(
            at.astype(float),
            found["estimate"].astype(float),
            MARKS[place % len(MARKS)],
            label=name,
            markersize=3.5,
            markevery=list(range(len(arms))),  # all samples have a mark of their own
            linewidth=1,
            color=paint,
            linestyle=line,
        )
        axes.vlines(at[: len(arms)], arms["low"], arms["high"], color=paint, linewidth=1)
    for name, arm in whole:
        axes.vlines(
            [1.0], arm["low"].astype(float), arm["high"].astype(float), color=SEVERAL, linewidth=1
        )
        axes.plot([1.0], arm["estimate"].astype(float), label=name, **WHOLE)
    name_x(axes, "share of the training samples that is kept")
    _tick_shares(axes, shares)
    round_ticks(axes.yaxis)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)


def _tick_shares(axes: Axes, shares: Sequence[float]) -> None:
    """Put ticks at the shares that were kept, at round ones where these lie too close."""
    if min((b - a for a, b in pairwise(shares)), default=1.0) < CLOSE * (shares[-1] - shares[0]):
        round_ticks(axes.xaxis, percent=True)
    else:
        axes.set_xticks(shares, [percent(share) for share in shares])


def _further(pruned: pd.DataFrame) -> pd.Series:
    """Return what tells ways apart beside the source of the score, "" where nothing else does."""
    scored = pruned[pruned["score"] != "random"]
    text = pd.Series("", index=pruned.index)
    for name in ("score", "keep"):
        if scored[name].nunique() > 1:
            text += (", " + pruned[name].fillna("")).where(pruned["score"] != "random", "")
    return text
