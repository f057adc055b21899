"""F4: hazard of forgetting by class, one panel an architecture, classes in one order and named once."""

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retention.reporting.facets import ABREAST, TEXT, facets
from retention.reporting.lacking import not_drawn
from retention.reporting.look import Look
from retention.reporting.style import (
    GREY,
    LABEL,
    draw_intervals,
    footnote,
    headline,
    in_lines,
    name_x,
    select,
    width_of,
)
from retention.reporting.words import class_names, number, p_equals

SHOWN = 30  # the most and least forgotten where there are more classes
LABELS = 2.2  # inches of the classes' names
ROW = 0.19  # inches of a class with a name of one line
LINE = 0.135  # inches of a line more
PAGE = 8.0  # inches of the panels of a figure that stands on one page
NAME = 0.15  # inches of the word class beside the names
COUNTS = 0.6  # inches of the axis' ends and of the counts beside a panel


def draw(finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding's table alone."""
    rows = select(finding, ["class_hazard"]).copy()
    rows["class_name"] = class_names(rows)
    mean = rows.groupby("class_name")["estimate"].mean().sort_values(ascending=False)
    order, left_out = list(mean.index), 0
    if len(order) > SHOWN:
        left_out = len(order) - SHOWN
        order = order[: SHOWN // 2] + order[-SHOWN // 2 :]
    labels, cut = _labels(order)
    places, end = _places(labels, bool(left_out))
    names = look.ordered(rows["architecture"])
    widest = max(width_of(line, 8) for label in labels for line in label.split("\n"))
    figure, columns = facets(
        [look.title(name) for name in names],
        ROW * (end + 1),
        below=[_concordance(finding, name) for name in names],
        beside=widest + NAME + COUNTS * min(len(names), ABREAST),
        width=TEXT,
    )
    panels = [axes for (axes,) in columns]
    for place, (name, axes) in enumerate(zip(names, panels, strict=True)):
        of_name = rows[rows["architecture"] == name].set_index("class_name").reindex(order)
        draw_intervals(axes, of_name, labels, [look.colour(name)] * len(of_name), places)
        axes.set_ylim(end, -0.8)
        name_x(axes, "hazard of forgetting (per epoch)")
        axes.tick_params(axis="y", labelleft=place % ABREAST == 0)
        axes.set_ylabel("" if place % ABREAST else "class", fontsize=7)
        _write_counts(axes, of_name["n"], places)
        if left_out:
            _draw_gap(axes, places, left_out, place % ABREAST == 0)
    _share_widths(panels)
    headline(
        figure,
        "Hazard of forgetting by class (W: agreement of the runs' rankings, corrected p)",
    )
    long = "; … names are cut, class_forgetting.csv has them whole" * cut
    lacking = not_drawn(finding)
    absent = f"; not shown: {lacking}, which some run never learned" * bool(lacking)
    counts = "at the right: samples of the class that a run could forget, the mean over runs"
    footnote(figure, rows, f"| mean of all samples; {counts}{absent}{long}")
    return figure


def _labels(names: Sequence[str]) -> tuple[list[str], bool]:
    """Return the classes' names in lines, and whether some are cut: only where the figure would be longer than a page."""
    whole = [in_lines(name, LABELS, LABEL) for name in names]  # a break in a name is written out
    for most in (max(label.count("\n") + 1 for label in whole), 3, 2, 1):
        labels = [_at_most(label, most) for label in whole]
        if _places(labels, False)[1] * ROW <= PAGE:
            break
    return labels, labels != whole


def _at_most(label: str, lines: int) -> str:
    """Return a label of so many lines at most, an … where it is cut."""
    kept = label.split("\n")
    return label if len(kept) <= lines else "\n".join(kept[:lines]) + " …"


def _places(labels: Sequence[str], parted: bool) -> tuple[list[float], float]:
    """Return the height of every line and of the end, in rows: a long name takes more, a gap parts the two ends."""
    room = [1 + LINE / ROW * label.count("\n") for label in labels]
    places = [0.0]
    for place, (above, below) in enumerate(pairwise(room), start=1):
        gap = 1.5 * (parted and place == SHOWN // 2)
        places.append(places[-1] + (above + below) / 2 + gap)
    return places, places[-1] + room[-1] / 2 + 0.3


def _draw_gap(axes: Axes, places: Sequence[float], left_out: int, first: bool) -> None:
    """Draw where classes are left out between the most and the least forgotten; the first panel says how many."""
    middle = (places[SHOWN // 2 - 1] + places[SHOWN // 2]) / 2
    axes.axhline(middle, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    if first:
        beside = axes.get_yaxis_transform()
        text = f"{left_out} classes between "
        axes.text(
            0, middle, text, transform=beside, ha="right", va="center", fontsize=7, color=GREY
        )


def _write_counts(axes: Axes, counts: pd.Series, places: Sequence[float]) -> None:
    """Write at the right of a panel how many samples each class has; nothing for a class without an estimate."""
    beside = axes.get_yaxis_transform()
    for place, count in zip(places, counts, strict=True):
        if pd.notna(count):
            text = f"{count:,.0f}"
            axes.text(1.02, place, text, transform=beside, va="center", fontsize=6, color=GREY)


def _share_widths(panels: Sequence[Axes]) -> None:
    """Give panels one range of hazards."""
    limits = [axes.get_xlim() for axes in panels]
    for axes in panels:
        axes.set_xlim(min(low for low, _ in limits), max(high for _, high in limits))


def _concordance(finding: pd.DataFrame, architecture: str) -> str:
    found = finding[
        (finding["statistic"] == "kendalls_w") & (finding["comparison"] == architecture)
    ]
    if found.empty or pd.isna(found["estimate"].iloc[0]):
        return ""
    row = found.iloc[0]
    estimate, chance = number(row["estimate"]), number(row["chance"])
    tested = "" if pd.isna(row["p_corrected"]) else f", {p_equals(row['p_corrected'])}"
    return f"Kendall's W {estimate} (chance {chance}{tested})"
