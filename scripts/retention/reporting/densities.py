"""Panels of where most samples lie: the darker a bin, the larger its share. Axes are of decades, 0 has a strip of its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.scale import SymmetricalLogScale
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from retention.reporting.choices import level_in_words
from retention.reporting.facets import ABREAST
from retention.reporting.words import RAISED, number, percent

# No architecture's colour: what is drawn over it may have that.
SHADES = LinearSegmentedColormap.from_list("greys", ["#e4e4e8", "#8f8f99", "#33333d"])
EDGES = ["x_low", "x_high", "y_low", "y_high"]
STRIP = 0.5  # of the first decade's beginning: how far the strip of 0 reaches
LENGTH = 0.8  # decades from 0 to where the first begins
LABELLED = {"x": 3, "y": 4}  # decades that have a number, at most
OTHER_SCORES = ("hazard", "forgetting_events", "one_minus_retention")  # ρ of λ goes without saying
LARGEST = 20  # per epoch: no fit gives a larger λ
NOTHING_LOST = "No decay constant is above 0: no sample that was learned was lost again."
NO_FIT = "no\u00a0λ: learned never or too late"


def draw_densities(panels: Sequence[Axes], tables: Sequence[pd.DataFrame]) -> PolyCollection:
    """Draw bins and their shares, all panels with the same axes and shades; return what a bar of the shades is made of.

    tables: of each panel the columns `EDGES` and estimate; at least one bin in all of them.
    """
    cells = pd.concat(tables)
    cells = cells[cells["x_low"].notna()]
    most = cells["estimate"].max()
    norm = LogNorm(min(cells["estimate"].min(), most / 10), most)
    for place, (axes, table) in enumerate(zip(panels, tables, strict=True)):
        reach = [
            _decades(axes, name, cells[f"{name}_low"], cells[f"{name}_high"]) for name in ("x", "y")
        ]
        known = table[table["x_low"].notna()]
        corners = [_corners(cell, reach) for cell in known[EDGES].to_numpy()]
        drawn = PolyCollection(
            corners, cmap=SHADES, norm=norm, edgecolors="face", linewidths=0.2, zorder=2
        )
        drawn.set_array(known["estimate"].to_numpy(dtype=float))
        axes.add_collection(drawn, autolim=False)
        axes.tick_params(labelleft=place % ABREAST == 0)
    return drawn


def shade_bar(figure: Figure, panels: Sequence[Axes], drawn: PolyCollection) -> None:
    """Draw what share a shade is, beside the panels."""
    place: dict[str, Any] = {"location": "bottom", "aspect": 35, "shrink": 0.7}
    if len(panels) > 1:
        place = {"location": "right", "aspect": 20, "shrink": 0.8 / -(-len(panels) // ABREAST)}
    bar = figure.colorbar(drawn, ax=list(panels), pad=0.02, **place)
    bar.set_label("share of the samples in a bin")
    least, most = drawn.get_clim()
    few_decades = (most or 1.0) < 100 * (least or 1.0)
    bar.locator = LogLocator(subs=(1.0, 2.0, 5.0) if few_decades else (1.0,), numticks=4)
    bar.formatter = FuncFormatter(lambda share, _: f"{100 * share:.10g} %")
    bar.minorformatter = NullFormatter()


def beside_shades(panels: int) -> float:
    """Return inches of the width that an axis, and beside several panels the bar of shades, take."""
    return 0.8 if panels == 1 else 1.3


def label_columns(panels: Sequence[Axes], text: str) -> None:
    """Write what x is below the last panel of each column."""
    for axes in panels[-ABREAST:]:
        axes.set_xlabel(text)


def rho_in_words(rows: pd.DataFrame) -> str:
    """Return what a finding says of the rank correlation; rows: those of one comparison in its table, "" for none."""
    found = rows[rows["statistic"] == "spearman"]
    if found.empty:
        return ""
    row = found.iloc[0]
    score = str(row["definition"]).split(",")[0]
    of = f" of {level_in_words('score', score)}" if score in OTHER_SCORES else ""
    text = f"ρ{of} = {number(row['estimate'])}"
    if pd.isna(row["estimate"]):
        return f"ρ{of} not estimable"
    if pd.isna(row["low"]):
        return text
    return f"{text} ({number(row['low'])} to {number(row['high'])})"


def share_in_words(table: pd.DataFrame, chosen: pd.Series) -> str:
    """Return the share of the samples in some of the bins."""
    return percent(table.loc[chosen, "estimate"].sum())


def largest_in_words(tables: Sequence[pd.DataFrame]) -> str:
    """Return what the largest decay constant means, "" where no sample has it."""
    found = any((table["y_high"] > LARGEST).any() for table in tables)
    return f"λ\u00a0=\u00a0{LARGEST}, the largest that is fitted: lost at once" * found


def _corners(cell: np.ndarray, reach: Sequence[float]) -> list[tuple[float, float]]:
    """Return the corners of a bin: x_low, x_high, y_low, y_high; reach: of the strips of 0."""
    (left, right), (low, high) = (
        (-far, far) if edges[0] == 0 else tuple(edges)
        for edges, far in zip((cell[:2], cell[2:]), reach, strict=True)
    )
    return [(left, low), (right, low), (right, high), (left, high)]


def _tick(value: float, below: float) -> str:
    """Return the number at a tick; at the strip the one that all in it is below, or 0."""
    if value == 0 < below:
        return f"< {_tick(below, 0)}"
    power = str(round(np.log10(value))).translate(RAISED) if value else ""
    return f"10{power}" if 0 < value < 1e-4 else f"{value:.10g}"


def _decades(axes: Axes, name: str, low: pd.Series, high: pd.Series) -> float:
    """Give an axis the range of all bins; return how far the strip of 0 reaches to either side, 0 where there is none.

    name: x or y. low, high: edges of the bins.
    """
    positive = low[low > 0]
    least, most = (positive.min(), high.max()) if len(positive) else (1.0, 1.0)
    reach = STRIP * least if (low == 0).any() else 0.0
    scale: dict[str, Any] = {f"{name}scale": "log"}
    if reach:
        scale = {f"{name}scale": SymmetricalLogScale(None, linthresh=least, linscale=LENGTH)}
    axes.set(**scale, **{f"{name}lim": (-reach if reach else least, max(most, reach))})
    below = high[low == 0].max()  # the strip is of all that is below, or of 0 alone
    _number(axes.xaxis if name == "x" else axes.yaxis, least, most, LABELLED[name], below)
    return reach


def _number(axis: Axis, least: float, most: float, labels: int, below: float) -> None:
    """Write numbers at a few decades, and at the strip of what is `below` them: 0 alone, or all that; NaN without a strip."""
    first, last = np.ceil(np.log10(least) - 1e-9), np.floor(np.log10(most) + 1e-9)
    decades = [10.0**power for power in np.arange(first, last + 1)]
    step = max(1, -(-len(decades) // labels))
    labelled = [decade for decade in decades[::-1][::step] if not decade <= below]
    axis.set_major_locator(FixedLocator([*([] if np.isnan(below) else [0.0]), *labelled]))
    axis.set_minor_locator(FixedLocator(decades))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value, below)))
    axis.set_minor_formatter(NullFormatter())
