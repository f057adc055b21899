"""Mean retention against time with a band over seeds, and the means of the fitted curves."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retention.reporting.choices import level_in_words
from retention.reporting.facets import (
    caption_below,
    facets,
    grid_behind,
    label_rows,
    share_limits,
)
from retention.reporting.look import Look
from retention.reporting.style import NothingEstimable, headline, legend
from retention.reporting.ticks import round_ticks

OBSERVED = "observed"
# Curves may lie upon each other: a wide pale line shows beside a thin one, and each has a mark of its own.
LINES: dict[str, dict[str, Any]] = {
    "exponential": {"linestyle": "-", "marker": "s", "linewidth": 1.0},
    "exponential_floor": {"linestyle": "-", "marker": "^", "linewidth": 3.0, "color": "#b5b5b5"},
    "scaled_exponential": {"linestyle": "--", "marker": "x", "linewidth": 1.0},
    "power": {"linestyle": ":", "marker": "D", "linewidth": 1.2},
}
PLAIN: dict[str, Any] = {"color": "black", "markersize": 3.6, "markeredgewidth": 0.8}
PLAIN |= {"markerfacecolor": "white", "markeredgecolor": "black"}
# What the times of a retention trace count, where it is not the epochs since first learned.
TIMES = {
    "lag": "epochs after one that was right",
    "raw": "epoch",
    "from_first_loss": "epochs since first lost",
}
# What is averaged over the samples, where it is not whether they are right.
RETENTION = {
    "aligned": "share right\nsince first learned",
    "lag": "share right again",
    "raw": "share right",
    "from_first_loss": "share right\nsince first lost",
    "survival": "share never lost\nso far",
    "cumulative": "running mean of\nthe share right",
    "cumulative_events": "1 − events so far\nper epoch",
    "confidence": "probability\nof the label",
}
HEIGHT = 1.75  # inches of a panel


def draw(curves: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the series retention_curves."""
    if curves.empty:
        raise NothingEstimable("No sample has a fitted decay curve.")
    names = look.ordered(curves["architecture"])
    traces = list(dict.fromkeys(curves["definition"]))
    figure, columns = facets([look.title(name) for name in names], HEIGHT, len(traces))
    for place, trace in enumerate(traces):
        row = [panels[place] for panels in columns]
        for name, axes in zip(names, row, strict=True):
            chosen = (curves["definition"] == trace) & (curves["architecture"] == name)
            _draw(axes, curves[chosen], look.colour(name))
            axes.set_xlabel(TIMES.get(trace, "epochs since first learned"))
        share_limits(row)
        label_rows(row, RETENTION.get(trace, "mean retention"))
        legend(row[-1], fontsize=6, loc="best")
    headline(figure, "Retention after a sample is first learned")
    seeds = curves.groupby("architecture")["seed"].nunique().max()
    caption_below(
        figure,
        "dots: observed, mean of the seeds" if seeds > 1 else "dots: observed",
        "band: lowest to highest seed" * int(seeds > 1),
        "lines: mean of the curves fitted to each sample",
    )
    return figure


def _draw(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    if rows.empty:
        axes.text(0.5, 0.5, "no fit", ha="center", transform=axes.transAxes)
        return
    means = rows.pivot_table(index="time", columns=["statistic", "seed"], values="estimate")
    observed = means[OBSERVED]
    low, high = observed.min(axis=1), observed.max(axis=1)
    axes.fill_between(observed.index, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(observed.index, observed.mean(axis=1), "o", color=colour, markersize=3, zorder=3)
    fitted = [name for name in means.columns.unique(0) if name != OBSERVED]
    for place, name in enumerate(fitted):
        mean, how = means[name].mean(axis=1), PLAIN | LINES.get(name, {"linestyle": "-"})
        words, below = level_in_words("curve", name), how.get("linewidth", 1.0) > 2
        marks = (place, len(fitted))  # at other times than the others' marks
        axes.plot(mean.index, mean, label=words, markevery=marks, zorder=2 - 0.5 * below, **how)
    round_ticks(axes.xaxis, 6, whole=True)
    round_ticks(axes.yaxis)
    grid_behind(axes)
