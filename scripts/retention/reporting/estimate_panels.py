"""The panels of estimates of a specification curve: those of the combinations, and those of errors."""

import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention.reporting.choices import (
    dimension_in_words,
    level_in_words,
    statistic_in_words,
)
from retention.reporting.specification import Specification
from retention.reporting.specification_marks import NAMED, OWN, numbers_named, pitch_of, strokes
from retention.reporting.style import GREY, as_label

PALE, BAND = "#b4b4b4", "#dfe8f1"
WIDE = 3.0  # estimates beyond are drawn on an axis that is logarithmic beyond ±1
LEVEL = 0.05
FENCE = 1.5  # interquartile ranges beyond the quartiles: Tukey's fences


def draw_estimates(axes: Axes, found: Specification, name: str, colour: str, title: str) -> None:
    """Draw a comparison's estimates and intervals, what chance gives and where nothing differs; title: what it is called."""
    rows = found.rows[name]
    _draw_nothing(axes, rows)
    _draw_dots(axes, rows, colour)
    _draw_rings(axes, rows, numbers_named(found), NAMED)
    _draw_rings(axes, rows, set(found.own), OWN)
    _limit(axes, rows, found.own)
    axes.set_title(as_label(title, 60), color=colour, fontsize=8, pad=2)
    axes.set_ylabel(_wrapped(statistic_in_words(first_text(rows["statistic"]))), fontsize=7)
    axes.tick_params(axis="y", labelsize=7)
    axes.tick_params(axis="x", labelbottom=False, length=0)
    axes.set_xlim(0.5, len(rows) + 0.5)
    axes.spines["bottom"].set_visible(False)


