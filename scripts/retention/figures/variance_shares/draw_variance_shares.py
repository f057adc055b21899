"""Shares of the variance of forgetting: what every run shares, what one architecture's, what is one run's alone."""

from collections.abc import Mapping
from itertools import accumulate

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from retention.reporting.facets import caption_below
from retention.reporting.look import Look
from retention.reporting.sources import SHARES, SOURCES
from retention.reporting.style import (
    GREY,
    NothingEstimable,
    draw_intervals,
    grid_figure,
    headline,
    name_x,
    rows_height,
)
from retention.reporting.ticks import round_ticks
from retention.reporting.words import number, percent

SCORES = "variance_"  # how statistics that are shares of the scores' own variance begin
EVERY, ARCHITECTURE, RUN = "every run", "one architecture", "one run"
# Of no architecture, whose colours stay their own: black, grey and pale.
TINT = {EVERY: "#222222", ARCHITECTURE: "#777777", RUN: "#b0b0b0"}
SHARED = {
    EVERY: "shared by all runs",
    ARCHITECTURE: "by the runs of one architecture",
    RUN: "one run's alone",
}
KINDS = {
    "class": EVERY,
    "sample": EVERY,
    "class_x_architecture": ARCHITECTURE,
    "sample_x_architecture": ARCHITECTURE,
    "seed": RUN,
    "class_x_seed": RUN,
    "residual": RUN,
}
LINE = 0.24  # inches of a source
BAR = 0.85  # inches of the bar that has all shares
LEAST = 0.07  # of the bar: narrower parts have no room for a number
NONE = "Shares of the variance need two seeds or more of every architecture, as many of each, and classes with two groups or more."


def draw(finding: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the table of seed_stability; raise `NothingEstimable` where it has no shares."""
    rows = _of(finding, SHARES)
    if rows.empty:
        raise NothingEstimable(NONE)
    names = [SOURCES[source] for source in rows.index]
    heights = [BAR, 0.9 + rows_height(names, LINE)]
    figure, ((above,), (below,)) = grid_figure(heights, 1, whole_last=True)
    _draw_bar(above, rows["estimate"])
    _draw_lines(below, rows, _of(finding, SCORES), names)
    headline(figure, _title(rows))
    caption_below(
        figure,
        f"dot, line: share of the variance of ranks and 95 % interval (about: {rows['target'].iloc[0]})"
        if rows["low"].notna().any()
        else "dot: share of the variance of ranks; too few samples were forgotten for intervals",
        "◇ of the scores themselves" * bool(len(_of(finding, SCORES))),
        "a share below 0 is one about 0" * bool((rows["estimate"] < 0).any()),
        "percentages are rounded",
        f"{rows['n'].iloc[0]:,.0f} samples with a score in every run",
    )
    return figure


def _of(finding: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Return the rows of the sources that have an estimate, by source."""
    known = {f"{prefix}{source}": source for source in SOURCES}
    rows = finding[finding["statistic"].isin(known) & finding["estimate"].notna()]
    rows = rows.set_index(rows["statistic"].map(known))
    return rows.reindex([source for source in SOURCES if source in rows.index])


def _title(rows: pd.DataFrame) -> str:
    score = str(rows["definition"].iloc[0]).removeprefix("share of the variance of ")
    return f"What a sample's forgetting depends on: shares of the variance of its {score.replace('_', ' ')}"


def _draw_bar(axes: Axes, shares: pd.Series) -> None:
    """Draw all shares end to end, each with its percentage where there is room; those below 0 go to the left."""
    for chosen in (shares[shares > 0], shares[shares <= 0]):
        ends = list(accumulate(chosen, initial=0.0))
        for source, share, start in zip(chosen.index, chosen, ends, strict=False):
            axes.barh(0, share, left=start, color=_tint(source), edgecolor="white", linewidth=1)
            if share >= LEAST:
                ink = "black" if KINDS[source] == RUN else "white"
                axes.text(
                    start + share / 2,
                    0,
                    percent(share),
                    ha="center",
                    va="center",
                    fontsize=7,
                    color=ink,
                )
    axes.set_axis_off()
    axes.margins(x=0)
    together = shares.groupby([KINDS[source] for source in shares.index]).sum()
    _name_parts(axes, together)


def _name_parts(axes: Axes, together: Mapping[str, float]) -> None:
    """Write above the bar who shares what, and how much it is together."""
    patches = [
        Patch(color=TINT[kind], label=f"{SHARED[kind]}: {percent(together[kind])}")
        for kind in TINT
        if kind in together
    ]
    axes.legend(
        handles=patches,
        ncols=len(patches),
        loc="lower left",
        bbox_to_anchor=(0, 0.95),
        borderaxespad=0,
        borderpad=0.2,
        handlelength=1,
        fontsize=8,
    )


def _draw_lines(axes: Axes, rows: pd.DataFrame, scores: pd.DataFrame, names: list[str]) -> None:
    """Draw a line per source: its share, the interval, the share by the scores themselves as a diamond."""
    kinds = [KINDS[str(source)] for source in rows.index]
    # a share has no chance level beside 0, which is drawn
    draw_intervals(axes, rows.assign(chance=float("nan")), names, [TINT[kind] for kind in kinds])
    for place, (source, row) in enumerate(rows.iterrows()):
        if source in scores.index:
            at = scores.loc[source, "estimate"]
            axes.plot(at, place, "D", color=GREY, markersize=4.5, fillstyle="none")
        beside = axes.get_yaxis_transform()
        axes.text(1.01, place, _in_words(row), transform=beside, va="center", fontsize=7)
    axes.axvline(0, color=GREY, linewidth=0.8, zorder=0)
    round_ticks(axes.xaxis, 8, percent=True)
    name_x(axes, "share of the variance")


def _in_words(row: pd.Series) -> str:
    share = percent(row["estimate"])
    if pd.isna(row["low"]):
        return share
    low, high = (number(100 * row[end], 0) for end in ("low", "high"))
    return f"{share} ({low} to {high})"


def _tint(source: object) -> str:
    return TINT[KINDS[str(source)]]
