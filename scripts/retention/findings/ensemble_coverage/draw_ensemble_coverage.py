"""F6: what ensembles hold, mixed ones beside those of one architecture, at the end and by epoch."""

from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retention.reporting.ensembles import without_majority_of_two
from retention.reporting.look import SEVERAL, Look
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
# Colours are those of the members: rules are told by the shape of their marks.
MARKS: dict[str, dict[str, Any]] = {
    "any": {"marker": "o"},
    "majority": {"marker": "s", "markerfacecolor": "white"},
    "average": {"marker": "D", "markersize": 3.6, "alpha": 0.75},
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
ABOVE = 0.1  # of a line: from an estimate up to the mark of independent errors
THESE = "these runs"  # what an interval is about that knows of no others
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
            of_split = differences[differences["split"] == split]
            _draw_differences(panels.pop(0), of_split, labels, look)
        if panels:
            _draw_epochs(panels.pop(0), by_epoch[by_epoch["split"] == split], look)
        if column:
            for row in axes[: 1 + bool(labels)]:
                row[column].set_yticklabels([])
    legend(axes[0][0], fontsize=6, loc="upper right", bbox_to_anchor=(-0.12, 1.16))
    if len(by_epoch):  # left of the axis, where the panels above have their labels
        legend(axes[-1][0], fontsize=6, loc="upper right", bbox_to_anchor=(-0.3, 1.05))
    headline(figure, "Share of the samples that an ensemble of two or three runs gets right")
    signs = "| a single run on average, or no difference; ▽ if members' errors were independent"
    if starred := _of_these_alone(rows, "comparison"):
        rows = rows[~rows["comparison"].isin(starred)]
        signs += f"; * interval about {THESE} alone"
    footnote(figure, rows, signs)
    return figure


def _of_these_alone(rows: pd.DataFrame, column: str) -> set[str]:
    """Return the names whose intervals are about these runs alone; none where all are."""
    found = set(rows.loc[rows["target"] == THESE, column])
    return found if found != set(rows[column]) else set()


def _starred(names: Sequence[str], starred: set[str], labels: Sequence[str]) -> list[str]:
    """Return labels, with a star those of names that have one."""
    pairs = zip(names, labels, strict=True)
    return row_labels(f"{label} *" if name in starred else label for name, label in pairs)


def short(comparison: str, look: Look) -> str:
    """Return an ensemble's name with the titles of its members, repeated ones counted."""
    counts = Counter(map(look.title, comparison.split(" + ")))
    return " + ".join(f"{n} × {name}" if n > 1 else name for name, n in counts.items())


def _draw_coverage(
    axes: Axes, rows: pd.DataFrame, kinds: list[str], split: str, look: Look
) -> None:
    for name, mark in _marks_of(rows):
        axes.plot([], [], label=name, linestyle="none", color=SEVERAL, **{"markersize": 4} | mark)
    for place, kind in enumerate(kinds):
        of_kind = rows[rows["comparison"] == kind].set_index("statistic")
        for shift, rule in enumerate(RULES):
            if f"coverage_{rule}" not in of_kind.index:
                continue
            row, height = of_kind.loc[f"coverage_{rule}"], place + APART * (shift - 1)
            _draw_mark(axes, row, height, rule, look.colour_of(kind))
            if pd.notna(row["ceiling"]):  # above the line, whose dot it often meets
                at = height - ABOVE
                axes.plot(row["ceiling"], at, "v", color=GREY, markersize=3.5, fillstyle="none")
        if len(of_kind):
            axes.plot(of_kind["chance"].iloc[0], place, "|", color=GREY, markersize=22)
    shown = [short(kind, look) for kind in kinds]
    starred = _of_these_alone(rows, "comparison")
    axes.set_yticks(range(len(kinds)), _starred(kinds, starred, shown))
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    axes.margins(x=0.06)
    round_ticks(axes.xaxis)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    name_x(axes, SHARE)
    text = f"{SPLITS.get(split, split)} (n = {rows['n'].iloc[0]:.0f})"
    axes.set_title(in_lines(text, TITLES, 8), fontsize=8)


def _marks_of(rows: pd.DataFrame) -> list[tuple[str, dict[str, Any]]]:
    """Return the names and marks of the rules that a panel shows."""
    shown = set(rows["statistic"])
    return [(RULES[rule], MARKS[rule]) for rule in RULES if f"coverage_{rule}" in shown]


def _draw_mark(axes: Axes, row: pd.Series, height: float, rule: str, colour: str) -> None:
    """Draw an estimate with its interval; the mark is the rule's."""
    if pd.notna(row["low"]):
        axes.plot([row["low"], row["high"]], [height] * 2, color=colour, linewidth=1.2)
    how: dict[str, Any] = {"linestyle": "none", "color": colour, "markersize": 4} | MARKS[rule]
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


def _draw_differences(axes: Axes, rows: pd.DataFrame, labels: list[str], look: Look) -> None:
    for place, label in enumerate(labels):
        found = rows[rows["label"] == label]
        for _, row in found.iterrows():
            shift = [*RULES].index(row["rule"])
            colour = look.colour_of(row["comparison"])
            _draw_mark(axes, row, place + APART * (shift - 1), row["rule"], colour)
        if found.empty:
            at = axes.get_yaxis_transform()
            axes.text(0.02, place, "no match", fontsize=6, color=GREY, transform=at, va="center")
    axes.axvline(0, color=GREY, linewidth=0.8)
    starred = _of_these_alone(rows, "label")
    axes.set_yticks(range(len(labels)), _starred(labels, starred, labels))
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.margins(x=0.08)
    round_ticks(axes.xaxis)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    name_x(axes, f"difference in {SHARE}")
    axes.set_title("mixed less unmixed", fontsize=8)


def _draw_epochs(axes: Axes, rows: pd.DataFrame, look: Look) -> None:
    chosen = rows[rows["statistic"].isin(["epoch_coverage_any", "epoch_member_accuracy"])]
    for mark, (kind, found) in zip(
        cycle(OF_LINES), chosen.groupby("comparison", sort=True), strict=False
    ):
        members = kind.split(" + ")
        style = ":" if len(members) == 1 else "-" if len(set(members)) == 1 else "--"
        found = found.sort_values("epoch")
        colour = look.colour_of(kind)
        label = in_lines(short(kind, look), LEGEND, 6)
        marked: dict[str, Any] = {"marker": mark, "markersize": 3, "linewidth": 1.1}
        axes.plot(found["epoch"], found["estimate"], style, color=colour, label=label, **marked)
    name_x(axes, "epoch")
    round_ticks(axes.xaxis, whole=True)
    round_ticks(axes.yaxis)
    axes.set_ylabel(SHARE, fontsize=7)
    axes.set_title("a member is right, by epoch", fontsize=8)
    axes.grid(color="#e6e6e6", linewidth=0.6)
