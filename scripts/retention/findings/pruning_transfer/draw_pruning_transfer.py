"""F8: accuracy against the share of samples kept, and what a score is worth to another run."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retention.reporting.look import Look
from retention.reporting.style import (
    GREY,
    colours,
    draw_intervals,
    draw_margin,
    footnote,
    grid_figure,
    headline,
    legend,
    margin_signs,
    select,
)

NAMES = {
    "gain_over_random": "{}\nminus random pruning",
    "transfer_loss": "same_seed\nminus {}",
}


def draw(finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding's table alone."""
    rows = select(finding, list(NAMES))
    metric = rows["metric"].iloc[0]
    levels = select(finding, [metric])
    architectures = sorted(levels["architecture"].unique())
    heights = [2.2, 0.8 + 0.34 * len(rows)]
    figure, (above, (below,)) = grid_figure(heights, len(architectures), whole_last=True)
    for axes, architecture in zip(above, architectures, strict=True):
        _draw_levels(axes, levels[levels["architecture"] == architecture])
        axes.set_title(architecture)
    above[0].set_ylabel(metric.replace("_", " "), fontsize=7)
    legend(above[0], fontsize=6, loc="best")
    names = [
        f"{row['architecture']}, keep {row['keep_fraction']:g}: "
        f"{NAMES[row['statistic']].format(row['source'])}, n = {row['n']:.0f}"
        for _, row in rows.iterrows()
    ]
    draw_intervals(below, rows, names, look.colours())
    draw_margin(below, rows)
    headline(
        figure, f"Training on the samples that a score keeps: {metric.replace('_', ' ')}, held-out"
    )
    footnote(figure, rows, f"{margin_signs(rows)}; n: seeds")
    return figure


def _draw_levels(axes: Axes, levels: pd.DataFrame) -> None:
    """Draw the metric against the share kept, a line for each source of the scores."""
    whole = levels[levels["keep_fraction"] == 1]
    pruned = levels[levels["keep_fraction"] < 1]
    ways = pruned["source"] + _further(pruned)
    tint = colours(sorted(set(ways)))
    for place, (way, found) in enumerate(pruned.groupby(ways, sort=True)):
        found = pd.concat([found.sort_values("keep_fraction"), whole])
        at = found["keep_fraction"] + 0.006 * (place - (len(tint) - 1) / 2) * (
            found["keep_fraction"] < 1
        )
        by_lot = way == "random pruning"
        colour, line = (GREY, "--") if by_lot else (tint[way], "-")
        axes.plot(
            at,
            found["estimate"],
            "o",
            label=way,
            markersize=3.5,
            linewidth=1,
            color=colour,
            linestyle=line,
        )
        axes.vlines(at, found["low"], found["high"], color=colour, linewidth=1)
    axes.set_xlabel("share of the samples kept", fontsize=7)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)


def _further(pruned: pd.DataFrame) -> pd.Series:
    """Return what tells ways apart beside the source of the score, "" where nothing else does."""
    scored = pruned[pruned["score"] != "random"]
    text = pd.Series("", index=pruned.index)
    for name in ("score", "keep"):
        if scored[name].nunique() > 1:
            text += (", " + pruned[name].fillna("")).where(pruned["score"] != "random", "")
    return text
