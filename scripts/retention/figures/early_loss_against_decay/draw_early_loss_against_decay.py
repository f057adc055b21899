"""Each sample's loss at epoch 0 against its later decay constant, with the running median of the latter."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
from retention.reporting.facets import caption_below, facets, grid_behind, label_rows
from retention.reporting.look import Look
from retention.reporting.style import NothingEstimable, headline

HEIGHT, ALONE = 1.9, 2.7  # inches of a panel; of one that has the bar of shades below it


def draw(finding: pd.DataFrame, losses: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding early_loss and the series early_loss_against_decay."""
    density = losses[losses["statistic"] == "density"]
    if not (density["y_high"] > 0).any():
        raise NothingEstimable(NOTHING_LOST)
    names = look.ordered(losses["architecture"])
    tables = [density[density["architecture"] == name] for name in names]
    below = [
        "\n".join(_signs(table, finding[finding["architecture"] == name]))
        for name, table in zip(names, tables, strict=True)
    ]
    titles, height = [look.title(name) for name in names], HEIGHT if len(names) > 1 else ALONE
    figure, columns = facets(titles, height, 1, below, beside_shades(len(names)))
    panels = [axes for (axes,) in columns]
    drawn = draw_densities(panels, tables)
    for name, axes in zip(names, panels, strict=True):
        _draw_quartiles(axes, losses[losses["architecture"] == name], look.colour(name))
        grid_behind(axes)
    label_columns(panels, "loss at epoch 0 (nats)")
    label_rows(panels, "λ from epoch 1 on (per epoch)")
    shade_bar(figure, panels, drawn)
    headline(figure, "Loss after head warm-up against the later decay constant λ")
    caption_below(
        figure,
        "line, band: median and quartiles of λ of samples of about one loss",
        "strip at 0: never lost later",
        "ρ: Spearman's within a run, 95 % interval" * any("ρ" in text for text in below),
        largest_in_words(tables),
        NO_FIT,
    )
    return figure


def _signs(table: pd.DataFrame, finding: pd.DataFrame) -> Iterator[str]:
    """Yield what stands below a panel's title."""
    if rho := rho_in_words(finding):
        yield rho
    never = share_in_words(table, table["y_high"] == 0)
    yield f"λ = 0: {never}; no λ: {share_in_words(table, table['y_high'].isna())}"


def _draw_quartiles(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    found = rows[rows["loss"].notna()].pivot(index="loss", columns="statistic", values="estimate")
    if found.empty:
        return
    axes.fill_between(
        found.index,
        found["lower_quartile"],
        found["upper_quartile"],
        color=colour,
        alpha=0.25,
        linewidth=0,
        step="mid",
        zorder=3,
    )
    axes.plot(
        found.index, found["median"], color=colour, linewidth=1.6, drawstyle="steps-mid", zorder=4
    )
