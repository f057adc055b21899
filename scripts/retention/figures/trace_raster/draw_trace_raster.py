"""Samples by epochs, sorted by forgetting; the shade is the share of the seeds that are right."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from retention.common.lists import plural
from retention.reporting.facets import ABREAST, caption_below, facets, label_rows
from retention.reporting.look import Look
from retention.reporting.style import NothingEstimable, headline
from retention.reporting.ticks import round_ticks

HEIGHT = 3.6  # inches of a panel
SHADES = "Blues_r"  # reads alike with every colour vision, and in grey
MARK = "#d02060"  # of the lines between groups: no shade, and the colour of no architecture
GROUPS = {
    "never_learned": "never learned",
    "forgotten": "forgotten",
    "never_forgotten": "forgotten by no seed",
}
BESIDE = 1.6  # inches of the width that axis and colour bar take
APART = 0.06  # of the panel's height: labels that would be nearer to each other are moved


def draw(raster: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the series trace_raster."""
    if raster.empty:
        raise NothingEstimable("There is no training sample.")
    names = look.ordered(raster["architecture"])
    tables = [raster[raster["architecture"] == name] for name in names]
    seeds = [plural(int(rows["seeds"].iloc[0]), "seed") for rows in tables]
    figure, columns = facets([look.title(name) for name in names], HEIGHT, 1, seeds, BESIDE)
    panels = [panel for (panel,) in columns]
    for rows, axes in zip(tables, panels, strict=True):
        mesh = _draw(axes, rows)
        axes.set_xlabel("epoch")
        _label_groups(axes, rows.drop_duplicates("row"))
    label_rows(panels, "training samples, sorted by forgetting")
    shrink = 0.5 / -(-len(panels) // ABREAST)
    bar = figure.colorbar(mesh, ax=panels, location="right", shrink=shrink, aspect=25, pad=0.02)
    bar.set_label("share of the seeds that are right")
    round_ticks(bar.ax.yaxis, percent=True)
    headline(figure, "Training samples at every epoch, sorted by forgetting")
    merged = int(raster["samples"].max())
    if merged > 1:
        caption_below(figure, f"a line of the raster is the mean of up to {merged} neighbours")
    return figure


def _draw(axes: Axes, rows: pd.DataFrame) -> QuadMesh:
    """Draw one architecture's raster: a row per line of the table, as high as the samples in it."""
    table = rows.pivot(index="row", columns="epoch", values="estimate")
    edges = rows.drop_duplicates("row").sort_values("row")
    heights = np.r_[edges["first"], edges["first"].iloc[-1] + edges["samples"].iloc[-1]]
    epochs = np.r_[table.columns, table.columns[-1] + 1] - 0.5
    mesh = axes.pcolormesh(
        epochs, heights, table.to_numpy(), cmap=SHADES, vmin=0, vmax=1, rasterized=True
    )
    axes.set_ylim(heights[-1], 0)
    axes.spines[:].set_visible(True)  # what is right in every seed is as light as the page
    round_ticks(axes.xaxis, 6, whole=True)
    round_ticks(axes.yaxis, 6, whole=True)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    return mesh


def _label_groups(axes: Axes, lines: pd.DataFrame) -> None:
    """Draw a line between the groups, and write beside each what it is and how many samples it has."""
    total, last = lines["samples"].sum(), -APART / 2
    for group, found in lines.groupby("statistic", sort=False):
        first, count = found["first"].min(), found["samples"].sum()
        if first:
            axes.axhline(first, color=MARK, linewidth=0.9)
        last = max((first + count / 2) / total, last + APART)  # a thin group's words move down
        text = f"{GROUPS.get(str(group), group)}\n{count:,.0f}"
        axes.text(1.03, 1 - last, text, transform=axes.transAxes, va="center", fontsize=6)
