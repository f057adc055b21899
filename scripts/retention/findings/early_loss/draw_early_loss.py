"""F5: loss after head warm-up against the later decay constant."""

import pandas as pd
from matplotlib.figure import Figure

from retention.reporting.look import Look
from retention.reporting.style import (
    draw_intervals,
    footnote,
    headline,
    name_x,
    new_figure,
    rows_height,
    select,
)

NAMES = {
    "spearman": "within a run",
    "spearman_partial_class": "within a run, class taken off",
    "spearman_across_seeds": "loss and decay in different seeds",
}


def draw(finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding's table alone."""
    rows = select(finding, list(NAMES))
    names = [
        f"{look.title(row['architecture'])}, {NAMES[row['statistic']]} (n = {row['n']:.0f})"
        for _, row in rows.iterrows()
    ]
    figure, (axes,) = new_figure(1.35 + rows_height(names, 0.3))
    draw_intervals(axes, rows, names, look.colours_of(rows))
    name_x(axes, "Spearman rank correlation ρ")
    headline(figure, "Loss at epoch 0 against the decay constant from epoch 1 on (Spearman ρ)")
    footnote(figure, rows, "| no relation")
    return figure
