"""F1: overlap of the most-forgotten samples between and within architectures."""

import pandas as pd
from matplotlib.figure import Figure

from retention.reporting.few import in_label, sign_of_few
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

NAMES = {"jaccard": "different seeds", "jaccard_same_seed": "same seed"}


def draw(finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding's table alone."""
    rows = select(finding, list(NAMES))
    names = [
        f"{look.pair(row['comparison'])}\n{NAMES[row['statistic']]}, n = {row['n']:.0f}{in_label(row)}"
        for _, row in rows.iterrows()
    ]
    figure, (axes,) = new_figure(1.35 + rows_height(names, 0.34))
    draw_intervals(axes, rows, names, look.colours_of(rows))
    name_x(axes, "Jaccard overlap: shared samples over samples in either list")
    headline(figure, "Overlap of the most-forgotten samples (Jaccard)")
    signs = "| two random subsets; ▷ √(within · within)"
    footnote(figure, rows, signs + sign_of_few(rows))
    return figure
