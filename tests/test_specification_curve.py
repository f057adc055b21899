"""The specification curve: what is drawn is what the table says, counted and sorted here by hand."""

from math import isnan, nan

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from retention.commands import draw_figure
from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.common.parts import part_names
from retention.measuring.figures import figure_homes
from retention.multiverse.choices import load_choices
from retention.reporting.choices import dimension_in_words, level_in_words
from retention.reporting.estimate_panels import PALE
from retention.reporting.specification import specification_of
from retention.reporting.specification_curve import specification_curve
from retention.reporting.style import PALETTE, NothingEstimable, save
from retention.workflow.multiverse import multiverse_figures

TRACES, SAMPLES = ("aligned", "lag", "raw"), ("all", "ever_forgotten")
FRACTIONS = ("0.1", "0.2")


def table_of(combinations=20, comparisons=("one", "other"), faults=True):
    """Return a multiverse.csv of random numbers: choices that vary, one that does not, one that may not apply."""
    draws = np.random.default_rng(7)
    rows = []
    for comparison in comparisons:
        for number in range(1, combinations + 1):
            levels = {"trace": TRACES[number % 3], "curve": "exponential"}
            levels |= {"samples": SAMPLES[number % 2] if number % 5 else ""}
            levels |= {"top_fraction": FRACTIONS[number % 7 == 0], "ties": "lots"}
            rows.append(row(comparison, number, draws.normal(), draws.random(), levels))
        if faults:
            levels = {"trace": "lag", "curve": "exponential", "samples": "all"}
            levels |= {"top_fraction": "0.1", "ties": "file_order"}
            rows.append(row(comparison, 999, 7.5, 0.001, levels) | {"kind": "fault", "own": False})
    return pd.DataFrame(rows)


def row(comparison, number, estimate, p, levels):
    """Return a row: number 3 is the study's own, 4 has a name."""
    return {
        "finding": "seed_stability",
        "dataset": "d",
        "comparison": comparison,
        "architecture": comparison,
        "statistic": "spearman",
        "combination": number,
        "kind": "crossed",
        "own": number == 3,
        "named": {3: "ours", 4: "a_definition"}.get(number, ""),
        **levels,
        "estimate": estimate,
        "low": estimate - 0.2,
        "high": estimate + 0.2,
        "target": "new runs",
        "p": p,
        "n": 50,
        "chance": 0.0,
        "residue": nan,
        "note": "",
    }


def without(table, where):
    """Return the table with no estimate in some rows."""
    numbers = ["estimate", "low", "high", "p"]
    return table.assign(**{name: table[name].mask(where) for name in numbers})


def by_hand(table, comparison="one"):
    """Return (estimate, number) of a comparison's combinations, sorted."""
    found = [
        (one["estimate"], one["combination"])
        for one in table.to_dict("records")
        if one["comparison"] == comparison and one["kind"] != "fault" and not isnan(one["estimate"])
    ]
    return sorted(found)


def dots(axes, colour=None):
    """Return the points of an axes' dots, of one colour if it is given."""
    return [
        point
        for line in axes.get_lines()
        if line.get_marker() == "o" and colour in (None, to_hex(line.get_color()))
        for point in zip(*line.get_data(), strict=True)
    ]


def matrix_of(axes):
    """Return the combinations' places by row label, of dots and of strokes."""
    labels = [text.get_text() for text in axes.get_yticklabels()]
    found = {label: set() for label in labels}
    for line in axes.get_lines():
        x, y = (np.asarray(values, dtype=float) for values in line.get_data())
        if line.get_marker() == "o":
            points = zip(x, y, strict=True)
        elif len(x) >= 3 and np.isnan(y[2]):  # a stroke is low, high, NaN
            points = zip(x[::3], (y[::3] + y[1::3]) / 2, strict=True)
        else:
            continue
        for place, level in points:
            found[labels[round(level)]].add(round(place))
    return found


def beside(axes):
    """Return what stands at the right of each row."""
    labels = [text.get_text() for text in axes.get_yticklabels()]
    written = {
        round(t.get_position()[1]): t.get_text() for t in axes.texts if t.get_weight() != "bold"
    }
    return {label: written[place] for place, label in enumerate(labels) if place in written}


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
        rings = {
            to_hex(ring.get_edgecolor()[0]).upper(): ring.get_offsets().tolist()
            for ring in axes.collections
        }
        assert rings == {
            "#000000": [[place[3], known[3]]],
            PALETTE[4]: [[place[4], known[4]]],
        }
    for axes in figure.axes[:3]:
        lines = {line.get_xdata()[0] for line in axes.get_lines() if line.get_alpha() == 0.7}
        assert lines == {place[3], place[4]}


def test_what_is_not_significant_is_pale():
    table = table_of()
    one = specification_curve(table, "seed_stability", "Title").axes[0]
    kept = table[(table["comparison"] == "one") & (table["kind"] != "fault")]
    pale = kept.loc[kept["p"] >= 0.05, "estimate"].tolist()
    assert 0 < len(pale) < len(kept)
    assert sorted(y for _, y in dots(one, to_hex(PALE))) == sorted(pale)
    told = specification_curve(table.assign(p=nan), "seed_stability", "Title")
    assert len(dots(told.axes[0], to_hex(PALETTE[0]).lower())) == len(kept)


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
            expected[level.replace("_", " ")] = having
    assert matrix_of(matrix) == expected
    ordered = by_hand(table)
    medians = {
        level: np.median([ordered[n - 1][0] for n in having])
        for level, having in expected.items()
        if level not in ("this study's own", "a definition")
    }
    written = beside(matrix)
    assert written.pop("a definition") == "median"  # the heading stands above the first level
    assert {level: float(text) for level, text in written.items()} == pytest.approx(
        medians, abs=0.00501
    )


