"""F6: what ensembles hold, mixed ones beside those of one architecture, at the end and by epoch."""

from collections import Counter
from itertools import cycle
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retention.reporting.ensembles import without_majority_of_two
from retention.reporting.look import PALETTE, SEVERAL, Look
from retention.reporting.style import (
    GREY,
    footnote,
    grid_figure,
    headline,
    in_lines,
    legend,
    name_x,
    row_labels,
    rows_height,
    select,
)
from retention.reporting.ticks import round_ticks

RULES = {
    "any": "a member is right",
    "majority": "most of three are right",  # of two both: no majority is asked
    "average": "averaged probabilities are right",
}
# Rules are of no architecture, whose colours stay their own: black and grey, and a mark each that is told by its shape.
TINT = {"any": SEVERAL, "majority": "#777777", "average": "#777777"}
MARKS: dict[str, dict[str, Any]] = {
    "any": {"marker": "o"},
    "majority": {"marker": "s", "markerfacecolor": "white"},
    "average": {"marker": "D", "markersize": 3.6},
}
OF_LINES = "osD^vPX"  # marks of the lines by epoch
SPLITS = {"train": "training samples", "test": "held-out samples"}
HOW = {
    "from_better": "less the more accurate alone",
    "matched": "less one kind, about as accurate",
}
SHARE = "share of the samples"
LINE = 0.42  # inches
APART = 0.24  # of a line: what lies between two rules
LEGEND = 1.8  # inches of the names of lines, which stand where the panels above have labels
TITLES = 1.4  # inches of the titles of panels, which stand beside long labels


