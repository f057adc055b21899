"""Mixed ensembles against those of one architecture: what is tested, matched, told and drawn."""

import gc

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy.stats import chi2
from simulated_members import certain, members_of, noisy_study, pick
from told import sentences_of

from retention.common.options import defaults
from retention.findings.ensemble_coverage.draw_ensemble_coverage import draw
from retention.findings.ensemble_coverage.measure import measure
from retention.reporting.look import Look

STATISTICS = defaults("statistics")


def test_complementarity_is_found_where_it_is_planted_and_only_there():
    draws = np.random.default_rng(3)
    for own in (True, False):
        table = measure(noisy_study(draws, own)[0], STATISTICS)
        rows = table[table["statistic"] == "difference_any_from_better"]
        found = rows[rows["size"] == 2].iloc[0]
        assert (found["low"] > 0) == own
        assert (found["p_corrected"] < 0.05) == own
        assert found["target"] == "new runs"
    assert pick(table, "a + b", "error_correlation")["estimate"] > 0.2


def test_unequal_members_gain_by_that_alone_and_the_tested_comparison_says_so():
    labels = np.zeros(200, dtype=int)
    strong, weak = np.arange(200) < 180, np.arange(200) < 100  # what b holds a holds too
    runs = [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    table = measure(
        members_of(certain(np.stack([strong, strong, weak, weak]), labels), labels, runs),
        STATISTICS,
    )
    plain = pick(table, "a + b minus same architecture", "difference_any")
    assert plain["estimate"] == pytest.approx(0.2)  # half the difference of the accuracies
    assert np.isnan(plain["p"])
    fair = pick(table, "a + b minus a + a", "difference_any_from_better")
    assert fair["estimate"] == 0
    matched = pick(table, "a + b minus same architecture", "difference_any_matched")
    assert np.isnan(matched["estimate"])
    assert matched["note"] == "0 of 4 mixed ensembles have a match"
    assert any(
        "nothing can be described" in line for line in sentences_of("ensemble_coverage")(table)
    )


def test_matching_compares_with_ensembles_of_equal_mean_accuracy_alone():
    labels = np.zeros(1000, dtype=int)
    held = {("a", 0): range(0, 800), ("a", 1): range(100, 900), ("b", 0): range(200, 1000)}
    held[("b", 1)] = range(0, 500)
    right = np.stack([np.isin(np.arange(1000), list(r)) for r in held.values()])
    table = measure(members_of(certain(right, labels), labels, list(held)), STATISTICS)
    found = pick(table, "a + b minus same architecture", "difference_any_matched")
    # a0 + b0 holds 1000 and a1 + b0 900: as accurate is a0 + a1, which holds 900.
    # a0 + b1 holds 800 and a1 + b1 900: as accurate is b0 + b1, which holds all.
    assert found["estimate"] == pytest.approx((0.1 + 0.0 - 0.2 - 0.1) / 4, abs=1e-6)
    assert found["note"] == "4 of 4 mixed ensembles have a match"
    assert found["target"] == "these runs"
    assert found["imbalance"] == pytest.approx(0, abs=1e-6) and np.isnan(found["p"])


def test_what_ensembles_hold_alike_differs_by_exactly_nothing():
    """Sums of thirds in float32 leave 1e-8 of it."""
    right = np.tile(np.arange(600) < 517, (6, 1))
    runs = [(name, seed) for name in "ab" for seed in range(3)]
    labels = np.zeros(600, dtype=int)
    table = measure(members_of(certain(right, labels), labels, runs), STATISTICS)
    differences = table[table["statistic"].str.startswith("difference_")]
    assert len(differences) == 3 * 3 * 3 and (differences["estimate"] == 0).all()


def nested_study(draws, seeds=4, number=1500):
    """Runs that hold all samples that are easy enough for them: whose accuracy is less hold no other."""
    level = np.r_[draws.normal(0.805, 0.001, seeds), draws.normal(0.797, 0.001, seeds)]
    right = np.arange(number) < number * level[:, None]
    labels = draws.permutation(number) % 2
    runs = [(name, seed) for name in "ab" for seed in range(seeds)]
    return members_of(certain(right, labels), labels, runs)


def test_all_that_is_tested_is_told_or_counted_in_words():
    draws = np.random.default_rng(7)
    number, runs = 200, [(name, seed) for name in "ab" for seed in range(4)]
    labels = np.arange(number) % 2
    right = draws.random((8, number)) < 0.8
    split = np.repeat(["test", "train"], number // 2)
    table = measure(members_of(certain(right, labels), labels, runs, split), STATISTICS)
    tested = table[table["p"].notna()]
    assert set(tested["statistic"]) == {
        f"difference_{r}_from_better" for r in ("any", "majority", "average")
    }
    assert set(tested.loc[tested["statistic"].str.contains("majority"), "size"]) == {3}
    lines = "\n".join(sentences_of("ensemble_coverage")(table))
    others = len(tested) - 2  # in words: any and average of two held-out runs
    assert f"Of {others} more such differences" in lines
    assert lines.count("corrected p") == 2 + (tested["p_corrected"] < 0.05).sum()


def test_what_is_about_these_runs_alone_is_not_tested():
    """Of three seeds an ensemble of three leaves no seed out: that its networks differ is no finding."""
    draws, labels = np.random.default_rng(5), np.zeros(400, dtype=int)
    runs = [(name, seed) for name in "ab" for seed in range(3)]
    table = measure(
        members_of(certain(draws.random((6, 400)) < 0.8, labels), labels, runs), STATISTICS
    )
    rows = table[table["statistic"] == "difference_average_from_better"]
    assert dict(zip(rows["size"], rows["target"], strict=False)) == {2: "new runs", 3: "these runs"}
    assert rows["p"].notna().tolist() == (rows["size"] == 2).tolist()
    lines = "\n".join(sentences_of("ensemble_coverage")(table))
    assert "Of 2 more such differences" in lines  # any and average of two, of training samples


def test_nested_architectures_are_not_called_complementary():
    draws, described = np.random.default_rng(6), 0
    gc.freeze()  # statsmodels collects garbage at each correction
    called = 0
    for _ in range(34):
        table = measure(nested_study(draws), STATISTICS)
        rows = table[(table["size"] == 2) & (table["split"] == "train")].set_index("statistic")
        tested, matched = rows.loc["difference_any_from_better"], rows.loc["difference_any_matched"]
        called += tested["p"] < 0.05 and tested["estimate"] > 0
        assert np.isnan(matched["p"])
        described += matched["low"] > 0
    assert called <= 2  # 6 %
    assert described > 17  # why it has no p


def test_the_matched_difference_is_told_as_a_description_with_its_imbalance():
    labels = np.zeros(1000, dtype=int)
    held = {("a", 0): 800, ("a", 1): 801, ("b", 0): 798, ("b", 1): 799}
    right = np.arange(1000) < np.array(list(held.values()))[:, None]
    members = members_of(certain(right, labels), labels, list(held), np.repeat("test", 1000))
    table = measure(members, STATISTICS)
    found = pick(table, "a + b minus same architecture", "difference_any_matched", size=2)
    assert found["imbalance"] == pytest.approx(0.7995 - (0.8005 + 0.7985) / 2, abs=1e-7)
    lines = [line for line in sentences_of("ensemble_coverage")(table) if "about equal" in line]
    assert len(lines) == 1
    assert "descriptive, not tested" in lines[0] and "more accurate by 0.0000" in lines[0]


def test_the_figure_is_drawn_from_the_written_table_alone(tmp_path):
    draws = np.random.default_rng(5)
    labels = draws.integers(0, 3, 40)
    runs = [(name, seed) for name in "abc" for seed in range(3)]
    probabilities = draws.dirichlet(np.ones(3), (9, 2, 40))
    split = np.repeat(["test", "train"], 20)
    measure(members_of(probabilities, labels, runs, split), STATISTICS).to_csv(tmp_path / "f.csv")
    figure = draw(pd.read_csv(tmp_path / "f.csv"), Look())
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    shown = [title.replace("\n", " ") for title in titles[:2]]
    assert shown == ["training samples (n = 20)", "held-out samples (n = 20)"]
    names = [text.get_text().rstrip(" *") for text in figure.axes[0].get_yticklabels()]
    assert "2 × a + b" in names and "a + b + c" in names and "3 × c" in names
    assert all(axes.get_xlabel() for axes in figure.axes)  # an axis says what it is of


def test_marks_and_lines_are_told_without_colour_and_two_have_no_majority(tmp_path):
    draws = np.random.default_rng(4)
    labels = draws.integers(0, 3, 40)
    runs = [(name, seed) for name in "ab" for seed in range(3)]
    probabilities = draws.dirichlet(np.ones(3), (6, 2, 40))
    table = measure(members_of(probabilities, labels, runs, np.repeat("test", 40)), STATISTICS)
    figure = draw(table, Look())
    above, _, by_epoch = figure.axes
    names = {line.get_label(): line for line in above.get_lines() if line.get_label()[0] != "_"}
    assert set(names) == {
        "a member is right",
        "most of three are right",
        "averaged probabilities are right",
    }
    assert len({line.get_marker() for line in names.values()}) == 3
    kinds = {
        (line.get_marker(), line.get_linestyle())
        for line in by_epoch.get_lines()
        if len(line.get_xdata()) > 1
    }
    assert (
        len(kinds) == len([line for line in by_epoch.get_lines() if len(line.get_xdata()) > 1]) == 5
    )
    square = names["most of three are right"].get_marker()
    squares = [line for line in above.get_lines() if line.get_marker() == square]
    of_majority = [line for line in squares if len(line.get_xdata())]
    placed = dict(zip(label_texts(above), above.get_yticks(), strict=True))
    pairs = [placed[name] for name in ("2 × a", "a + b", "2 × b")]
    assert len(pairs) == 3 and len(of_majority) == 4
    assert not {float(line.get_ydata()[0]) for line in of_majority} & {*map(float, pairs)}
    both_right = table[(table["statistic"] == "coverage_majority") & (table["size"] == 2)]
    assert len(both_right)  # the table has it
    shown = {float(line.get_xdata()[0]) for line in of_majority}
    assert not shown & set(both_right["estimate"])


def label_texts(axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def test_the_figure_says_where_nothing_matches_and_cuts_no_title(tmp_path):
    right = np.tile(np.arange(80) % 10 > 0, (4, 1))
    right[:2, 10:30] = False  # held out: a is worse by half, and matches nothing
    labels, split = np.arange(80) % 2, np.repeat(["test", "train"], 40)
    runs = [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    table = measure(members_of(certain(right, labels), labels, runs, split), STATISTICS)
    figure = draw(table, Look())
    train, test = figure.axes[2:4]
    assert train.get_title(loc="left") == "mixed less unmixed"
    blank = pick(table, "a + b minus same architecture", "difference_any_matched", split="test")
    assert np.isnan(blank["estimate"])
    assert [text.get_text() for text in train.texts] == []
    (place,) = [
        place for place, label in enumerate(label_texts(train)) if "about as accurate" in label
    ]
    assert [(text.get_text(), text.get_position()[1]) for text in test.texts] == [
        ("no match", place)
    ]
    for axes, split in ((train, "train"), (test, "test")):
        drawn = [line for line in axes.get_lines() if len(line.get_xdata()) == 1]
        wanted = table[
            table["statistic"].str.fullmatch(
                "difference_(any|majority|average)_(from_better|matched)"
            )
            & table["estimate"].notna()
            & (table["split"] == split)
            & ~(table["statistic"].str.contains("majority") & (table["size"] == 2))
        ]
        assert sorted(float(line.get_xdata()[0]) for line in drawn) == pytest.approx(
            sorted(wanted["estimate"])
        )
    told = [line for line in sentences_of("ensemble_coverage")(table) if "nothing can be" in line]
    assert len(told) == 1 and told[0].startswith("- On held-out samples no mixed ensemble")
    figure.canvas.draw()
    titles = {axes.get_title(loc="left") for axes in figure.axes}
    shown = [text for text in figure.findobj(Text) if text.get_text() in titles]
    assert len(shown) == len(figure.axes)
    assert all(text.get_window_extent().x1 < figure.bbox.x1 for text in shown)


@pytest.mark.parametrize("lost, few", [(2, True), (40, False)])
def test_a_difference_that_few_samples_make_has_the_limits_of_their_count(lost, few):
    """b loses what a holds in so many samples, and nothing else: a + b covers as a does, and b + b less."""
    number, labels = 1000, np.zeros(1000, dtype=int)
    right = {"a": np.ones(number, dtype=bool), "b": np.arange(number) >= lost}
    runs = [(name, seed) for name in "ab" for seed in range(4)]
    table = measure(
        members_of(certain(np.stack([right[name] for name, _ in runs]), labels), labels, runs),
        STATISTICS,
    )
    found = pick(table, "a + b minus same architecture", "difference_any")
    # each lost sample is half a sample of the mean of a + a and b + b
    assert found["estimate"] == pytest.approx(lost / number / 2)
    limit = (chi2.isf(0.025, 2 * lost + 2) / 2 - lost) / 2 / number
    half = found["high"] - found["estimate"]
    if few:
        assert half == pytest.approx(limit)
    else:
        assert half < limit


def test_marks_have_the_colour_of_the_members_and_stars_the_rows_of_these_runs_alone():
    draws = np.random.default_rng(4)
    labels = draws.integers(0, 3, 40)
    runs = [(name, seed) for name in "ab" for seed in range(3)]
    probabilities = draws.dirichlet(np.ones(3), (6, 2, 40))
    table = measure(members_of(probabilities, labels, runs, np.repeat("test", 40)), STATISTICS)
    look = Look(("a", "b"))
    figure = draw(table, look)
    above, below, by_epoch = figure.axes
    of_three = {f"3 × {name} *" for name in "ab"}  # one set of three runs: nothing varies over runs
    assert {name for name in label_texts(above) if name.endswith("*")} == of_three
    foot = " ".join(figure.get_supxlabel().split())
    assert "(about: new runs)" in foot and foot.endswith("* interval about these runs alone")
    places = dict(zip(label_texts(above), above.get_yticks(), strict=True))
    for name, colour in (("2 × a", look.colour("a")), ("2 × a + b", look.colour_of("a + b"))):
        near = [
            line.get_color()
            for line in above.get_lines()
            if len(line.get_ydata()) == 2 and abs(line.get_ydata()[0] - places[name]) < 0.3
        ]
        assert near and set(near) == {colour}
    dots = [line for line in below.get_lines() if line.get_marker() in "osD"]
    assert {line.get_color() for line in dots} == {look.colour_of("a + b")}
    assert {line.get_color() for line in by_epoch.get_lines()} == {
        *map(look.colour_of, ("a", "b", "a + b"))
    }
