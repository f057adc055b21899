"""F3: agreement of forgetting between seeds, and what a sample's score is made of."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retention.reporting.few import in_label, sign_of_few
from retention.reporting.look import SEVERAL, Look
from retention.reporting.sources import SHARES, source_in_words
from retention.reporting.style import (
    draw_intervals,
    footnote,
    headline,
    name_x,
    rows_height,
    select,
    stacked_figure,
)

NAMES = {
    "spearman": "Spearman ρ between seeds",
    "spearman_ever_forgotten": "… among the ever-forgotten",
    "phi_ever_forgotten": "φ of ever-forgotten",
    "split_half": "split-half within a run",
}
LINE = 0.22  # inches


def draw(finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding's table alone."""
    rows = select(finding, list(NAMES)).sort_values(
        "statistic", key=lambda s: s.map(list(NAMES).index), kind="stable"
    )
    shares = finding[finding["statistic"].str.startswith(SHARES) & finding["estimate"].notna()]
    names = [
        f"{NAMES[row['statistic']]}, {look.title(row['architecture'])} (n = {row['n']:.0f}){in_label(row)}"
        for _, row in rows.iterrows()
    ]
    heights = [1.2 + rows_height(names, LINE)]
    heights += [0.75 + LINE * len(shares)] if len(shares) else []
    figure, panels = stacked_figure(heights)
    draw_intervals(panels[0], rows, names, look.colours_of(rows))
    name_x(panels[0], "correlation: Spearman's ρ, of yes or no φ")
    if len(shares):
        _draw_shares(panels[1], shares)
    headline(figure, "Is it the same samples in the next run?")
    signs = "| agreement by chance" + sign_of_few(rows)
    footnote(figure, pd.concat([rows, shares]), signs)
    return figure


def _draw_shares(axes: Axes, shares: pd.DataFrame) -> None:
    names = [source_in_words(statistic) for statistic in shares["statistic"]]
    draw_intervals(axes, shares, names, [SEVERAL] * len(shares))
    name_x(axes, "share of the variance")
    axes.set_title(f"What the ranks vary by (n = {shares['n'].iloc[0]:.0f})")
