"""The multiverse by its command: each combination is what describing and measuring with these options gives."""

import json

import numpy as np
import pandas as pd
import pytest
from described_study import command
from multiverse_study import ARCHITECTURES, SEEDS, describe, write_runs

from retention.commands import measure_finding, measure_multiverse
from retention.common.csv_tables import read_csv
from retention.multiverse.choices import load_choices

pytestmark = pytest.mark.slow
STATISTICS = {"resamples": 99, "tie_breaks": 2000}
SMALL = {
    "trace": ["cumulative", "lag", "raw", "cumulative_events", "from_first_loss"],
    "score": ["forgetting_events", "one_minus_retention"],
    "smoothing": ["rolling_3", "rolling_5", "running_mean"],
    "samples": ["ever_forgotten", "r_squared_positive"],
    "never_learned": ["most_forgotten", "large_number"],
    "pairs": ["averaged", "pooled"],
    "r_squared": ["clipped", "r2_score", "squared_correlation"],
    "flat": ["one", "zero"],
    "epoch_0": ["in"],
}
FINDINGS = ("architecture_overlap", "fit_quality", "seed_stability", "early_loss")
DEFINITIONS = [
    {"start": "kept", "curve": "scaled_exponential", "estimator": "curve_fit_free"},
    {"trace": "confidence"},
    {"trace": "survival", "curve": "scaled_exponential"},
    {"curve": "power"},
    {"estimator": "log_linear"},
]
# (finding, dimensions) of the multiverse → (comparison, statistic) of a finding's table
EXPRESSED = [
    ("architecture_overlap", {"pairs": "other_seeds"}, "jaccard"),
    ("architecture_overlap", {"pairs": "same_seed"}, "jaccard_same_seed"),
    ("fit_quality", {}, "mean_r_squared"),
    ("seed_stability", {"class": "ignored"}, "spearman"),
    ("early_loss", {"pairs": "same_seed", "class": "ignored"}, "spearman"),
    ("early_loss", {"pairs": "same_seed", "class": "adjusted"}, "spearman_partial_class"),
    ("early_loss", {"pairs": "other_seeds", "class": "ignored"}, "spearman_across_seeds"),
]
TRIED_ALONE = ({"curve": "power"}, {"estimator": "log_linear"})


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return folder, *write_runs(folder)


@pytest.fixture(scope="module")
def multiverse(runs):
    """Return multiverse.csv, its shares and what was printed last."""
    folder, traces, samples = runs
    words = ["--traces", *traces, "--samples", *samples, "--output", folder / "m.csv"]
    words += ["--shares", folder / "s.csv", "--statistics", json.dumps(STATISTICS)]
    words += ["--joint", folder / "j.csv"]
    options = {"resamples": 99, "draws": 99, "drop": SMALL}
    command(measure_multiverse, *words, "--multiverse", json.dumps(options))
    return read_csv(folder / "m.csv"), read_csv(folder / "s.csv")


def measured(folder, finding, samples, **statistics):
    """Return a finding's table, by its command."""
    output = folder / f"{finding}.csv"
    words = ["--samples", *samples, "--statistics", json.dumps(STATISTICS | statistics)]
    command(measure_finding, finding, *words, "--output", output)
    return read_csv(output).set_index(["comparison", "statistic"])


def rows_of(table, finding, levels):
    """Return the rows of the combination that has these levels, and the study's own in all others."""
    found = table[(table["finding"] == finding) & (table["kind"] != "fault")]
    own = found[found["own"]].iloc[0]
    wanted = {name: own[name] for name in load_choices().dimensions} | levels
    if not str(wanted["estimator"]).startswith("curve_fit"):
        wanted["failed"] = np.nan
    elif pd.isna(wanted["failed"]):
        wanted["failed"] = "missing"
    for name, level in wanted.items():
        found = found[found[name].isna() if pd.isna(level) else found[name] == level]
    assert found["combination"].nunique() == 1, (finding, levels)
    return found


