"""F2: how well an exponential describes retention, and how much of that is chance."""

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
from retention.reporting.words import percent

NAMES = {
    "mean_r_squared": "mean R²",
    "excess_r_squared": "excess over the shuffled null",
    "difference_r_squared": "difference of mean R²",
    "difference_excess": "difference of the excess",
    "difference_matched_events": "difference, as many forgetting events",
}


def draw(finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding's table alone."""
    rows = select(finding, list(NAMES))
    names = [
        f"{look.comparison(row['comparison'])}\n{NAMES[row['statistic']]}, n = {row['n']:.0f}"
        for _, row in rows.iterrows()
    ]
    figure, (axes,) = new_figure(1.35 + rows_height(names, 0.34))
    draw_intervals(axes, rows, names, look.colours_of(rows))
    name_x(axes, "R², or difference of R²")
    constant = select(finding, ["constant_fraction"])
    shares = ", ".join(
        f"{look.comparison(r['comparison'])} {percent(r['estimate'])}"
        for _, r in constant.iterrows()
    )
    headline(figure, f"Fit of the exponential decay (constant traces, left out: {shares})")
    footnote(figure, rows, "| the same traces with their epochs shuffled, or no difference")
    return figure
