"""The specification curve: its words, axes and files."""

from math import nan

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from specification_tables import by_hand, matches_of, table_of, without

from retention.commands import draw_figure
from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.common.parts import part_names
from retention.measuring.figures import figure_homes
from retention.multiverse.choices import load_choices
from retention.multiverse.shares import shares_table
from retention.reporting.choices import dimension_in_words, level_in_words
from retention.reporting.specification_curve import specification_curve
from retention.reporting.style import save
from retention.workflow.multiverse import multiverse_figures


def test_more_comparisons_than_a_page_holds_are_named():
    names = ("a", "b", "c", "d", "e", "f")
    figure = specification_curve(table_of(comparisons=names), "seed_stability", "Title")
    assert [axes.get_title(loc="left") for axes in figure.axes[:4]] == list("abcd")
    assert "not drawn, in multiverse.csv: e, f" in figure.get_supxlabel().replace("\n", " ")


def test_long_names_take_no_room_from_the_curve():
    names = ("a_network_" * 9, "b\n$x$" * 20, "c" * 90)
    plain, hostile = (
        specification_curve(
            table_of(comparisons=of),
            "seed_stability",
            "Title",
            matches_of((of[0], 2, "gives such a number")),
        )
        for of in (("one", "other", "third"), names)
    )
    labels = [text.get_text() for text in hostile.axes[3].get_yticklabels()]
    assert "a_network_a_…: these data can't tell" in labels
    assert not any("\n" in label for label in labels)
    assert hostile.axes[0].get_position().width > 0.85 * plain.axes[0].get_position().width
    renderer = FigureCanvasAgg(hostile).get_renderer()
    for axes in hostile.axes:
        around = axes.get_tightbbox(renderer).transformed(hostile.dpi_scale_trans.inverted())
        assert around.x0 >= 0 and around.x1 <= hostile.get_figwidth()


def test_the_title_says_the_range_and_the_studys_own():
    table = table_of()
    first, *_, last = by_hand(table)
    own = table.query("own and comparison == 'one'")["estimate"].item()
    title = specification_curve(table, "seed_stability", "Title").get_suptitle().replace("\n", " ")
    assert title == (
        f"Title: Spearman's ρ (one) from \u2212{-first[0]:.2f} to {last[0]:.2f} over 20 combinations of choices "
        f"(all distinguishable), \u2212{-own:.2f} by this study's own"
    )


def test_the_title_counts_what_the_shares_count():
    table = table_of(30)
    number = table["combination"]
    same = table["estimate"].mask(
        number % 4 == 0, 0.25
    )  # seven combinations agree in all comparisons
    table = without(table.assign(estimate=same), (table["comparison"] == "one") & (number == 9))
    shares = shares_table(table, ["trace"])
    counted = shares[(shares["share"] == "distinguishable") & (shares["comparison"] == "one")]
    assert counted["value"].item() == 23
    title = specification_curve(table, "seed_stability", "Title").get_suptitle().replace("\n", " ")
    assert "over 29 combinations of choices (23 distinguishable)" in title


def test_far_estimates_and_long_intervals_leave_the_others_readable():
    table = table_of(40, faults=False)
    at = table["combination"] == 9
    far = table.assign(
        estimate=table["estimate"].mask(at, -4000.0), low=table["low"].mask(at, -9e5)
    )
    figure = specification_curve(far, "seed_stability", "Title")
    assert figure.axes[0].get_yscale() == "symlog"
    low, high = figure.axes[0].get_ylim()
    assert low < -4000 and high > table["estimate"].max()
    foot = figure.get_supxlabel().replace("\n", " ")
    assert "beyond ±1 an axis is logarithmic; longer intervals are cut" in foot
    wide = table.assign(low=table["low"].mask(at, -50.0))
    low, _ = specification_curve(wide, "seed_stability", "Title").axes[0].get_ylim()
    assert -5 < low < table["estimate"].min()


def test_the_band_of_permuted_data_ends_within_the_axis_but_for_outliers():
    table = table_of(20, ("one",), faults=False).assign(low=nan, high=nan)
    table["estimate"] = np.linspace(0.1, 0.6, 20)
    table["null_low"], table["null_high"] = -0.3, 0.9
    figure = specification_curve(table, "seed_stability", "Title")
    low, high = figure.axes[0].get_ylim()
    assert -0.5 < low < -0.3 and 0.9 < high < 1.1
    assert "are cut" not in figure.get_supxlabel()
    outlying = table.assign(null_high=table["null_high"].mask(table["combination"] == 9, 50.0))
    cut = specification_curve(outlying, "seed_stability", "Title")
    assert cut.axes[0].get_ylim() == (low, high)
    assert "longer intervals are cut" in cut.get_supxlabel().replace("\n", " ")


