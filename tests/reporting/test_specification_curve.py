"""The specification curve: what is drawn is what the table says, counted and sorted here by hand."""

from math import nan

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from specification_tables import (
    beside,
    by_hand,
    dots,
    marks,
    matches_of,
    matrix_of,
    points,
    table_of,
    without,
)

from retention.reporting.choices import level_in_words
from retention.reporting.look import PALETTE
from retention.reporting.specification import specification_of
from retention.reporting.specification_curve import specification_curve
from retention.reporting.specification_marks import PALE
from retention.reporting.style import GREY, NothingEstimable


@pytest.mark.parametrize("combinations", [20, 150])
def test_estimates_stand_in_the_order_of_the_first_comparison(combinations):
    table = table_of(combinations)
    one, other = specification_curve(table, "seed_stability", "Title").axes[:2]
    order = [number for _, number in by_hand(table)]
    known = {number: estimate for estimate, number in by_hand(table, "other")}
    assert sorted(dots(one)) == [(n, e) for n, (e, _) in enumerate(by_hand(table), start=1)]
    assert sorted(dots(other)) == [(n, known[k]) for n, k in enumerate(order, start=1)]
    assert (one.get_title(loc="left"), other.get_title(loc="left")) == ("one", "other")
    strokes = [line for line in one.get_lines() if line.get_alpha() == 0.45]
    ends = np.concatenate([np.reshape(line.get_ydata(), (-1, 3))[:, :2] for line in strokes])
    estimates = sorted(estimate for estimate, _ in by_hand(table))
    assert sorted(ends.mean(axis=1)) == pytest.approx(estimates)
    assert np.ptp(ends, axis=1) == pytest.approx(0.4)


def test_rings_and_lines_mark_the_studys_own_and_what_has_a_name():
    table = table_of()
    figure = specification_curve(table, "seed_stability", "Title")
    place = {number: n for n, (_, number) in enumerate(by_hand(table), start=1)}
    for axes, comparison in zip(figure.axes[:2], ("one", "other"), strict=True):
        known = {number: estimate for estimate, number in by_hand(table, comparison)}
        assert points(marks(axes, "o", "none")) == [(place[3], known[3])]
        assert points(marks(axes, "D")) == [(place[4], known[4])]
    for axes in figure.axes[:3]:
        lines = {
            (line.get_xdata()[0], line.get_linestyle())
            for line in axes.get_lines()
            if len(line.get_xdata()) == 2 and line.get_linewidth() == 0.6
        }
        assert lines == {(place[3], "-"), (place[4], ":")}
    assert points(marks(figure.axes[2], "D")) == [(place[4], 1)]


def test_what_is_not_significant_is_pale_and_what_has_no_p_is_hollow():
    table = table_of()
    figure = specification_curve(table, "seed_stability", "Title")
    one = figure.axes[0]
    kept = table[(table["comparison"] == "one") & (table["kind"] != "fault")]
    pale = kept.loc[kept["p"] >= 0.05, "estimate"].tolist()
    assert 0 < len(pale) < len(kept)
    assert sorted(y for _, y in dots(one, to_hex(PALE))) == sorted(pale)
    assert "hollow" not in figure.get_supxlabel()
    untested = kept[kept["combination"] % 3 == 0]
    lacking = table.assign(p=table["p"].mask(table["combination"] % 3 == 0))
    figure = specification_curve(lacking, "seed_stability", "Title")
    hollow = [line for line in marks(figure.axes[0], "o") if line.get_markerfacecolor() == "white"]
    assert sorted(y for _, y in points(hollow)) == sorted(untested["estimate"])
    assert len(dots(figure.axes[0])) == len(kept)
    assert "hollow: no p" in figure.get_supxlabel()
    told = specification_curve(table.assign(p=nan), "seed_stability", "Title")
    full = [line for line in marks(told.axes[0], "o") if line.get_markerfacecolor() != "white"]
    assert {to_hex(line.get_color()) for line in full if len(line.get_xdata())} == {
        PALETTE[0].lower()
    }
    assert len(points(full)) == len(kept)


