"""Distribution of the samples' R² by architecture, beside that of the same traces with their epochs shuffled."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retention.reporting.facets import ABREAST, caption_below, facets, grid_behind, label_rows
from retention.reporting.look import Look
from retention.reporting.style import GREY, NothingEstimable, headline
from retention.reporting.ticks import round_ticks
from retention.reporting.words import number, percent

HEIGHT = 1.9  # inches of a panel


def draw(finding: pd.DataFrame, distribution: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding fit_quality and the series fit_r2_against_null.

    Cumulative: R² of traces with as many correct epochs is one of a few numbers, at which a density would be spikes.
    """
    curves = distribution[distribution["r_squared"].notna()]
    if curves.empty:
        raise NothingEstimable("No sample has an R²: every trace is constant, or too short.")
    names = look.ordered(distribution["architecture"])
    tables = [distribution[distribution["architecture"] == name] for name in names]
    below = [
        "\n".join(_signs(table, finding[finding["architecture"] == name]))
        for name, table in zip(names, tables, strict=True)
    ]
    figure, columns = facets([look.title(name) for name in names], HEIGHT, 1, below)
    panels = [axes for (axes,) in columns]
    limits = _limits(curves)
    for name, table, axes in zip(names, tables, panels, strict=True):
        _draw(axes, table[table["r_squared"].notna()], look.colour(name))
        axes.set(xlim=limits, ylim=(0, 1), xlabel="R²")
        axes.tick_params(labelleft=axes in panels[::ABREAST])
    label_rows(panels, "share of the samples with\nat most this R²")
    headline(figure, "R² of the decay fits against that of shuffled traces")
    several = distribution.groupby("architecture")["seed"].nunique().max() > 1
    caption_below(
        figure,
        "thin: a seed, thick: mean of the seeds" * bool(several),
        "grey: the same traces, epochs shuffled",
        "right of the grey line: better than noise",
        "below 0: worse than the trace's mean",
        "constant, no fit: without R²",
    )
    return figure


def _signs(table: pd.DataFrame, finding: pd.DataFrame) -> Iterator[str]:
    """Yield what stands below a panel's title: the finding's means, and who has no R²."""
    for _, row in finding[finding["statistic"] == "mean_r_squared"].iterrows():
        if pd.notna(row["estimate"]):
            null = f", shuffled {number(row['chance'])}" if pd.notna(row["chance"]) else ""
            yield f"mean {number(row['estimate'])}{null}"
    shares = table.groupby("statistic")["estimate"].mean()
    yield f"of all samples: constant {percent(shares['constant'])}, no fit {percent(shares['unidentified'])}"


def _limits(curves: pd.DataFrame) -> tuple[float, float]:
    """Return between which R² some line is neither 0 nor 1, with a little room."""
    inner = curves.loc[curves["estimate"].between(0, 1, inclusive="neither"), "r_squared"]
    low, high = (inner.min(), inner.max()) if len(inner) else (-1.0, 1.0)
    return low - 0.05, min(high + 0.05, 1.0)


def _draw(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    if rows.empty:
        axes.text(0.5, 0.5, "no R²", ha="center", transform=axes.transAxes)
        return
    axes.axvline(0, color=GREY, linewidth=0.6)
    curves = rows.pivot(index="r_squared", columns=["statistic", "seed"], values="estimate")
    null = curves["shuffled"].mean(axis=1)
    axes.plot(null.index, null, color=GREY, linewidth=1.8, drawstyle="steps-post")
    observed = curves["observed"]
    for seed in observed if observed.shape[1] > 1 else ():
        axes.plot(
            observed.index,
            observed[seed],
            color=colour,
            linewidth=0.6,
            alpha=0.5,
            drawstyle="steps-post",
        )
    mean = observed.mean(axis=1)
    axes.plot(mean.index, mean, color=colour, linewidth=1.8, drawstyle="steps-post")
    round_ticks(axes.xaxis)
    round_ticks(axes.yaxis, percent=True)
    grid_behind(axes)