def test_the_studys_own_rows_are_those_of_the_findings(runs, multiverse):
    folder, _, samples = runs
    table, _ = multiverse
    own = table[table["own"]]
    assert own["combination"].eq(1).all() and own["named"].eq("ours").all()
    compared = 0
    for finding, found in own.groupby("finding"):
        wanted = measured(folder, finding, samples)
        for _, row in found.iterrows():
            other = wanted.loc[row["comparison"], row["statistic"]]
            for name in ("estimate", "low", "high", "p", "n", "chance"):
                assert row[name] == pytest.approx(other[name], abs=1e-15, nan_ok=True), (
                    finding,
                    name,
                )
            compared += 1
    assert compared == 1 + 3 + 2 + 3 + 2


@pytest.mark.parametrize("definition", DEFINITIONS, ids=str)
def test_a_combination_is_what_the_commands_give(runs, multiverse, definition, tmp_path):
    folder, traces, _ = runs
    table, _ = multiverse
    who = [(architecture, seed) for architecture in ARCHITECTURES for seed in SEEDS]
    samples = [tmp_path / f"{architecture}{seed}.parquet" for architecture, seed in who]
    for (architecture, seed), path, output in zip(who, traces, samples, strict=True):
        describe(folder, path, output, architecture, seed, "--definition", json.dumps(definition))
    found = {finding: measured(tmp_path, finding, samples) for finding in FINDINGS}
    compared = 0
    for finding, levels, statistic in EXPRESSED:
        if definition in TRIED_ALONE and levels not in (
            {},
            {"pairs": "other_seeds"},
            {"class": "ignored"},
            {"pairs": "same_seed", "class": "ignored"},
        ):
            continue  # one level changed, and no other
        if definition in TRIED_ALONE and (finding, levels) == (
            "architecture_overlap",
            {"pairs": "same_seed"},
        ):
            continue
        for _, row in rows_of(table, finding, definition | levels).iterrows():
            if row["statistic"] == "difference_r_squared":
                other = found[finding].loc[row["comparison"], "difference_r_squared"]
            else:
                other = found[finding].loc[row["comparison"], statistic]
            if "fewer than" in str(row["note"]):  # the multiverse tells no number of so little
                assert np.isnan(row["estimate"]) and row["n"] == other["n"]
                continue
            # lots of their own where samples are tied: 2,000 of them are within a hundredth
            tied = finding == "architecture_overlap" and definition.get("trace") != "confidence"
            tolerance = 0.01 if tied else 1e-9
            assert row["estimate"] == pytest.approx(other["estimate"], abs=tolerance, nan_ok=True)
            for name in ("low", "high", "n"):
                assert row[name] == pytest.approx(other[name], abs=10 * tolerance, nan_ok=True)
            if not tied and statistic != "mean_r_squared":
                assert row["p"] == pytest.approx(other["p"], abs=1e-9, nan_ok=True)
            compared += 1
    assert compared >= 8


@pytest.mark.parametrize("changed", [{"score": "hazard"}, {"top_fraction": "0.2"}])
def test_a_score_and_a_top_fraction_are_those_of_the_statistics(runs, multiverse, changed):
    folder, _, samples = runs
    table, _ = multiverse
    given = {name: float(one) if name == "top_fraction" else one for name, one in changed.items()}
    found = table[(table["finding"] == "architecture_overlap") & (table["pairs"] == "other_seeds")]
    name, level = next(iter(given.items()))
    found = found[(found[name] == level) & (found["kind"] != "fault")]
    if name == "top_fraction":
        found = found[found["trace"] == "aligned"]
    (row,) = [one for _, one in found.iterrows()]
    wanted = measured(folder, "architecture_overlap", samples, **given).loc["a vs b", "jaccard"]
    assert row["estimate"] == pytest.approx(wanted["estimate"], abs=0.01)
    assert row["chance"] == pytest.approx(wanted["chance"], abs=1e-12)
    if name == "score":
        rows = table[(table["finding"] == "seed_stability") & (table["score"] == "hazard")]
        other = measured(folder, "seed_stability", samples, **given)
        for _, row in rows[rows["class"] == "ignored"].iterrows():
            for column in ("estimate", "low", "high", "p"):
                wanted = other.loc[row["comparison"], "spearman"][column]
                assert row[column] == pytest.approx(wanted, abs=1e-9)