@pytest.mark.parametrize("combinations", [20, 150])
def test_the_matrix_has_a_dot_where_a_combination_has_a_level(combinations):
    table = table_of(combinations)
    matrix = specification_curve(table, "seed_stability", "Title").axes[2]
    place = {number: n for n, (_, number) in enumerate(by_hand(table), start=1)}
    kept = table[(table["comparison"] == "one") & (table["kind"] != "fault")].to_dict("records")
    expected = {"this study's own": {place[3]}, "a definition": {place[4]}}
    for name in ("trace", "samples", "top_fraction"):  # curve and ties do not vary
        for level in {row[name] for row in kept} - {""}:
            having = {place[row["combination"]] for row in kept if row[name] == level}
            expected[level_in_words(name, level)] = having
    assert matrix_of(matrix) == expected
    ordered = by_hand(table)
    medians = {
        level: np.median([ordered[n - 1][0] for n in having])
        for level, having in expected.items()
        if level not in ("this study's own", "a definition")
    }
    written = beside(matrix)
    assert written.pop("a definition") == "median"  # the heading stands above the first level
    assert {
        level: float(text.replace("\u2212", "-")) for level, text in written.items()
    } == pytest.approx(medians, abs=0.00501)


def test_combinations_that_match_are_marked_with_the_verdict():
    give, wide = "gives such a number", "too wide to tell"
    matches = pd.concat(
        [
            matches_of(("one", 2, give), ("one", 9, give), ("one", 11, wide), ("other", 11, wide)),
            matches_of(("one", 5, give), reported="0.30", here="these give such a number here"),
            matches_of(("one", 999, wide), ("sixth", 1, give), reported="0.40"),
        ]
    )
    table = table_of()
    figure = specification_curve(table, "seed_stability", "Title", matches)
    place = {number: n for n, (_, number) in enumerate(by_hand(table), start=1)}
    matrix = figure.axes[2]
    rows = matrix_of(matrix)
    assert rows["one: these data can't tell"] == {place[2], place[9], place[11]}
    assert rows["other: these data can't tell"] == {place[11]}
    assert rows["one: these give it here"] == {place[5]}
    assert sum(":" in label for label in rows) == 3  # an error gives none, nor what is not there
    assert [t.get_text() for t in matrix.texts if t.get_weight() == "bold"][:2] == [
        "paper's about 0.01",
        "paper's 0.30",
    ]
    pale = {(x, y) for x, y in dots(matrix, to_hex(PALE))}
    assert pale == {(place[11], 2), (place[11], 3)}
    assert "for pale ones the interval is too wide" in figure.get_supxlabel().replace("\n", " ")
    plain = specification_curve(
        table_of(), "seed_stability", "Title", matches.assign(dataset="another")
    )
    assert not any(":" in label for label in matrix_of(plain.axes[2]))
    assert "paper's" not in plain.get_supxlabel()


def test_chance_and_the_band_where_nothing_differs_are_drawn_where_there_is_an_estimate():
    table = table_of()
    table["null_low"] = -0.1 - table["combination"] / 100
    table["null_high"] = 0.1
    table["chance"] = table["combination"] / 1000
    table = without(table, (table["comparison"] == "other") & (table["combination"] == 8))
    figure = specification_curve(table, "seed_stability", "Title")
    order = [number for _, number in by_hand(table)]
    for axes, lacking in zip(figure.axes[:2], ((), (8,)), strict=True):
        kept = [(n, number) for n, number in enumerate(order, start=1) if number not in lacking]
        bars = [bar for bar in axes.patches if np.isfinite(bar.get_height())]
        ends = [(bar.get_x() + 0.5, bar.get_y(), bar.get_y() + bar.get_height()) for bar in bars]
        expected = [(n, -0.1 - number / 100, 0.1) for n, number in kept]
        assert np.array(ends) == pytest.approx(np.array(expected))
        segments = np.array([one for one in axes.collections[0].get_segments() if len(one)])
        assert segments[:, :, 0] == pytest.approx(np.array([(n - 0.5, n + 0.5) for n, _ in kept]))
        assert segments[:, 0, 1] == pytest.approx([number / 1000 for _, number in kept])
    assert "shaded" in figure.get_supxlabel() and "by chance" in figure.get_supxlabel()
    plain = specification_curve(table_of(), "seed_stability", "Title")
    assert not plain.axes[0].patches and "shaded" not in plain.get_supxlabel()
    zero = specification_curve(table_of().assign(chance=nan), "seed_stability", "Title")
    assert "dotted across: 0" in zero.get_supxlabel()