def test_combinations_that_match_and_the_band_where_nothing_differs_are_drawn():
    table = table_of()
    table["null_low"] = -0.1 - table["combination"] / 100
    table["null_high"] = 0.1
    numbers = {
        "finding": "seed_stability",
        "comparison": ["one", "one", "other"],
        "combination": [2, 9, 11],
        "status": [*["gives such a number"] * 2, "too wide to tell"],
    }
    figure = specification_curve(
        table, "seed_stability", "Title", pd.DataFrame(numbers | {"dataset": "d"})
    )
    place = {number: n for n, (_, number) in enumerate(by_hand(table), start=1)}
    assert matrix_of(figure.axes[2])["like the paper's number, one"] == {place[2], place[9]}
    assert "like the paper's number, other" not in matrix_of(figure.axes[2])
    band, chance = (patch.get_data() for patch in figure.axes[0].patches)
    in_order = [-0.1 - number / 100 for _, number in by_hand(table)]
    assert band.baseline.tolist() == pytest.approx(in_order)
    assert (band.values.tolist(), chance.values.tolist()) == ([0.1] * 20, [0.0] * 20)
    assert band.edges.tolist() == [n + 0.5 for n in range(21)]
    assert "shaded" in figure.get_supxlabel()
    elsewhere = pd.DataFrame(numbers | {"dataset": "another"})
    plain = specification_curve(table_of(), "seed_stability", "Title", elsewhere)
    assert "like the paper's number, one" not in matrix_of(plain.axes[2])
    assert "shaded" not in plain.get_supxlabel()


def test_faults_stand_apart_and_count_nowhere():
    with_faults = specification_curve(table_of(), "seed_stability", "Title")
    without_faults = specification_curve(table_of(faults=False), "seed_stability", "Title")
    assert len(with_faults.axes) == 4 and len(without_faults.axes) == 3
    panel = with_faults.axes[3]
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
    assert "left out: 1 combination without an estimate" in foot
    assert "without any estimate: other" in foot
    found = specification_of(table, "seed_stability")
    assert len(found.levels) == 19 and found.levels.index[-1] == 6  # one has none of it, third has
    with pytest.raises(NothingEstimable, match="No combination of seed_stability has an estimate"):
        specification_curve(without(table, number > 0), "seed_stability", "Title")
    with pytest.raises(NothingEstimable, match="has no combination of early_loss"):
        specification_curve(table, "early_loss", "Title")


def test_more_comparisons_than_a_page_holds_are_named():
    names = ("a", "b", "c", "d", "e", "f")
    figure = specification_curve(table_of(comparisons=names), "seed_stability", "Title")
    assert [axes.get_title(loc="left") for axes in figure.axes[:4]] == list("abcd")
    assert "not drawn, in multiverse.csv: e, f" in figure.get_supxlabel().replace("\n", " ")


def test_a_long_name_stays_on_the_line_of_its_row():
    name = "a_network_" * 9
    numbers = {"finding": "seed_stability", "dataset": "d", "status": "gives such a number"}
    matches = pd.DataFrame(numbers | {"comparison": [name], "combination": [2]})
    figure = specification_curve(table_of(comparisons=(name,)), "seed_stability", "Title", matches)
    labels = [text.get_text() for text in figure.axes[1].get_yticklabels()]
    assert "like the paper's number, a_network_a_ne…" in labels
    assert not any("\n" in label for label in labels)


def test_the_title_says_the_range_and_the_studys_own():
    table = table_of()
    first, *_, last = by_hand(table)
    own = table.query("own and comparison == 'one'")["estimate"].item()
    title = specification_curve(table, "seed_stability", "Title").get_suptitle().replace("\n", " ")
    assert title == (
        f"Title: Spearman's ρ (one) from {first[0]:.2f} to {last[0]:.2f} over 20 combinations of choices, "
        f"{own:.2f} by this study's own"
    )


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


def test_another_table_is_refused_in_one_line(tmp_path):
    table = table_of()
    for wrong, told in (
        (table.drop(columns=["own", "chance"]), r"lacks the column\(s\) own, chance; give a multi"),
        (pd.concat([table, table.assign(dataset="e")]), r"holds 2 data sets \(d, e\); give that"),
    ):
        with pytest.raises(UserError, match=told) as error:
            specification_curve(wrong, "seed_stability", "Title")
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=r"matches lacks the column\(s\) status; give a"):
        specification_curve(
            table, "seed_stability", "Title", table.drop(columns="status", errors="ignore")
        )


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
    numbers = {
        "finding": "seed_stability",
        "comparison": "one",
        "combination": [2],
        "status": ["gives such a number"],
    }
    write_csv(matches, pd.DataFrame(numbers | {"dataset": "d"}))
    pictures = [tmp_path / f"picture.{suffix}" for suffix in ("pdf", "svg", "png")]
    words = ["multiverse_seed_stability", "--multiverse", table, "--output", *pictures]
    draw_figure.main([*map(str, words)])
    assert 10_000 < pictures[0].stat().st_size < 150_000
    plain = pictures[1].read_text()
    assert "this study's own" in plain and "like the paper's number, one" not in plain
    words = [*words[:3], "--output", pictures[1]]
    write_csv(table, table_of(12))
    draw_figure.main([*map(str, words), "--matches", str(matches)])
    assert "like the paper's number, one" in pictures[1].read_text()
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
