"""What the summary says of F1 to F5 is what the tables hold, and no more."""

import numpy as np
import pandas as pd
import pytest
from planted_runs import OPTIONS, class_runs, normal_runs
from told import sentences_of

from retention.findings.architecture_overlap import measure as architecture_overlap
from retention.findings.class_forgetting import measure as class_forgetting
from retention.findings.seed_stability import measure as seed_stability
from retention.measuring.table import COLUMNS, row
from retention.reporting.words import p_text


def told(finding, rows):
    table = pd.DataFrame(rows).reindex(columns=COLUMNS).assign(finding=finding)
    return "\n".join(sentences_of(finding)(table))


def test_a_p_value_says_no_direction_and_no_far_tail():
    assert p_text({"p_corrected": 0.03}) == "distinguishable from chance (corrected p = 0.03)"
    assert p_text({"p_corrected": 0.05}) == "not distinguishable from chance (corrected p = 0.05)"
    assert p_text({"p_corrected": 1e-46}) == "distinguishable from chance (corrected p < 0.0001)"
    assert p_text({"p_corrected": np.nan}) == "not tested"


def stability(estimate, low, high):
    """The rows of one network; what seeds are needed is worked out by hand in the tests."""
    shared = {"architecture": "a", "comparison": "a", "target": "new runs"}
    needed = {"estimate": 4 * (1 - estimate) / estimate, "low": low, "high": high}
    rows = [
        row("spearman", 0.3, **shared),
        row("split_half", 0.5, **shared),
        row("seeds_needed", **(needed | shared)),
        row("variance_of_ranks_class", np.nan, comparison="all runs"),
    ]
    return told("seed_stability", rows)


def test_seeds_needed_are_whole_and_suffice():
    # at ρ = 0.3 a reliability of 0.8 takes 4 · 0.7 / 0.3 = 9.33 seeds: 9 do not reach it
    text = stability(0.3, 4.2, np.inf)
    assert "for a reliability of 0.8: 10 (95 % interval: 5 or more, no upper limit)" in text
    assert "for a reliability of 0.8: 1." in stability(0.9, np.nan, np.nan)
    assert "variance" not in text  # of which nothing is known


@pytest.mark.parametrize("correlation", [0.5, 0.0])
def test_the_interval_of_seeds_needed_is_that_of_their_agreement(correlation):
    table = seed_stability.measure(normal_runs(correlation), OPTIONS).set_index("statistic")
    table = table[table["comparison"] == "a"]
    found, agreement = table.loc["seeds_needed"], table.loc["spearman"]
    # the mean of that many seeds, each pair of which correlates so, has a reliability of 0.8
    for end, at in (("low", "high"), ("high", "low")):
        rho, seeds = agreement[at], found[end]
        if rho > 0:
            assert seeds * rho / (1 + (seeds - 1) * rho) == pytest.approx(0.8)
        else:
            assert np.isinf(seeds)


def test_one_seed_is_told_of_its_own_pair():
    table = architecture_overlap.measure(normal_runs(0.5, seeds=1), OPTIONS)
    text = "\n".join(sentences_of("architecture_overlap")(table))
    assert "**a vs b**: the most-forgotten (same seed, same data order, n = 400) overlap" in text


def class_row(name, estimate, n):
    return row("class_hazard", estimate, comparison=f"a: {name}", architecture="a", n=n)


def test_classes_are_named_with_how_many_samples_they_have():
    hazards = [class_row("rare", 0.5, 1), class_row("common", 0.1, 90), class_row("new", np.nan, 4)]
    text = told("class_forgetting", hazards)
    assert "most forgotten of 2 classes is rare, n = 1 (hazard 0.50), least common, n = 90" in text
    assert "1 class was never at risk in a run" in text
    assert "intervals make no allowance" in text
    assert "most forgotten of" not in told("class_forgetting", hazards[2:])


def test_nothing_is_said_of_families_without_confusions():
    counts = {"a": pd.DataFrame(columns=["occasion", "label", "predicted", "count"])}
    families = {"c0": "x", "c1": "x"}
    table = class_forgetting.measure(class_runs(0.0), OPTIONS, counts, {}, families)
    text = "\n".join(sentences_of("class_forgetting")(table))
    assert "family" not in text
    assert "not estimable" not in text


def test_what_is_said_across_seeds_has_its_own_p():
    shared = {"architecture": "a", "low": 0.1, "high": 0.5, "target": "new runs"}
    names = {"spearman": 0.01, "spearman_partial_class": 0.02, "spearman_across_seeds": 0.3}
    text = told("early_loss", [row(k, 0.3, p_corrected=p, **shared) for k, p in names.items()])
    assert (
        "across seeds 0.30 (95 % interval 0.10 to 0.50, new runs), not distinguishable from chance"
        in text
    )


def test_a_table_is_told_alike_before_and_after_it_is_written(tmp_path):
    table = seed_stability.measure(normal_runs(0.5), OPTIONS)
    table.to_csv(tmp_path / "table.csv", index=False)
    lines = [
        list(sentences_of("seed_stability")(t))
        for t in (table, pd.read_csv(tmp_path / "table.csv"))
    ]
    assert lines[0] == lines[1]
    assert len(lines[0]) == 4  # two networks, the shares of variance, what may not be concluded