def test_faults_stand_apart_and_count_nowhere():
    with_faults = specification_curve(table_of(), "seed_stability", "Title")
    without_faults = specification_curve(table_of(faults=False), "seed_stability", "Title")
    assert len(with_faults.axes) == 4 and len(without_faults.axes) == 3
    panel = with_faults.axes[3]
    assert panel.get_xlabel() == "Spearman's ρ"
    named = panel.get_legend()
    assert {
        text.get_text(): to_hex(line.get_color())
        for text, line in zip(named.get_texts(), named.get_lines(), strict=True)
    } == {"one": PALETTE[0].lower(), "other": PALETTE[1].lower()}
    assert [text.get_text() for text in panel.get_yticklabels()] == [
        "this study's own",
        "ties at the cut in the order of the file",
    ]
    assert sorted(x for x, y in dots(panel) if y > 0.5) == [7.5, 7.5]
    own = table_of().query("own")["estimate"]
    assert sorted(x for x, y in dots(panel) if y < 0.5) == sorted(own)
    assert with_faults.get_suptitle() == without_faults.get_suptitle()
    assert matrix_of(with_faults.axes[2]) == matrix_of(without_faults.axes[2])


def test_what_has_no_estimate_is_said():
    table = table_of(comparisons=("one", "other", "third"))
    number, of = table["combination"], table["comparison"]
    table = without(table, (number == 5) | ((of == "one") & (number == 6)) | (of == "other"))
    figure = specification_curve(table, "seed_stability", "Title")
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["one", "third"]
    foot = figure.get_supxlabel().replace("\n", " ")
    assert "left out: 1 combination without any estimate" in foot
    assert "none: 1 combination without an estimate of one" in foot
    assert "without any estimate: other" in foot
    found = specification_of(table, "seed_stability")
    assert len(found.levels) == 19 and found.levels.index[-1] == 6  # one has none of it, third has
    assert found.places.tolist() == [*range(1, 19), 21]
    first, last, matrix = (figure.axes[n] for n in (0, 1, 2))
    assert max(x for x, _ in dots(first)) == 18 and max(x for x, _ in dots(last)) == 21
    assert max(matrix.get_xticks()) <= 18 and first.get_xlim() == matrix.get_xlim()
    assert "none: 1" in [text.get_text() for text in matrix.texts]
    with pytest.raises(NothingEstimable, match="No combination of seed_stability has an estimate"):
        specification_curve(without(table, number > 0), "seed_stability", "Title")
    with pytest.raises(NothingEstimable, match="has no combination of early_loss"):
        specification_curve(table, "early_loss", "Title")


def test_levels_that_are_not_crossed_are_grey():
    table = table_of()
    alone = (table["trace"] == "lag") & (table["kind"] != "fault")
    figure = specification_curve(
        table.assign(kind=table["kind"].mask(alone, "alone")), "seed_stability", "Title"
    )
    labels = figure.axes[2].get_yticklabels()
    assert {text.get_text() for text in labels if text.get_color() == GREY} == {
        "after each right epoch"
    }
    assert "grey words: a level that was not crossed" in figure.get_supxlabel().replace("\n", " ")
    plain = specification_curve(table, "seed_stability", "Title")
    assert "grey words" not in plain.get_supxlabel().replace("\n", " ")
