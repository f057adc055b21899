"""Decay constants of the same samples in two runs, a comparison a panel."""

from collections.abc import Iterator, Mapping

import pandas as pd
from matplotlib.figure import Figure

from retention.common.lists import plural
from retention.reporting.densities import (
    NO_FIT,
    NOTHING_LOST,
    beside_shades,
    draw_densities,
    label_columns,
    largest_in_words,
    rho_in_words,
    shade_bar,
    share_in_words,
)
from retention.reporting.facets import ABREAST, caption_below, facets, grid_behind, label_rows
from retention.reporting.style import GREY, NothingEstimable, headline

# Inches of a panel, by how many stand abreast: as high as wide.
HEIGHTS = {1: 3.0, 2: 2.5, 3: 1.85}


def draw_panels(
    heading: str,
    constants: pd.DataFrame,
    titles: Mapping[str, str],
    findings: Mapping[str, pd.DataFrame],
    axes_say: tuple[str, str],
) -> Figure:
    """Return the figure of some comparisons of the series decay_constants.

    titles, findings: of each comparison, its title and the finding's rows of it. axes_say: what x and y are.
    """
    tables = [constants[constants["comparison"] == name] for name in titles]
    if not (constants["x_high"] + constants["y_high"] > 0).any():
        raise NothingEstimable(NOTHING_LOST)
    below = [
        "\n".join(_signs(table, findings[name])) for name, table in zip(titles, tables, strict=True)
    ]
    height, beside = HEIGHTS[min(len(titles), ABREAST)], beside_shades(len(titles))
    figure, columns = facets(list(titles.values()), height, 1, below, beside)
    panels = [axes for (axes,) in columns]
    drawn = draw_densities(panels, tables)
    for axes in panels:
        axes.set_box_aspect(1)
        axes.axline((1, 1), (2, 2), color=GREY, linewidth=0.6, zorder=3)
        grid_behind(axes)
    label_columns(panels, axes_say[0])
    label_rows(panels, axes_say[1])
    shade_bar(figure, panels, drawn)
    headline(figure, heading)
    caption_below(
        figure,
        "strips at 0: never lost in that run",
        "line: equal in both",
        "ρ: Spearman's, 95 % interval" * any("ρ" in text for text in below),
        largest_in_words(tables),
        NO_FIT,
    )
    return figure


def _signs(table: pd.DataFrame, finding: pd.DataFrame) -> Iterator[str]:
    """Yield what stands below a panel's title."""
    x, y = (table[f"{name}_high"] for name in "xy")
    if rho := rho_in_words(finding):
        yield rho
    never, once = (
        share_in_words(table, chosen) for chosen in ((x == 0) & (y == 0), (x == 0) ^ (y == 0))
    )
    yield f"λ = 0: both {never}, one {once}"
    pairs = plural(int(table["pairs"].iloc[0]), "pair") + " of runs"
    shared = " of one seed" * bool(table["same_seed"].iloc[0])
    yield f"{pairs}{shared}; no λ: {share_in_words(table, x.isna())}"
