"""F3: agreement of forgetting between seeds, beside the agreement within one run."""

import pandas as pd
from matplotlib.figure import Figure

from retention.presentation.style import (
    colours,
    draw_intervals,
    footnote,
    headline,
    new_figure,
    select,
)

NAMES = {
    "spearman": "Spearman ρ between seeds",
    "spearman_ever_forgotten": "… among the ever-forgotten",
    "phi_ever_forgotten": "φ of ever-forgotten",
    "split_half": "split-half within a run",
}


def draw(finding: pd.DataFrame) -> Figure:
    """Return the figure, from the finding's table alone."""
    rows = select(finding, list(NAMES)).sort_values(
        "statistic", key=lambda s: s.map(list(NAMES).index), kind="stable"
    )
    figure, (axes,) = new_figure(1.2 + 0.3 * len(rows))
    names = [
        f"{NAMES[row['statistic']]}, {row['architecture']} (n = {row['n']:.0f})"
        for _, row in rows.iterrows()
    ]
    draw_intervals(axes, rows, names, colours(rows["architecture"].dropna()))
    headline(figure, "Is it the same samples in the next run?")
    footnote(figure, rows, "| no agreement; ▷ split-half within a run")
    return figure
