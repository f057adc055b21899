"""Figures of single samples: what stands on their axes is what samples and traces say, counted here by hand."""

import numpy as np
import pandas as pd
import pytest
from described_study import command
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from sample_study import (
    ARCHITECTURES,
    FIGURES,
    SEEDS,
    counted,
    drawn,
    pairs_of,
    shares_in,
    tables_of,
    write_study,
)

from retention.commands import draw_figure
from retention.common.csv_tables import read_csv, write_csv
from retention.common.parts import load_part
from retention.reporting.densities import rho_in_words
from retention.reporting.facets import COLUMN, TEXT
from retention.reporting.look import PALETTE, look_of
from retention.reporting.style import NothingEstimable, save

HOSTILE = {
    "a": "<img src=x onerror=alert(1)> $\\alpha$ {x} %d _a_ " + "y" * 150,
    "b": "a network of a long name " * 8,
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("runs"), findings=True)


def cells_on(axes) -> dict[tuple[float, ...], float]:
    """Return the bins that are drawn on axes as `shares_in` does: the strip of 0 from 0 to 0."""
    (drawn,) = [found for found in axes.collections if isinstance(found, PolyCollection)][:1]
    cells = {}
    for path, share in zip(drawn.get_paths(), drawn.get_array(), strict=True):
        edges = [edge for side in path.vertices.T for edge in (side.min(), side.max())]
        key = [0.0, 0.0, 0.0, 0.0]
        for place in (0, 2):
            if edges[place] > 0:
                key[place : place + 2] = edges[place : place + 2]
        cells[tuple(round(edge, 12) for edge in key)] = share
    return cells


def reported(finding, comparison) -> str:
    row = finding[
        (finding["comparison"] == comparison) & (finding["statistic"] == "spearman")
    ].iloc[0]
    low, high = (f"{row[name]:.2f}".replace("-", "−") for name in ("low", "high"))
    return f"ρ = {row['estimate']:.2f} ({low} to {high})"


def test_seeds_are_drawn_architecture_by_architecture_with_the_findings_rho(study):
    finding, series = tables_of(study, SEEDS)
    figure = drawn(SEEDS, finding, series)
    panels = [axes for axes in figure.axes if axes.get_title(loc="left")]
    assert len(panels) == 2
    for axes, name, title in zip(panels, "ba", ("Net B", "a"), strict=True):
        pairs = pairs_of(study, name, name)
        wanted = counted(pairs)
        lacking = wanted.pop((), 0)
        assert cells_on(axes) == pytest.approx(wanted)
        words = " ".join(axes.get_title(loc="left").split())
        assert words.startswith(f"{title} {reported(finding, name)}")
        both = sum(x == y == 0 for x, y in pairs) / len(pairs)
        one = sum((x == 0) != (y == 0) for x, y in pairs if x == x and y == y) / len(pairs)
        assert f"λ = 0: both {100 * both:.0f} %, one {100 * one:.0f} %" in words
        assert f"3 pairs of runs; no λ: {100 * lacking:.0f} %" in words
    assert panels[0].get_xlim() == panels[1].get_xlim() and panels[0].get_xscale() == "symlog"


def test_architectures_are_drawn_pair_by_pair_with_the_findings_rho(study):
    finding, series = tables_of(study, ARCHITECTURES)
    figure = drawn(ARCHITECTURES, finding, series)
    axes, bar = figure.axes
    wanted = counted(pairs_of(study, "a", "b"))
    wanted.pop((), None)
    assert cells_on(axes) == pytest.approx(wanted)
    assert axes.get_title(loc="left").startswith(f"a – Net B\n{reported(finding, 'a vs b')}")
    assert bar.get_xlabel() == "share of the samples in a bin" and figure.get_figwidth() == COLUMN


