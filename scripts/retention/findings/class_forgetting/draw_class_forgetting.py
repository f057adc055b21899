"""F4: hazard of forgetting by class, one panel an architecture, classes in one order."""

import pandas as pd
from matplotlib.figure import Figure

from retention.reporting.look import Look
from retention.reporting.style import (
    as_label,
    draw_intervals,
    footnote,
    headline,
    new_figure,
    select,
    tallest,
)
from retention.reporting.words import class_names

LABELS = 64  # characters of the panels' labels beside each other
TITLES = 92  # of their titles
SHOWN = 30  # the most and least forgotten where there are more classes


def draw(finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding's table alone."""
    rows = select(finding, ["class_hazard"]).copy()
    rows["class_name"] = class_names(rows)
    mean = rows.groupby("class_name")["estimate"].mean().sort_values(ascending=False)
    order = list(mean.index)
    if len(order) > SHOWN:
        order = order[: SHOWN // 2] + order[-SHOWN // 2 :]
    architectures = sorted(rows["architecture"].unique())
    labels = {name: as_label(name, LABELS // len(architectures)) for name in order}
    height = 1.4 + 0.19 * tallest(labels.values()) * len(order)
    figure, panels = new_figure(height, len(architectures))
    for axes, architecture in zip(panels, architectures, strict=True):
        chosen = rows[rows["architecture"] == architecture].set_index("class_name")
        chosen = chosen.reindex([name for name in order if name in chosen.index])
        names = [f"{labels[name]} (n = {row['n']:.0f})" for name, row in chosen.iterrows()]
        draw_intervals(axes, chosen, names, look.colours())
        title = architecture + _concordance(finding, architecture)
        room = TITLES // len(architectures)
        shown = title if len(title) <= room else as_label(title, room * 2 // 3)
        axes.set_title(shown, loc="right")  # the labels on its left give it room
    headline(
        figure,
        "Hazard of forgetting by class (W: agreement of the runs' rankings, corrected p)",
    )
    footnote(figure, rows, "| mean of all samples")
    return figure


def _concordance(finding: pd.DataFrame, architecture: str) -> str:
    found = finding[
        (finding["statistic"] == "kendalls_w") & (finding["comparison"] == architecture)
    ]
    if found.empty or pd.isna(found["estimate"].iloc[0]):
        return ""
    row = found.iloc[0]
    return f": W {row['estimate']:.2f} (chance {row['chance']:.2f}, p {row['p_corrected']:.2g})"
