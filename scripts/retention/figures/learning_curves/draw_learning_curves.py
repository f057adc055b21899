"""Accuracy and loss of every run over its epochs: seeds thin, their mean thick."""

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
from retention.reporting.style import NothingEstimable, headline
from retention.reporting.ticks import round_ticks

STYLES = {"train": "-", "test": "--"}
HEIGHT = 1.5  # inches of a panel


def draw(curves: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the series learning_curves."""
    if curves.empty:
        raise NothingEstimable("No run has been evaluated.")
    measures = [name for name in ("accuracy", "loss") if curves[name].notna().any()]
    names = look.ordered(curves["architecture"])
    tables = [curves[curves["architecture"] == name] for name in names]
    seeds = [rows["seed"].nunique() for rows in tables]
    titles = [look.title(name) for name in names]
    figure, columns = facets(titles, HEIGHT, len(measures), [plural(n, "seed") for n in seeds])
    for name, rows, panels in zip(names, tables, columns, strict=True):
        for measure, axes in zip(measures, panels, strict=True):
            _draw(axes, rows, measure, look.colour(name))
        panels[-1].set_xlabel("epoch")
    for place, measure in enumerate(measures):
        share_limits([panels[place] for panels in columns])
        label_rows([panels[place] for panels in columns], measure)
    headline(figure, "Learning curves")
    held_out = "solid: training samples; dashed: held-out samples"
    caption_below(
        figure,
        held_out * (set(curves["split"]) > {"train"}),
        "thin: a seed, thick: mean of the seeds" * (max(seeds) > 1),
    )
    return figure


def _draw(axes: Axes, rows: pd.DataFrame, measure: str, colour: str) -> None:
    """Draw a line per seed and split, and the mean of those seeds that have the epoch."""
    for split, found in rows.groupby("split", sort=False):
        style = STYLES.get(str(split), ":")
        by_seed = found.pivot(index="epoch", columns="seed", values=measure)
        for seed in by_seed:
            axes.plot(by_seed.index, by_seed[seed], style, color=colour, linewidth=0.6, alpha=0.5)
        means = by_seed.mean(axis=1)
        axes.plot(means.index, means, style, color=colour, linewidth=1.8, label=f"{split}, mean")
    round_ticks(axes.xaxis, 6, whole=True)
    round_ticks(axes.yaxis, percent=measure == "accuracy")
    grid_behind(axes)
