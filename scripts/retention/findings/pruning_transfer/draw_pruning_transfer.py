"""F8: accuracy against the share of samples kept, and what a score is worth to another run."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retention.reporting.look import SEVERAL, Look
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
)
from retention.reporting.ticks import round_ticks
from retention.reporting.words import percent

NAMES = {
    "gain_over_random": "scores of the {}\nless random pruning",
    "transfer_loss": "scores of the same seed\nless those of the {}",
}
MARKS = "osD^vP"  # of the sources of scores
STYLES = ("-", "-.", ":")  # of lines that share a colour
WHOLE: dict[str, Any] = {"marker": "*", "markersize": 6, "color": SEVERAL, "linestyle": "none"}
DODGE = 0.025  # of the shares' range: between two marks of one share
LOT = "random pruning"  # the source of what is kept by lot
CLOSE = 0.12  # of the width between the outer ticks: nearer ones would touch


def draw(finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding's table alone."""
    rows = select(finding, list(NAMES))
    metric = rows["metric"].iloc[0]
    levels = select(finding, [metric])
    architectures = look.ordered(levels["architecture"])
    names = [
        f"{look.title(row['architecture'])}, {percent(row['keep_fraction'])} kept: "
        f"{NAMES[row['statistic']].format(in_words(row['source']))}, n = {row['n']:.0f}"
        for _, row in rows.iterrows()
    ]
    heights = [2.9, 0.95 + rows_height(names, 0.34)]
    figure, (above, (below,)) = grid_figure(heights, len(architectures), whole_last=True)
    for axes, architecture in zip(above, architectures, strict=True):
        _draw_levels(
            axes, levels[levels["architecture"] == architecture], look.colour(architecture)
        )
        room = 6.5 / len(architectures) - 0.7
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


def in_words(source: str) -> str:
    """Return where scores come from as a reader says it."""
    return source.replace("_", " ")


def _draw_levels(axes: Axes, levels: pd.DataFrame, colour: str) -> None:
    """Draw the metric against the share kept: a mark for each source of the scores, random pruning grey."""
    whole = levels[levels["keep_fraction"] == 1]
    pruned = levels[levels["keep_fraction"] < 1]
    ways = pruned["source"].map(in_words) + _further(pruned)
    number, span = ways.nunique(), 1 - levels["keep_fraction"].min()
    for place, (way, found) in enumerate(pruned.groupby(ways, sort=True)):
        found = pd.concat([found.sort_values("keep_fraction"), whole])
        apart = DODGE * span * (place - (number - 1) / 2)
        at = found["keep_fraction"] + apart * (found["keep_fraction"] < 1)
        by_lot = way == LOT
        paint, line = (GREY, "--") if by_lot else (colour, STYLES[place % len(STYLES)])
        axes.plot(
            at,
            found["estimate"],
            MARKS[place % len(MARKS)],
            label=way if by_lot else f"scores of the {way}",
            markersize=3.5,
            markevery=list(range(len(found) - len(whole))),  # all samples have a mark of their own
            linewidth=1,
            color=paint,
            linestyle=line,
        )
        cut = found["keep_fraction"] < 1
        axes.vlines(at[cut], found["low"][cut], found["high"][cut], color=paint, linewidth=1)
    axes.vlines(1, whole["low"], whole["high"], color=SEVERAL, linewidth=1)
    axes.plot(whole["keep_fraction"], whole["estimate"], label="all samples", **WHOLE)
    name_x(axes, "share of the training samples that is kept")
    _tick_shares(axes, sorted(levels["keep_fraction"].unique()))
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
            text += (", " + pruned[name].fillna("").map(in_words)).where(
                pruned["score"] != "random", ""
            )
    return text
