"""Pages on the multiverse show what the stored tables, the code and the benchmark say."""

import csv
import json
import re
import sys
from statistics import median

import numpy as np
import pytest
from matplotlib.testing.compare import compare_images
from sources import ROOT

from retention.multiverse import joint, matching, shares, table, verdicts
from retention.multiverse.choices import load_choices
from retention.reporting.choices import dimension_in_words, level_in_words

sys.path.insert(0, str(ROOT / "docs"))
import make_examples as example

PAGE, TIMES, TABLES, MATCHES = (
    (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
    for name in ("specification_curve", "multiverse", "multiverse_tables", "matches")
)
SAME = 2.0  # root mean square of 255 greys: two renderings of one figure


def section(heading, page=PAGE):
    """Return the text of a section."""
    return page.split(f"## {heading}\n")[1].split("\n## ")[0]


def rows_of(text):
    """Return the cells of the rows of tables."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def told(value):
    return f"{value:.2f}".replace("-", "\u2212")


def estimates(finding, comparison, **cells):
    """Return the sorted estimates of a comparison's combinations, errors aside, that have these cells."""
    with (ROOT / "docs/multiverse_example.csv").open(encoding="utf-8") as file:
        found = [
            float(row["estimate"])
            for row in csv.DictReader(file)
            if (row["finding"], row["comparison"]) == (finding, comparison) and row["estimate"]
            if (row["kind"] == "fault") == (cells.get("kind") == "fault")
            if all(row[name] == cell for name, cell in cells.items())
        ]
    return sorted(found)


def test_the_example_is_that_of_the_stored_table():
    assert example.with_example(PAGE) == PAGE, "run python docs/make_examples.py"


def test_the_numbers_of_the_example_are_those_of_its_table():
    text = " ".join(section("How to read a specification curve").split())
    first, second = re.search(r"Where (\S+) rises with (\S+),", text).group(2, 1)
    known = estimates("seed_stability", first)
    (own,) = estimates("seed_stability", first, own="True")
    assert (
        f"ρ of {first} is anything from {told(known[0])} to {told(known[-1])}, and {told(own)}"
        in text
    )
    ends = np.quantile(known, [0.25, 0.75])
    assert f"half of the ways to measure {first} give {told(ends[0])} to {told(ends[1])}" in text
    medians = [
        told(median(estimates("seed_stability", first, **cell)))
        for cell in (
            {"start": "left_out"},
            {"start": "kept"},
            {"estimator": "curve_fit_free"},
            {"estimator": "exact"},
        )
    ]
    assert f"matters: {medians[0]} and {medians[1]} for the point t = 0" in text
    assert f"`curve_fit` without bounds has {medians[2]} beside {medians[3]} of the" in text
    of = {"named": "unbounded_three_parameters"}
    named = [
        told(estimates(finding, name, **of)[0])
        for finding in ("seed_stability", "fit_quality")
        for name in (first, second)
    ]
    assert f"It gives {named[0]} for {first} and {named[1]} for {second}." in text
    ours = [told(estimates("fit_quality", name, own="True")[0]) for name in (first, second)]
    assert f"R² of {named[2]} and {named[3]} in `multiverse_fit_quality`" in text
    assert f"where ours is {ours[0]} and {ours[1]}." in text
    (wrong,) = estimates("seed_stability", first, kind="fault", split="by_position")
    assert f"by position gives {told(wrong)}, where our own is {told(own)}" in text


def test_the_counts_of_the_example_are_those_of_its_table():
    text = " ".join(section("How to read a specification curve").split())
    stored = example.read_csv(example.TABLE)
    found = stored[(stored["finding"] == "seed_stability") & (stored["kind"] != "fault")]
    first = found["comparison"].iloc[0]
    counted = shares.shares_table(found, ["trace"]).set_index(["comparison", "share"])["value"]
    of = found[(found["comparison"] == first) & found["estimate"].notna()].sort_values("estimate")
    number = len(of) // 10
    highest, lowest = of.tail(number)["trace"], of.head(number)["samples"]
    assert f"Of the {number} highest estimates {(highest == 'confidence').sum()} fit the" in text
    assert f"Of the {number} lowest {(lowest == 'ever_forgotten').sum()} compare" in text
    distinct = of[of["combination"].isin(shares.distinguishable(found))]
    assert len(distinct) == counted[first, "distinguishable"]
    significant = (distinct["p"] < 0.05).sum()
    assert f"That {significant} of {first}'s {len(distinct)} distinguishable" in text
    for name in found["comparison"].unique():
        named = found[(found["comparison"] == name) & (found["named"] == example.NAMED)]
        assert f"{100 * named['residue'].item():.0f} %" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", example.FIGURES)
def test_the_pictures_are_drawn_from_their_tables(name, tmp_path):
    example.draw(name, tmp_path / "new.png")
    differs = compare_images(str(example.picture(name)), str(tmp_path / "new.png"), tol=SAME)
    assert differs is None, "run python docs/make_examples.py"


def test_every_choice_stands_with_its_words():
    choices = load_choices().dimensions
    expected = []
    for name, one in choices.items():
        words = {level: level_in_words(name, level) for level in [*one.levels, *one.faults]}
        other = [f"`{k}`: {word}" for k, word in words.items() if word != k.replace("_", " ")]
        expected.append([f"`{name}`", dimension_in_words(name), "; ".join(other)])
    assert rows_of(section("Words of the figures"))[1:] == expected


def test_the_times_are_those_that_were_measured():
    stored = json.loads((ROOT / "benchmarks/results/multiverse.json").read_text(encoding="utf-8"))
    text, ratios = section("Measured", TIMES), stored["ratios"]
    settings = "".join(f" --{name} {value}" for name, value in stored["settings"].items())
    assert f"benchmarks/multiverse.py{settings}`" in text
    names = [name.removeprefix("combinations_") for name in ratios if name.startswith("comb")][:-1]
    assert [row[1:] for row in rows_of(text)[1:]] == [
        [
            f"{ratios[f'combinations_{name}']:.0f}",
            f"{ratios[f'seconds_{name}']:.0f}",
            f"{ratios[f'loop_over_ours_{name}']:.0f} ×",
        ]
        for name in names
    ]
    prose = " ".join(text.split())
    assert f"is {ratios['loop_over_ours']:.0f} times as fast" in prose
    assert f"below {ratios['peak_gb']:.1f} GB" in prose
    joint_tests = [ratios[f"seconds_joint_{name}"] for name in names]
    assert f"take {min(joint_tests):.1f} to {max(joint_tests):.0f} s more" in prose


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (section("multiverse.csv", TABLES), [*table.FIRST, *table.LAST, *joint.NULL]),
        (section("multiverse_shares.csv", TABLES), shares.COLUMNS),
        (section("multiverse_joint.csv", TABLES), joint.COLUMNS),
        (
            section("Columns of the matches", MATCHES),
            [*matching.PLACE, *matching.MARKS, *matching.ESTIMATE, *verdicts.SUMMARY, "assignment"],
        ),
    ],
    ids=["multiverse", "shares", "joint", "matches"],
)
def test_every_column_is_explained(text, columns):
    explained = {name for row in rows_of(text) for name in re.findall(r"`(\w+)`", row[0])}
    assert [name for name in columns if name not in explained] == []
