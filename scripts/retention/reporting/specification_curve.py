"""The specification curve: a finding's estimates under every choice above, the choices below, faults apart.

The layout is that of Simonsohn, Simmons & Nelson, Nature Human Behaviour 4, 1208 (2020). Each comparison has a panel of its
own, in the order of the first, and beside each level stands the median of the estimates that have it.
"""

import textwrap
from collections.abc import Iterator, Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from retention.common.lists import listed, plural
from retention.common.multiverse_tables import SIGNIFICANT
from retention.reporting.choice_matrix import draw_choices, height_of
from retention.reporting.choices import statistic_in_words
from retention.reporting.estimate_panels import (
    draw_estimates,
    first_text,
    has_chance,
    has_hollow,
    has_null,
    is_cut,
    is_wide,
    statistic_of,
)
from retention.reporting.fault_panel import draw_faults, height_of_faults
from retention.reporting.look import NO_STUDY, Look, look_of
from retention.reporting.specification import MOST, Specification, specification_of
from retention.reporting.specification_marks import draw_guides, on_one_line
from retention.reporting.style import (
    GREY,
    LINE_OF_FOOTNOTE,
    SETTINGS,
    headline,
    stacked_figure,
)
from retention.reporting.words import number

LINE_OF_TITLE = 92  # characters
LONGEST = 40  # characters of a comparison's name
WORDS = 0.85  # inches of what stands above and below the panels
# What 0 says, where the statistic has no value by chance.
ZERO = {"mean_r_squared": "R² of 0, a curve no better than the mean of its trace"}


def specification_curve(
    multiverse: pd.DataFrame,
    finding: str,
    title: str,
    matches: pd.DataFrame | None = None,
    look: Look = NO_STUDY,
) -> Figure:
    """Return the figure of a finding, from multiverse.csv.

    title: what the finding is about; matches: as `specification_of` takes them. Raises as `specification_of` does.
    """
    found = specification_of(multiverse, finding, matches)
    shown = found.shown
    tint = _tints(found, shown, look_of(look.architectures, look.titles, found.architectures))
    heights = [1.6 if len(shown) == 1 else 1.2] * len(shown)
    heights.append(height_of(found))
    if found.faults:
        heights.append(height_of_faults(found))
    figure, axes = stacked_figure(heights)
    figure.set_size_inches(figure.get_figwidth(), sum(heights) + WORDS)
    for name, panel in zip(shown, axes, strict=False):
        draw_estimates(panel, found, name, tint[name], look.comparison(name))
    draw_choices(axes[len(shown)], found, look.comparison(found.comparisons[0]), look)
    for panel in axes[: len(shown) + 1]:
        draw_guides(panel, found)
    if found.faults:
        draw_faults(axes[-1], found, tint, look)
    headline(figure, "\n".join(textwrap.wrap(_title(found, title, look), LINE_OF_TITLE)))
    foot = "\n".join(textwrap.wrap("; ".join(_signs(found, look)), LINE_OF_FOOTNOTE + 10))
    figure.supxlabel(foot, fontsize=6.5, color=GREY, x=0.01, ha="left")
    figure.align_ylabels(list(axes[: len(shown)]))
    _settle(figure)
    return figure


def _settle(figure: Figure) -> None:
    """Lay the figure out once for all formats, in rounded places: the last digits differ from call to call."""
    figure.set_dpi(SETTINGS["savefig.dpi"])  # words are wider or narrower at others
    figure.set_layout_engine("constrained", w_pad=0.07)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(Bbox(axes.get_position().get_points().round(6)))


def _tints(found: Specification, shown: Sequence[str], look: Look) -> dict[str, str]:
    """Return a colour per comparison; architectures and pairs have those that they have in the other figures."""
    of = {name: first_text(found.rows[name]["architecture"]) for name in shown}
    return {
        name: look.colour(architecture) if architecture else look.colour_of(name)
        for name, architecture in of.items()
    }


def _first(found: Specification, look: Look) -> str:
    """Return the name of the comparison that gives the order."""
    return on_one_line(look.comparison(found.comparisons[0]), LONGEST)


def _title(found: Specification, title: str, look: Look) -> str:
    rows = found.first
    known = rows["estimate"].dropna()
    text = f"{title}: {statistic_in_words(statistic_of(rows))} ({_first(found, look)})"
    text += f" from {number(known.min())} to {number(known.max())} over {plural(len(known), 'combination')} of choices"
    distinct = len(found.distinct)
    text += f" ({distinct if distinct < len(known) else 'all'} distinguishable)"
    own = rows.loc[list(found.own), "estimate"].dropna()
    return f"{text}, {number(own.iloc[0])} by this study's own" if len(own) else text


def _signs(found: Specification, look: Look) -> Iterator[str]:
    """Yield what the marks mean, of those that are drawn."""
    tables = [found.rows[name] for name in found.shown]
    yield from _signs_of_estimates(tables)
    yield "ring, line: this study's own"
    if found.named:
        yield "diamond, dotted line: a definition that has a name"
    if found.matches:
        yield "paper's: dark combinations give the number, for pale ones the interval is too wide to tell"
    if any(found.uncrossed.values()):
        yield "grey words: a level that was not crossed with the others"
    if len(found.levels.columns):
        yield f"right: median of the estimates of {_first(found, look)} that have the level"
    if none := len(found.places) - found.ordered:
        yield f"none: {plural(none, 'combination')} without an estimate of {_first(found, look)}"
    if any(is_wide(rows) for rows in tables):
        yield "beyond ±1 an axis is logarithmic"
    if any(is_cut(rows, found.own) for rows in tables):
        yield "longer intervals are cut"
    if found.left_out:
        yield f"left out: {plural(found.left_out, 'combination')} without any estimate"
    if found.without:
        yield f"without any estimate: {listed(_short(found.without, look))}"
    if beyond := list(found.comparisons[MOST:]):
        yield f"not drawn, in multiverse.csv: {listed(_short(beyond, look))}"


def _short(names: Sequence[str], look: Look) -> list[str]:
    return [on_one_line(look.comparison(name), LONGEST) for name in names]


def _signs_of_estimates(tables: Sequence[pd.DataFrame]) -> Iterator[str]:
    whole = pd.concat(tables)
    yield (
        "dot, line: estimate and 95\u00a0% interval, each for itself"
        if whole["low"].notna().any()
        else "dot: estimate"
    )
    if (whole["p"] >= SIGNIFICANT).any():
        yield f"pale: p ≥ {SIGNIFICANT:g}, not corrected"
    if any(has_hollow(rows) for rows in tables):
        yield "hollow: no p"
    if any(has_chance(rows) for rows in tables):
        yield "grey lines: by chance"
    for statistic in dict.fromkeys(statistic_of(rows) for rows in tables if not has_chance(rows)):
        yield f"dotted across: {ZERO.get(statistic, '0')}"
    if any(has_null(rows) for rows in tables):
        yield "shaded: the middle 95\u00a0% of permuted data"
