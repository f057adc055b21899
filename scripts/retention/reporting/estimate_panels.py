"""The panels of estimates of a specification curve: a comparison each, combinations side by side."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from retention.common.multiverse_tables import SIGNIFICANT
from retention.reporting.choices import statistic_in_words
from retention.reporting.specification import Specification
from retention.reporting.specification_marks import (
    DIAMOND,
    MARK,
    PALE,
    RING,
    limit_places,
    numbers_named,
    on_one_line,
    pitch_of,
    places_of,
    strokes,
)
from retention.reporting.style import GREY
from retention.reporting.words import MINUS, RAISED

BAND = "#f5ecd9"  # neither grey nor a pale colour of an architecture
WIDE = 3.0  # estimates beyond are drawn on an axis that is logarithmic beyond ±1
LONGEST = 40  # characters of a comparison's name
FENCE = 1.5  # interquartile ranges beyond the quartiles: Tukey's fences
# Between which ends a statistic lies; an axis ends a little beyond.
REACH = {"jaccard": (0.0, 1.0), "kendalls_w": (0.0, 1.0), "spearman": (-1.0, 1.0)}
REACH |= {"mean_r_squared": (-np.inf, 1.0)}
LOWS, HIGHS = ("low", "null_low"), ("high", "null_high")


def draw_estimates(axes: Axes, found: Specification, name: str, colour: str, title: str) -> None:
    """Draw a comparison's estimates and intervals, what chance gives and where nothing differs; title: what it is called."""
    rows = found.rows[name]
    _draw_nothing(axes, rows, found.places.to_numpy())
    _draw_dots(axes, rows, found.places.to_numpy(), colour)
    for numbers, mark in ((numbers_named(found), DIAMOND), (found.own, RING)):
        at, estimates = places_of(found, numbers), rows.loc[rows.index.isin(numbers), "estimate"]
        axes.plot(at, estimates, linestyle="none", color=MARK, zorder=4, **mark)
    _limit(axes, rows, found.own)
    axes.set_title(on_one_line(title, LONGEST), color=colour, fontsize=8, pad=2)
    axes.set_ylabel(_wrapped(statistic_in_words(statistic_of(rows))), fontsize=7)
    axes.tick_params(axis="y", labelsize=7)
    axes.tick_params(axis="x", labelbottom=False, length=0)
    limit_places(axes, found)
    axes.spines["bottom"].set_visible(False)


def _draw_nothing(axes: Axes, rows: pd.DataFrame, at: np.ndarray) -> None:
    """Draw what there would be by chance, or 0, and where permuted data lie."""
    known = rows["estimate"].notna()
    if has_null(rows):
        low, high = rows["null_low"].where(known), rows["null_high"].where(known)
        band: dict[str, Any] = {"width": 1.0, "color": BAND, "linewidth": 0, "zorder": 0}
        axes.bar(at, high - low, bottom=low, **band)
    if has_chance(rows):
        axes.hlines(
            rows["chance"].where(known), at - 0.5, at + 0.5, color=GREY, linewidth=0.8, zorder=1
        )
    else:
        axes.axhline(0, color=GREY, linewidth=0.8, linestyle=":", zorder=1)


def _draw_dots(axes: Axes, rows: pd.DataFrame, place: np.ndarray, colour: str) -> None:
    """Draw estimates with their intervals, pale where p ≥ 0.05, hollow where they alone have no p."""
    pitch, tested = pitch_of(int(place.max())), rows["p"].notna()
    size = float(np.clip(0.8 * pitch, 1.5, 4.5))
    hollow = has_hollow(rows) & ~tested
    for of, paint in ((rows["p"] >= SIGNIFICANT, PALE), (~(rows["p"] >= SIGNIFICANT), colour)):
        some, at = rows[of], place[of]
        strokes(axes, at, some["low"], some["high"], paint, min(1.4, 0.6 * pitch), alpha=0.45)
        dots: dict[str, Any] = {"color": paint, "linestyle": "none", "zorder": 3}
        full = of & ~hollow
        filled: dict[str, Any] = {"marker": "o", "markersize": size, "markeredgewidth": 0}
        axes.plot(place[full], rows.loc[full, "estimate"], **dots, **filled)
    ring: dict[str, Any] = {"markersize": max(2.2, size), "markeredgewidth": 0.5}
    ring |= {"markerfacecolor": "white", "color": colour, "zorder": 2.9}
    axes.plot(place[hollow], rows.loc[hollow, "estimate"], "o", **ring)