def test_early_losses_are_drawn_with_their_running_quartiles_and_the_findings_rho(study):
    finding, series = tables_of(study, "early_loss_against_decay")
    figure = drawn("early_loss_against_decay", finding, series)
    for axes, name, colour in zip(figure.axes[:2], "ba", PALETTE[:2], strict=True):
        rows = series[series["architecture"] == name]
        wanted = shares_in(rows[rows["statistic"] == "density"])
        wanted.pop((), None)
        assert cells_on(axes) == pytest.approx(wanted)
        (median,) = axes.get_lines()
        found = rows[rows["statistic"] == "median"]
        assert np.array_equal(median.get_xdata(), found["loss"])
        assert np.array_equal(median.get_ydata(), found["estimate"])
        assert to_hex(median.get_color()) == colour.lower()
        band = axes.collections[1].get_paths()[0].vertices
        quartiles = rows[rows["statistic"].isin(["lower_quartile", "upper_quartile"])]
        assert set(band[:, 1].round(12)) == set(quartiles["estimate"].round(12))
        assert reported(finding, name) in axes.get_title(loc="left")


def test_distributions_are_drawn_beside_their_null_with_the_findings_means(study):
    finding, series = tables_of(study, "fit_r2_against_null")
    figure = drawn("fit_r2_against_null", finding, series)
    for axes, name, colour in zip(figure.axes, "ba", PALETTE[:2], strict=True):
        rows = series[series["architecture"] == name]
        lines = [line for line in axes.get_lines() if len(line.get_xdata()) > 2]
        tints = [to_hex(line.get_color()) for line in lines]
        assert tints == ["#777777", *[colour.lower()] * 4]
        curves = {
            statistic: np.stack(
                [
                    found["estimate"]
                    for _, found in rows[rows["statistic"] == statistic].groupby("seed")
                ]
            )
            for statistic in ("observed", "shuffled")
        }
        wanted = [
            curves["shuffled"].mean(axis=0),
            *curves["observed"],
            curves["observed"].mean(axis=0),
        ]
        assert np.allclose([line.get_ydata() for line in lines], wanted)
        assert np.allclose(lines[0].get_xdata(), np.linspace(-1, 1, 201))
        (mean,) = finding[
            (finding["architecture"] == name) & (finding["statistic"] == "mean_r_squared")
        ].to_dict("records")
        words = f"mean {mean['estimate']:.2f}, shuffled {mean['chance']:.2f}".replace("-", "−")
        assert words in axes.get_title(loc="left")
        constant = rows[rows["statistic"] == "constant"]["estimate"].mean()
        assert f"constant {100 * constant:.0f} %" in axes.get_title(loc="left")
    assert "thin: a seed" in figure.get_supxlabel()


def test_another_score_than_the_decay_constant_is_named_beside_its_rho():
    row = {"statistic": "spearman", "estimate": 0.5, "low": -0.1, "high": 0.9}
    rows = pd.DataFrame([row | {"definition": "one_minus_retention, all pairs of seeds"}])
    assert rho_in_words(rows) == "ρ of 1 − retention = 0.50 (−0.10 to 0.90)"
    assert rho_in_words(rows.assign(definition="decay_constant", low=np.nan)) == "ρ = 0.50"
    assert (
        rho_in_words(rows.assign(definition="hazard", estimate=np.nan))
        == "ρ of hazard not estimable"
    )
    assert rho_in_words(rows.head(0)) == ""


@pytest.mark.parametrize(
    "name",
    [SEEDS, "fit_r2_against_null"]
    + [
        pytest.param(n, marks=pytest.mark.slow) for n in (ARCHITECTURES, "early_loss_against_decay")
    ],
)
def test_nothing_is_cut_or_lies_on_another_whatever_the_names(name, study, tmp_path):
    figure = drawn(name, *tables_of(study, name), look_of("ab", HOSTILE))
    save(figure, [tmp_path / "f.svg"])
    assert figure.get_figwidth() in (COLUMN, TEXT)
    figure.draw_without_rendering()
    boxes = [
        axes._left_title.get_window_extent() for axes in figure.axes if axes._left_title.get_text()
    ]
    boxes += [axes.get_window_extent() for axes in figure.axes]
    boxes.append(figure._suptitle.get_window_extent())
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 + 1 for box in boxes)
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[k + 1 :])
    panels = [axes for axes in figure.axes if axes._left_title.get_text()]
    assert all(min(axes.get_position().size) > 0.1 for axes in panels)
    assert "<img" not in (tmp_path / "f.svg").read_text(encoding="utf-8")