def test_the_tables_say_what_they_hold(multiverse):
    table, shares = multiverse
    dimensions = list(load_choices().dimensions)
    assert list(table)[:9] == [
        "finding",
        "dataset",
        "comparison",
        "architecture",
        "statistic",
        "combination",
        "kind",
        "own",
        "named",
    ]
    assert list(table)[9:-11] == dimensions
    assert list(table)[-11:] == [
        "estimate",
        "low",
        "high",
        "target",
        "p",
        "n",
        "chance",
        "residue",
        "null_low",
        "null_high",
        "note",
    ]
    assert table["dataset"].eq("made_up").all()
    assert set(table["kind"]) == {"crossed", "alone", "named", "fault"}
    free = table["estimator"].isin(["curve_fit_free", "curve_fit_bounded", "curve_fit_ones"])
    assert table.loc[free & (table["start"] == "kept"), "residue"].max() > 0.1
    assert table.loc[table["estimator"].isin(["exact", "log_linear"]), "residue"].eq(0).all()
    assert table.loc[table["score"] == "hazard", "residue"].isna().all()
    assert table.loc[table["estimate"].isna(), "note"].notna().all()
    totals = shares[shares["share"] == "total"].groupby(["finding", "comparison"])["value"].sum()
    firsts = (
        shares[shares["share"] == "first_order"].groupby(["finding", "comparison"])["value"].sum()
    )
    assert (totals > 0.5).all() and len(firsts) == len(totals)
    counted = shares[shares["share"] == "combinations"].set_index(["finding", "comparison"])[
        "value"
    ]
    of = table[table["kind"] != "fault"].groupby(["finding", "comparison"]).size()
    assert counted.sort_index().tolist() == of.sort_index().tolist()


def test_a_joint_test_is_over_the_combinations_that_the_shares_count(runs, multiverse):
    folder, _, _ = runs
    table, shares = multiverse
    joint = read_csv(folder / "j.csv")
    assert joint["dataset"].eq("made_up").all() and joint["finding"].nunique() == 5
    assert joint.loc[joint["finding"] != "fit_quality", "draws"].eq(99).all()
    distinct = shares[shares["share"] == "distinguishable"]
    for finding, rows in joint[joint["comparison"].isna()].groupby("finding"):
        counted = distinct.loc[distinct["finding"] == finding, "value"]
        assert counted.max() == rows["combinations"].iloc[0], finding
    tested = table["estimate"].notna() & (table["kind"] != "fault")
    tested &= table["finding"] != "fit_quality"
    assert table.loc[tested, "null_low"].notna().all()
    assert (table["null_low"] <= table["null_high"]).sum() == tested.sum()
    assert table.loc[table["kind"] == "fault", "null_low"].isna().all()


def test_traces_without_confidence_and_one_architecture_are_told(tmp_path, capsys):
    traces, samples = write_runs(tmp_path, architectures=["a"], with_confidence=False)
    words = ["--traces", *traces, "--samples", *samples, "--output", tmp_path / "m.csv"]
    words += ["--shares", tmp_path / "s.csv", "--statistics", '{"resamples": 99}']
    options = {"findings": ["architecture_overlap", "seed_stability"], "resamples": 99}
    options["fix"] = {"score": "decay_constant", "samples": "all", "never_learned": "left_out"}
    command(measure_multiverse, *words, "--multiverse", json.dumps(options))
    told = capsys.readouterr().out.splitlines()
    assert (
        "architecture_overlap: left out: it compares architectures, and the runs are of one" in told
    )
    (line,) = (one for one in told if "lack the column confidence" in one)
    assert line.startswith("seed_stability: 16 combinations are left out")
    table = read_csv(tmp_path / "m.csv")
    assert set(table["finding"]) == {"seed_stability"}
    assert "confidence" not in set(table["trace"])
    assert f"seed_stability: {table['combination'].nunique()} combinations" in "\n".join(told)