def draw(finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding's table alone."""
    finding = without_majority_of_two(finding)
    rows = select(finding, [f"coverage_{rule}" for rule in RULES])
    kinds = list(dict.fromkeys(rows["comparison"]))
    splits = [split for split in SPLITS if split in set(rows["split"])] or list(
        dict.fromkeys(rows["split"])
    )
    differences = _from_one(finding, look)
    labels = list(dict.fromkeys(differences["label"]))
    by_epoch = finding[finding["statistic"].str.startswith("epoch_") & (finding["size"] < 3)]
    heights = [1.05 + rows_height([short(kind, look) for kind in kinds], LINE)]
    heights += [0.85 + rows_height(labels, LINE)] if labels else []
    heights += [1.8] if len(by_epoch) else []
    figure, axes = grid_figure(heights, len(splits))
    for column, split in enumerate(splits):
        panels = [row[column] for row in axes]
        _draw_coverage(panels.pop(0), rows[rows["split"] == split], kinds, split, look)
        if labels:
            _draw_differences(panels.pop(0), differences[differences["split"] == split], labels)
        if panels:
            _draw_epochs(panels.pop(0), by_epoch[by_epoch["split"] == split], look)
        if column:
            for row in axes[: 1 + bool(labels)]:
                row[column].set_yticklabels([])
    legend(axes[0][0], fontsize=6, loc="upper right", bbox_to_anchor=(-0.12, 1.16))
    if len(by_epoch):  # left of the axis, where the panels above have their labels
        legend(axes[-1][0], fontsize=6, loc="upper right", bbox_to_anchor=(-0.3, 1.05))
    headline(figure, "Share of the samples that an ensemble of two or three runs gets right")
    signs = "| a single run on average, or no difference; ▷ if members' errors were independent"
    footnote(figure, rows, signs)
    return figure


def short(comparison: str, look: Look) -> str:
    """Return an ensemble's name with the titles of its members, repeated ones counted."""
    counts = Counter(map(look.title, comparison.split(" + ")))
    return " + ".join(f"{n} × {name}" if n > 1 else name for name, n in counts.items())


def _draw_coverage(
    axes: Axes, rows: pd.DataFrame, kinds: list[str], split: str, look: Look
) -> None:
    named = set()
    for place, kind in enumerate(kinds):
        of_kind = rows[rows["comparison"] == kind].set_index("statistic")
        for shift, (rule, name) in enumerate(RULES.items()):
            if f"coverage_{rule}" not in of_kind.index:
                continue
            row, height = of_kind.loc[f"coverage_{rule}"], place + APART * (shift - 1)
            _draw_mark(axes, row, height, rule, None if rule in named else name)
            named.add(rule)
            if pd.notna(row["ceiling"]):
                axes.plot(row["ceiling"], height, ">", color=GREY, markersize=4, fillstyle="none")
        if len(of_kind):
            axes.plot(of_kind["chance"].iloc[0], place, "|", color=GREY, markersize=22)
    axes.set_yticks(range(len(kinds)), row_labels(short(kind, look) for kind in kinds))
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    axes.margins(x=0.06)
    round_ticks(axes.xaxis)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    name_x(axes, SHARE)
    text = f"{SPLITS.get(split, split)} (n = {rows['n'].iloc[0]:.0f})"
    axes.set_title(in_lines(text, TITLES, 8), fontsize=8)


def _draw_mark(axes: Axes, row: pd.Series, height: float, rule: str, label: str | None) -> None:
    """Draw an estimate with its interval as a rule is drawn; label: of the legend, if it is to name the rule."""
    if pd.notna(row["low"]):
        axes.plot([row["low"], row["high"]], [height] * 2, color=TINT[rule])
    how: dict[str, Any] = {
        "linestyle": "none",
        "color": TINT[rule],
        "markersize": 4,
        "label": label,
    } | MARKS[rule]
    axes.plot(row["estimate"], height, **how)


def _from_one(finding: pd.DataFrame, look: Look) -> pd.DataFrame:
    """Return the differences from one architecture of pairs and triples, with a label for those of all rules."""
    wanted = [f"difference_{rule}_{how}" for rule in RULES for how in HOW]
    rows = finding[finding["statistic"].isin(wanted) & finding["estimate"].notna()].copy()
    names = rows["statistic"].str.extract("^difference_([a-z]+)_(.*)$")
    rows["rule"] = names[0]
    mixed = rows["comparison"].str.split(" minus ").str[0]
    rows["label"] = mixed.map(lambda kind: short(kind, look)) + "\n" + names[1].map(HOW)
    return rows


def _draw_differences(axes: Axes, rows: pd.DataFrame, labels: list[str]) -> None:
    for place, label in enumerate(labels):
        found = rows[rows["label"] == label]
        for _, row in found.iterrows():
            shift = [*RULES].index(row["rule"])
            _draw_mark(axes, row, place + APART * (shift - 1), row["rule"], None)
        if found.empty:
            at = axes.get_yaxis_transform()
            axes.text(0.02, place, "no match", fontsize=6, color=GREY, transform=at, va="center")
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_yticks(range(len(labels)), row_labels(labels))
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.margins(x=0.08)
    round_ticks(axes.xaxis)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    name_x(axes, f"difference in {SHARE}")
    axes.set_title("mixed less unmixed", fontsize=8)


def _draw_epochs(axes: Axes, rows: pd.DataFrame, look: Look) -> None:
    chosen = rows[rows["statistic"].isin(["epoch_coverage_any", "epoch_member_accuracy"])]
    of_architectures = look.colours().values()
    others = cycle([colour for colour in PALETTE if colour not in of_architectures] or [SEVERAL])
    for mark, (kind, found) in zip(
        cycle(OF_LINES), chosen.groupby("comparison", sort=True), strict=False
    ):
        members = kind.split(" + ")
        style = ":" if len(members) == 1 else "-" if len(set(members)) == 1 else "--"
        found = found.sort_values("epoch")
        colour = look.colour(members[0]) if len(set(members)) == 1 else next(others)
        label = in_lines(short(kind, look), LEGEND, 6)
        marked: dict[str, Any] = {"marker": mark, "markersize": 3, "linewidth": 1.1}
        axes.plot(found["epoch"], found["estimate"], style, color=colour, label=label, **marked)
    name_x(axes, "epoch")
    round_ticks(axes.xaxis, whole=True)
    round_ticks(axes.yaxis)
    axes.set_ylabel(SHARE, fontsize=7)
    axes.set_title("a member is right, by epoch", fontsize=8)
    axes.grid(color="#e6e6e6", linewidth=0.6)