@pytest.mark.parametrize(
    ("farthest", "ticks"),
    [
        (-3.02, ["\u22123", "\u22121", "0", "1"]),
        (-4.3, ["\u22125", "\u22121", "0", "1"]),
        (-900.0, ["\u22121000", "\u2212100", "\u221210", "\u22121", "0", "1"]),
        (-3e7, ["\u221210⁶", "\u221210⁴", "\u2212100", "\u22121", "0", "1"]),
    ],
)
def test_a_logarithmic_axis_has_a_tick_beyond_one(farthest, ticks):
    table = table_of(12, ("one",), faults=False).assign(statistic="mean_r_squared")
    table["estimate"] = np.linspace(-1, 0.9, 12)
    table.loc[5, "estimate"] = farthest
    axes = specification_curve(table, "seed_stability", "Title").axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ticks
    low, high = axes.get_ylim()
    assert low < farthest and high == pytest.approx(1.1)  # no R² is above 1


@pytest.mark.parametrize(
    ("statistic", "least", "most"), [("kendalls_w", 0, 1), ("jaccard", 0, 1), ("spearman", -1, 1)]
)
@pytest.mark.parametrize("intervals", [True, False])
def test_no_axis_ends_far_from_where_the_statistic_does(statistic, least, most, intervals):
    table = table_of(20, ("one",), faults=False).assign(statistic=statistic)
    table["estimate"] = np.linspace(least + 0.05, most - 0.05, 20)
    table["low"], table["high"] = (least - 1, most + 1) if intervals else (nan, nan)
    low, high = specification_curve(table, "seed_stability", "Title").axes[0].get_ylim()
    room = 0.07 * (most - least)
    assert least - room < low < least + 0.05 and most - 0.05 < high < most + room


def test_another_table_is_refused_in_one_line(tmp_path):
    table = table_of()
    for wrong, told in (
        (table.drop(columns=["own", "chance"]), r"lacks the column\(s\) own, chance; give a multi"),
        (pd.concat([table, table.assign(dataset="e")]), r"holds 2 data sets \(d, e\); give that"),
    ):
        with pytest.raises(UserError, match=told) as error:
            specification_curve(wrong, "seed_stability", "Title")
        assert "\n" not in str(error.value)
    with pytest.raises(
        UserError, match=r"matches lacks the column\(s\) reported, status, here; give"
    ):
        specification_curve(table, "seed_stability", "Title", table)


def test_every_choice_has_words_of_its_own():
    dimensions = load_choices().dimensions
    assert len({dimension_in_words(name) for name in dimensions}) == len(dimensions)
    for name, one in dimensions.items():
        levels = [*one.levels, *one.faults]
        words = {level_in_words(name, level) for level in levels}
        assert len(words) == len(levels)
        assert not any("_" in word.replace("curve_fit", "") for word in words)
    assert level_in_words("trace", "what_a_user_adds") == "what a user adds"


def test_every_finding_under_every_choice_has_a_figure_that_studies_draw():
    findings = part_names("retention.multiverse.estimates")
    figures = multiverse_figures(findings)
    assert [*figures] == [f"multiverse_{name}" for name in findings]
    assert {*figures} <= {*figure_homes()}
    for figure in figures.values():
        assert {option: files.name for option, files in figure.reads.items()} == {
            "multiverse": "findings/multiverse.csv",
            "matches": "multiverse_matches.csv",
        }
    assert multiverse_figures([]) == {}


def test_the_command_draws_it_from_files(tmp_path):
    table, matches = tmp_path / "multiverse.csv", tmp_path / "matches.csv"
    write_csv(table, table_of(300).assign(top_fraction=0.1))
    write_csv(matches, matches_of(("one", 2, "gives such a number")))
    pictures = [tmp_path / f"picture.{suffix}" for suffix in ("pdf", "svg", "png")]
    words = ["multiverse_seed_stability", "--multiverse", table, "--output", *pictures]
    draw_figure.main([*map(str, words)])
    assert 10_000 < pictures[0].stat().st_size < 150_000
    plain = pictures[1].read_text()
    assert "this study's own" in plain and "these data can't tell" not in plain
    words = [*words[:3], "--output", pictures[1]]
    write_csv(table, table_of(12))
    draw_figure.main([*map(str, words), "--matches", str(matches)])
    assert "one: these data can't tell" in pictures[1].read_text()
    draw_figure.main(["multiverse_early_loss", *map(str, words[1:])])
    assert "The multiverse has no combination of early_loss" in pictures[1].read_text()


def test_names_that_look_like_numbers_or_marks_are_drawn_as_they_are_written(tmp_path):
    names = ("NA", "007", "$x_1$")
    write_csv(tmp_path / "m.csv", table_of(12, names))
    picture = tmp_path / "m.svg"
    words = ["multiverse_seed_stability", "--multiverse", tmp_path / "m.csv", "--output", picture]
    draw_figure.main([*map(str, words)])
    drawn = picture.read_text()
    assert all(f"<!-- {name} -->" in drawn for name in names)


def test_the_same_table_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        figure = specification_curve(table_of(8), "seed_stability", "Title")
        save(figure, [tmp_path / f"{name}.{suffix}" for suffix in ("pdf", "svg")])
    for suffix in ("pdf", "svg"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
