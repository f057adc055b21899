"""F7: each treatment against its baselines, with the margin and the verdict."""

import pandas as pd
from matplotlib.figure import Figure

from retention.reporting.controls import in_label, with_controls
from retention.reporting.look import Look
from retention.reporting.style import (
    draw_intervals,
    draw_margin,
    footnote,
    headline,
    margin_signs,
    name_x,
    new_figure,
    rows_height,
    select,
)


def draw(finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding's table alone."""
    rows = with_controls(select(finding, ["difference"]))
    names = [
        f"{look.title(row['architecture'])}: {look.title(row['treatment'])}{in_label(row)}\nminus {look.title(row['baseline'])}, n = {row['n']:.0f} seeds"
        for _, row in rows.iterrows()
    ]
    figure, (axes,) = new_figure(1.45 + rows_height(names, 0.36))
    draw_intervals(axes, rows, names, look.colours_of(rows))
    draw_margin(axes, rows)
    metric = rows["metric"].iloc[0].replace("_", " ")
    name_x(axes, f"difference in final {metric}")
    headline(figure, f"Final {metric}, held-out: treatment minus baseline, paired by seed")
    footnote(figure, rows, f"{margin_signs(rows)}; verdict at the right")
    return figure