def _limit(axes: Axes, rows: pd.DataFrame, own: Sequence[int]) -> None:
    """Let the axis show every estimate and all but outlying intervals; with far estimates it is logarithmic."""
    low, high = _ends(rows, own)
    if is_wide(rows):
        decades = np.log10(max(-low, high))
        axes.set_yscale("symlog", linthresh=1.0, linscale=max(1.5, 0.8 * decades))
        ticks = _wide_ticks(low, high)
        axes.yaxis.set_major_locator(FixedLocator(ticks))
        axes.set_yticklabels([_power(tick) for tick in ticks])
        axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(low, high)


def _wide_ticks(low: float, high: float) -> list[float]:
    """Return −1, 0, 1 and further powers of ten, of a short axis one number beyond."""
    farthest = max(-low, high)
    decades = np.log10(farthest)
    if decades < 2:
        beyond = [max(size for size in (3.0, 5.0, 10.0, 20.0, 50.0) if size <= farthest)]
    else:
        step = 1 + int(decades // 4)
        beyond = [10.0**power for power in range(step, 1 + int(decades), step)]
    ticks = [0.0, *(sign * size for size in (1.0, *beyond) for sign in (-1, 1))]
    return sorted(tick for tick in ticks if low <= tick <= high)


def _power(tick: float) -> str:
    """Return a tick as matplotlib writes it, a large one as a power of ten."""
    sign, size = MINUS if tick < 0 else "", abs(tick)
    if size < 10_000:
        return f"{sign}{size:g}"
    return f"{sign}10{str(round(np.log10(size))).translate(RAISED)}"


def _ends(rows: pd.DataFrame, own: Sequence[int]) -> tuple[float, float]:
    """Return the ends of the axis: of the estimates, of chance, of the study's own interval and of others that are no outliers.

    These, and the bands of permuted data, have as much room above and below as the estimates. No axis ends far from where the
    statistic does.
    """
    first, last = rows["estimate"].min(), rows["estimate"].max()
    least, most = REACH.get(statistic_of(rows), (-np.inf, np.inf))
    if is_wide(rows):
        return min(1.6 * first, -1.1), max(
            1.6 * last if last > most else min(1.6 * last, 1.1 * most), 1.1
        )
    of_own, chance, reach = rows.loc[list(own)], rows["chance"], last - first
    # NaN where there are none, which np.maximum keeps
    lows = [np.maximum(_usual(rows[name]).min(), first - reach) for name in LOWS if name in rows]
    highs = [np.minimum(_usual(rows[name]).max(), last + reach) for name in HIGHS if name in rows]
    low = np.nanmin([first, *lows, of_own["low"].min(), chance.min()])
    high = np.nanmax([last, *highs, of_own["high"].max(), chance.max()])
    low, high = max(low, min(least, first)), min(high, max(most, last))
    room = 0.06 * max(high - low, 0.02)
    return float(low - room), float(high + room)


def _usual(ends: pd.Series) -> pd.Series:
    """Return the ends of intervals that are no outliers."""
    first, third = ends.quantile(0.25), ends.quantile(0.75)
    reach = FENCE * (third - first)
    return ends[ends.between(first - reach, third + reach)]


def has_hollow(rows: pd.DataFrame) -> bool:
    """Tell whether some estimates have a p and others have none."""
    tested = rows.loc[rows["estimate"].notna(), "p"].notna()
    return bool(tested.any() and not tested.all())


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
    """Tell whether an interval, or a band of permuted data, reaches beyond the axis."""
    low, high = _ends(rows, own)
    cut = [rows[name].min() < low for name in LOWS if name in rows]
    cut += [rows[name].max() > high for name in HIGHS if name in rows]
    return any(cut)


def statistic_of(rows: pd.DataFrame) -> str:
    """Return the statistic that rows are of."""
    return first_text(rows["statistic"])


def first_text(column: pd.Series) -> str:
    """Return the first text of a column, "" where it has none."""
    known = column.dropna()
    return str(known.iloc[0]) if len(known) else ""


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 16))