def _draw_nothing(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw what there would be by chance, or 0, and where permuted data lie."""
    edges = np.arange(len(rows) + 1) + 0.5
    if has_null(rows):
        low, high = rows["null_low"].to_numpy(), rows["null_high"].to_numpy()
        axes.stairs(high, edges, baseline=low, fill=True, color=BAND, linewidth=0, zorder=0)
    if has_chance(rows):
        dashed: dict[str, Any] = {"color": GREY, "linewidth": 0.7, "linestyle": "--", "zorder": 1}
        axes.stairs(rows["chance"].to_numpy(), edges, baseline=None, **dashed)
    else:
        axes.axhline(0, color=PALE, linewidth=0.6, zorder=1)


def _draw_dots(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    """Draw estimates with their intervals, pale where p ≥ 0.05."""
    place, pitch = np.arange(1, len(rows) + 1), pitch_of(len(rows))
    told = rows["p"].isna() | (rows["p"] < LEVEL)
    size = float(np.clip(0.8 * pitch, 1.5, 4.5))
    for of, paint in ((~told, PALE), (told, colour)):
        some, at = rows[of], place[of]
        strokes(axes, at, some["low"], some["high"], paint, min(1.4, 0.6 * pitch), alpha=0.45)
        dots: dict[str, Any] = {"color": paint, "markersize": size, "markeredgewidth": 0}
        axes.plot(at, some["estimate"], "o", zorder=3, **dots)


def _draw_rings(axes: Axes, rows: pd.DataFrame, numbers: Collection[int], colour: str) -> None:
    """Draw a ring around the estimates of some combinations."""
    at = np.flatnonzero(rows.index.isin(list(numbers)))
    ring: dict[str, Any] = {"facecolors": "none", "edgecolors": colour, "linewidths": 1.1}
    axes.scatter(at + 1, rows["estimate"].iloc[at], s=26, zorder=4, **ring)


def _limit(axes: Axes, rows: pd.DataFrame, own: Sequence[int]) -> None:
    """Let the axis show every estimate and all but outlying intervals; with far estimates it is logarithmic."""
    low, high = _ends(rows, own)
    if not is_wide(rows):
        axes.set_ylim(low, high)
        return
    decades = np.log10(max(-low, high))
    axes.set_yscale("symlog", linthresh=1.0, linscale=max(1.5, 0.8 * decades))
    step = 1 + int(decades // 4)
    powers = range(step, 1 + int(decades), step)
    ticks = [-1.0, 0.0, 1.0, *(sign * 10.0**power for power in powers for sign in (-1, 1))]
    ticks = [tick for tick in ticks if low <= tick <= high]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks([], minor=True)
    axes.set_ylim(low, high)


def _ends(rows: pd.DataFrame, own: Sequence[int]) -> tuple[float, float]:
    """Return the ends of the axis: of the estimates, of chance, of the study's own interval and of others that are no outliers.

    These have as much room above and below as the estimates.
    """
    low, high = rows["estimate"].min(), rows["estimate"].max()
    if is_wide(rows):
        return min(1.6 * low, -1.1), max(1.6 * high, 1.1)
    of_own, chance, reach = rows.loc[list(own)], rows["chance"], high - low
    ends = _usual(rows["low"]).min(), _usual(rows["high"]).max()
    low = np.nanmin([low, np.fmax(ends[0], low - reach), of_own["low"].min(), chance.min()])
    high = np.nanmax([high, np.fmin(ends[1], high + reach), of_own["high"].max(), chance.max()])
    room = 0.06 * max(high - low, 0.02)
    return float(low - room), float(high + room)


def _usual(ends: pd.Series) -> pd.Series:
    """Return the ends of intervals that are no outliers."""
    first, third = ends.quantile(0.25), ends.quantile(0.75)
    reach = FENCE * (third - first)
    return ends[ends.between(first - reach, third + reach)]


def has_null(rows: pd.DataFrame) -> bool:
    """Tell whether it is known where estimates lie when nothing differs."""
    return {"null_low", "null_high"} <= {*rows} and bool(rows["null_low"].notna().any())


def has_chance(rows: pd.DataFrame) -> bool:
    """Tell whether chance is known of every estimate: R² has it for the study's own alone."""
    return bool(rows.loc[rows["estimate"].notna(), "chance"].notna().all())


def is_wide(rows: pd.DataFrame) -> bool:
    """Tell whether estimates lie so far out that the axis is logarithmic."""
    return bool((rows["estimate"].abs() > WIDE).any())


def is_cut(rows: pd.DataFrame, own: Sequence[int]) -> bool:
    """Tell whether an interval reaches beyond the axis."""
    low, high = _ends(rows, own)
    return bool(rows["low"].min() < low or rows["high"].max() > high)


def _fault_in_words(wrong: Mapping[str, str]) -> str:
    """Return the levels that are errors, with their choices."""
    return ", ".join(
        f"{dimension_in_words(name)} {level_in_words(name, level)}" for name, level in wrong.items()
    )


def draw_faults(
    axes: Axes,
    found: Specification,
    shown: Sequence[str],
    tint: Mapping[str, str],
) -> None:
    """Draw what errors give beside the study's own number, a line each."""
    for column, name in enumerate(shown):
        own = found.rows[name].loc[list(found.own)].iloc[:1]
        tables = [own, *(rows.loc[rows.index == name] for _, rows in found.faults)]
        shift = 0.24 * (column - (len(shown) - 1) / 2)
        for place, rows in enumerate(tables):
            if rows["estimate"].notna().any():
                _draw_line(axes, rows.iloc[0], place + shift, tint[name])
    names = [
        "this study's own",
        *(as_label(_fault_in_words(wrong), 40) for wrong, _ in found.faults),
    ]
    axes.set_yticks(range(len(names)), names, fontsize=6.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="x", labelsize=7)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title("errors that others could make, counted nowhere above", fontsize=8, pad=2)


def _draw_line(axes: Axes, row: pd.Series, place: float, colour: str) -> None:
    """Draw an estimate on a line of its own, with its interval and chance."""
    if pd.notna(row["low"]):
        axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.1)
    axes.plot(row["estimate"], place, "o", color=colour, markersize=3)
    if pd.notna(row["chance"]):
        axes.plot(row["chance"], place, "|", color=GREY, markersize=5)


def first_text(column: pd.Series) -> str:
    """Return the first text of a column, "" where it has none."""
    known = column.dropna()
    return str(known.iloc[0]) if len(known) else ""


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 16))