def test_nothing_lost_is_a_figure_that_says_so(study):
    for name in (SEEDS, ARCHITECTURES, "early_loss_against_decay"):
        finding, series = tables_of(study, name)
        held = series[~((series["x_high"] > 0) | (series["y_high"] > 0))]
        if name == "early_loss_against_decay":
            held = series[~(series["y_high"] > 0)]
        with pytest.raises(NothingEstimable, match="no sample that was learned was lost again"):
            drawn(name, finding, held)


def test_without_any_r_squared_the_figure_says_so_and_one_that_lacks_it_is_named(study):
    finding, series = tables_of(study, "fit_r2_against_null")
    with pytest.raises(NothingEstimable, match="No sample has an R²"):
        drawn("fit_r2_against_null", finding, series[series["r_squared"].isna()])
    flat = series[series["r_squared"].isna() | (series["architecture"] == "a")]
    figure = drawn("fit_r2_against_null", finding, flat)
    assert [text.get_text() for text in figure.axes[0].texts] == ["no R²"]


def test_a_comparison_without_decay_constants_is_an_empty_panel(study):
    finding, series = tables_of(study, SEEDS)
    series = series[series["x_low"].isna() | (series["architecture"] != "b")]
    figure = drawn(SEEDS, finding, series)
    assert cells_on(figure.axes[0]) == {} and len(cells_on(figure.axes[1])) > 5


@pytest.mark.parametrize("name", ["early_loss_against_decay", "fit_r2_against_null"])
def test_the_command_draws_what_the_tables_hold(name, study, tmp_path):
    finding, option, series = FIGURES[name]
    words = [name, "--finding", study / f"{finding}.csv", f"--{option}", study / f"{series}.csv"]
    command(draw_figure, *words, "--output", tmp_path / "f.pdf")
    assert b"/FontFile2" in (tmp_path / "f.pdf").read_bytes()


@pytest.mark.parametrize("name", [SEEDS, ARCHITECTURES])
def test_one_run_is_a_figure_that_says_what_lacks(name, study, tmp_path):
    finding, option, series = FIGURES[name]
    write_csv(tmp_path / "series.csv", read_csv(study / f"{series}.csv").head(0))
    words = [name, "--finding", study / f"{finding}.csv", f"--{option}", tmp_path / "series.csv"]
    command(draw_figure, *words, "--output", tmp_path / "f.svg")
    assert (tmp_path / "f.svg").stat().st_size > 1000


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_shown_with_the_finding_whose_table_it_reads(name):
    from retention.measuring.shown_with import finding_of
    from retention.workflow.findings import category_of, declared, figures_of

    figure = load_part("retention.figures", name).FIGURE
    finding, option, series = FIGURES[name]
    assert [files.name for files in figure.reads.values()] == [
        f"findings/{finding}.csv",
        f"series/{series}.csv",
    ]
    assert [*figure.reads] == ["finding", option] and finding_of(figure) == finding
    assert category_of(name) == declared(finding).title
    assert name in figures_of([finding]) and name not in figures_of([])
    assert all(len(sentence.split()) <= 40 for sentence in figure.caption.split(". "))


def test_figures_of_no_finding_keep_their_category():
    from retention.workflow.findings import category_of

    assert category_of("trace_raster") == "The runs"
    assert category_of("multiverse_fit_quality") == "Every analytic choice"
