"""Matching by its command: what it writes, prints and refuses, its sentences, and a study through its traces."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from described_study import command
from made_up_multiverse import LITTLE, NAMES, paper, study_of
from multiverse_study import ARCHITECTURES, write_runs

from retention.commands import match_reported, measure_multiverse, write_summary
from retention.common.compared import COMPARED
from retention.common.csv_tables import read_csv, write_csv
from retention.common.errors import UserError
from retention.common.multiverse_tables import AT_ONCE
from retention.common.paper import read_paper
from retention.multiverse.grids import NewStudy, read_multiverse
from retention.multiverse.matching import match
from retention.multiverse.verdicts import SUMMARY
from retention.reporting.matched import COLUMNS, sentences


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Return multiverse.csv of two data sets of a made-up study."""
    folder = tmp_path_factory.mktemp("tables")
    table = study_of(**LITTLE)
    for dataset, rows in table.groupby("dataset"):
        write_csv(folder / f"{dataset}.csv", rows)
    return sorted(folder.iterdir())


def matched(tables, folder, *words):
    """Return both tables that the command writes."""
    outputs = folder / "matches.csv", folder / "summary.csv"
    where = ["--output", outputs[0], "--summary", outputs[1]]
    command(match_reported, "--multiverse", *tables, "--seeds", 8, *where, *words)
    return tuple(read_csv(path) for path in outputs)


def test_the_command_writes_what_the_library_finds_and_prints_a_line_each(tables, tmp_path, capsys):
    matches, summary = matched(tables, tmp_path, "--comparable", '{"octdl": true, "cub200": true}')
    printed = capsys.readouterr().out.splitlines()
    table = read_multiverse(tables, NAMES)
    wanted = match(table, paper(), NAMES, NewStudy(8, 3))
    for found, other in zip((matches, summary), wanted, strict=True):
        assert list(found) == list(other) and len(found) == len(other)
    assert list(summary) == SUMMARY
    for name in ("classes", "matches", "undecided", "base_rate"):
        assert summary[name].tolist() == wanted[1][name].tolist()
    assert len(printed) == len(summary)
    assert printed[0].startswith(
        f"0.34 (octdl), architecture_overlap jaccard of deit_small vs resnet18 on octdl: {summary['here'][0]}"
    )
    assert printed[-1].startswith(f"{AT_ONCE}: ")
    assert "not comparable" not in "\n".join(printed)


def test_what_is_not_comparable_and_known_is_told_in_every_row(tables, tmp_path, capsys):
    known = json.dumps({"trace": {"value": "survival", "source": "p. 4"}})
    comparable = json.dumps({"octdl": "our scans are of another clinic"})
    matches, summary = matched(tables, tmp_path, "--known", known, "--comparable", comparable)
    assert summary["verdict"].eq("not comparable").all()
    assert set(summary["reason"]) == {
        "our scans are of another clinic",
        "not a data set of the paper",
    }
    assert matches["verdict"].eq("not comparable").all() and matches["reason"].notna().all()
    assert summary["known"].eq("trace survival (p. 4), top_fraction 0.1 (the abstract)").all()
    assert set(matches["trace"].dropna()) <= {"survival"}
    assert capsys.readouterr().out.count("not comparable") == len(summary)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--seeds", "0"], "--seeds: is 0, expected at least 1"),
        (["--assumed-seeds", "0"], "--assumed-seeds: is 0, expected at least 1"),
        (["--known", '{"curve": {"value": "cubic", "source": "x"}}'], "--known.curve.value: is"),
        (["--reported", '{"numbers": []}'], "--reported: lacks architectures"),
        (["--comparable", "[]"], "--comparable: '[]' is no JSON map"),
        (
            ["--comparable", '{"bird": true, "octdl": true}'],
            "--comparable: names bird, of which --multiverse has no table; it has cub200, octdl",
        ),
        (
            ["--known", '{"top_fraction": {"value": 0.2, "source": "p. 4"}}'],
            "--known.top_fraction: is 0.2, and the reported 0.34, 0.15 are of 0.1; leave it out",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tables, tmp_path, words, told):
    with pytest.raises(UserError) as caught:
        matched(tables, tmp_path, *words)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(told)
    assert not list(tmp_path.iterdir())


def test_shares_by_what_is_known_are_written_where_they_are_asked_for(tables, tmp_path):
    known = json.dumps({"curve": {"value": "scaled_exponential", "source": "p. 4"}})
    matched(tables, tmp_path, "--known", known, "--shares", tmp_path / "known.csv")
    shares = read_csv(tmp_path / "known.csv")
    assert set(shares["known"]) == {
        "curve scaled_exponential (p. 4), top_fraction 0.1 (the abstract)"
    }
    table = read_multiverse(tables, NAMES)
    left = table[table["curve"].isin(["", "scaled_exponential"]) & table["kind"].ne("fault")]
    left = left[left["top_fraction"].isin(["", "0.1"])]
    counted = shares[shares["share"] == "combinations"]
    keys = ["finding", "dataset", "comparison"]
    assert (
        counted.set_index(keys)["value"].sort_index().to_dict()
        == left.groupby(keys).size().to_dict()
    )
    greatest = shares[shares["share"] == "greatest"].set_index(keys)["value"]
    assert greatest.to_dict() == pytest.approx(left.groupby(keys)["estimate"].max().to_dict())


def test_tables_that_can_not_be_are_named(tables, tmp_path):
    with pytest.raises(UserError, match=r"is of the data set cub200, as .* is; name one table"):
        matched([*tables, tables[0]], tmp_path)
    shares = tmp_path / "multiverse_shares.csv"
    shares.write_text("finding,dataset,comparison\nx,y,z\n")
    with pytest.raises(
        UserError, match=r"lacks the column\(s\) .*; make it again with measure_multiverse"
    ):
        matched([shares], tmp_path)
    with pytest.raises(UserError, match=r"none\.csv: there is no such file"):
        matched([tmp_path / "none.csv"], tmp_path)


def test_findings_without_a_reported_number_are_told_so(tables, tmp_path, capsys):
    table = pd.read_csv(tables[0])
    other = table[table["finding"] == "seed_stability"].assign(finding="class_forgetting")
    write_csv(tmp_path / "m.csv", other)
    matches, summary = matched([tmp_path / "m.csv"], tmp_path)
    assert not len(matches) and summary["here"].eq("not evaluated").all()
    assert len(summary) == 7 and summary["reason"].str.startswith("the multiverse has n").all()
    assert capsys.readouterr().out.count("not evaluated (the multiverse has n") == 7


def test_whole_numbers_are_written_whole(tables, tmp_path, capsys):
    """Where a cell has none, as all at once has no combination, the column is no float."""
    table = pd.read_csv(tables[0])
    table = table[table["finding"] != "fit_quality"].assign(high=0.9)
    table["low"] = np.where(table["statistic"] == "jaccard", 1e-3, -0.9)
    write_csv(tmp_path / "m.csv", table)
    matched([tmp_path / "m.csv"], tmp_path)
    for name, columns in (("matches", ["combination"]), ("summary", ["matches", "undecided"])):
        text = pd.read_csv(tmp_path / f"{name}.csv", dtype=str)
        for column in columns:
            assert text[column].isna().any()
            assert text[column].dropna().str.isdigit().all()
    assert not re.search(r"\d\.0 (of|are)", capsys.readouterr().out)


def summary_of(*rows):
    return pd.DataFrame(rows, columns=SUMMARY)


def test_the_points_say_what_holds_here():
    cell = {"finding": "seed_stability", "statistic": "spearman", "dataset": "d", "classes": 40}
    give = cell | {"reported": "0.01", "comparison": "a", "here": "these give such a number here"}
    give |= {"verdict": "not comparable", "matches": 2, "faults": "ties file_order, split x"}
    tell = give | {"comparison": "b", "here": "these data can't tell", "faults": None}
    whole = {"reported": AT_ONCE, "verdict": "not comparable", "here": "these data can't tell"}
    whole |= {
        "classes": 90,
        "matches": 30.0,
        "undecided": 7.0,
        "base_rate": 12.4,
        "truth_kept": 0.965,
        "asked": "0.01, 0.52 (b)",
        "left_out": "0.34 (octdl)",
        "known": "curve exponential (p. 4)",
    }
    told = list(sentences(summary_of(give, tell, tell, whole)))
    assert len(told) == 5
    assert told[0] == (
        "Of the reported numbers 0.01, 0.52 (b) alone, at once: these data can't tell. Of 90 ways to define them that these "
        "data tell apart, 30 give them, and of 7 the data can't tell. Were one of these ways the truth, 12 would be left on "
        "average, the true one among them in 96 % of the cases."
    )
    assert told[1].endswith("what is known of the paper alone: curve exponential (p. 4).")
    assert "3 cells" in told[2]
    assert "these data can't tell (2), these give such a number here (1)" in told[2]
    assert told[3] == (
        "By errors that others could make, such numbers come out here, too: 0.01 by ties file_order (F3, a), "
        "0.01 by split x (F3, a)."
    )
    assert "nothing is comparable" in told[4] and "never what the authors did" in told[4]
    two = list(sentences(summary_of(give, give | {"dataset": "e", "faults": None}, whole)))
    assert "ties file_order (F3, a on d)" in two[3]
    unsure = whole | {"left_out": None, "undecided": 0.0, "base_rate": None, "known": None}
    (first, *others) = sentences(summary_of(unsure))
    assert first == (
        "All reported numbers at once: these data can't tell. Of 90 ways to define them that these data tell apart, 30 give "
        "them."
    )
    assert not any("known" in line for line in others)
    nothing = {"faults": None, "known": None, "left_out": None}
    comparable = [row | nothing | {"verdict": row["here"]} for row in (give, whole)]
    told = list(sentences(summary_of(*comparable)))
    assert len(told) == 3 and "comparable" not in told[-1]
    whole |= {
        "here": "not evaluated",
        "reason": "the multiverse has none of the numbers' estimates",
    }
    (first, *_) = sentences(summary_of(whole))
    assert first.startswith("Of the reported numbers 0.01, 0.52 (b) alone, at once: not evaluated")
    assert first.endswith(
        "at once: not evaluated, as the multiverse has none of the numbers' estimates."
    )


def test_the_summary_of_the_study_has_them_below_the_paper(tables, tmp_path):
    matched(tables, tmp_path)
    columns = {"finding": "class_forgetting", "dataset": "d", "architecture": "a"}
    columns |= {"statistic": "class_hazard", "estimate": [0.1, 0.2], "low": 0.1, "high": 0.3}
    columns |= {"comparison": ["a: x", "a: y"], "target": "new runs", "n": 9.0, "chance": 0.1}
    found, output = tmp_path / "findings.csv", tmp_path / "summary.md"
    pd.DataFrame(columns | {"ceiling": None, "p_corrected": None}).to_csv(found, index=False)
    paper = tmp_path / "paper.csv"
    pd.DataFrame(columns=COMPARED).to_csv(paper, index=False)
    beside = ["--findings", found, "--paper", paper, "--coherence", found, "--output", output]
    command(write_summary, *beside, "--matches", tmp_path / "summary.csv")
    below = output.read_text(encoding="utf-8").split("## Beside the paper")[1]
    wanted = list(sentences(read_csv(tmp_path / "summary.csv", COLUMNS)))
    assert [line[2:] for line in below.splitlines() if line.startswith("- ")] == wanted
    assert len(wanted) <= 5
    command(write_summary, *beside)
    assert "\n- All reported" not in output.read_text(encoding="utf-8")


FINDINGS = ["architecture_overlap", "fit_quality", "seed_stability", "early_loss"]
SEEDS = 4
# the definition by which the other study reports, and the further choices of its findings
TRUE = {"score": "decay_constant", "trace": "survival", "curve": "scaled_exponential"}
FURTHER = {"r_squared": "raw", "flat": "dropped", "pairs": "same_seed", "epoch_0": "in"}


def having(table, levels):
    """Return the rows that have these levels wherever the dimension applies."""
    for name, level in levels.items():
        table = table[table[name].isin(["", level])]
    return table


@pytest.mark.slow
def test_a_study_finds_the_definition_by_which_another_study_reported(tmp_path):
    """Two studies of other seeds on the same samples: one reports by a definition, the other one matches."""
    traces, samples = write_runs(tmp_path, samples=150, epochs=8, seeds=range(2 * SEEDS))
    dropped = {"trace": ["lag", "from_first_loss", "confidence", "cumulative_events"]}
    fix = {**LITTLE["fix"], "samples": "all"}
    options = {"findings": FINDINGS, "resamples": 99, "draws": 99, "drop": dropped}
    options["fix"] = {name: level for name, level in fix.items() if name != "epoch_0"}
    found = {}
    for study, first in (("theirs", SEEDS), ("ours", 0)):
        runs = [2 * SEEDS * network + first + seed for network in (0, 1) for seed in range(SEEDS)]
        words = ["--traces", *(traces[run] for run in runs)]
        words += ["--samples", *(samples[run] for run in runs)]
        words += ["--output", tmp_path / f"{study}.csv", "--shares", tmp_path / "s.csv"]
        words += ["--statistics", '{"resamples": 99, "tie_breaks": 20}']
        command(measure_multiverse, *words, "--multiverse", json.dumps(options))
        found[study] = read_multiverse([tmp_path / f"{study}.csv"], NAMES)
    told = having(found["theirs"], TRUE | FURTHER | {"samples": "all", "ties": "lots"})
    told = told[told["trace"].eq("survival") & told["statistic"].ne("difference_r_squared")]
    numbers = [reported(row) for row in told[told["kind"] != "fault"].to_dict("records")]
    assert [one["finding"] for one in numbers] == [
        FINDINGS[0],
        *sorted(FINDINGS[1:] * 2, key=FINDINGS.index),
    ]
    paper = read_paper() | {"architectures": list(ARCHITECTURES), "numbers": numbers}
    words = ["--multiverse", tmp_path / "ours.csv", "--seeds", SEEDS, "--assumed-seeds", SEEDS]
    words += ["--reported", json.dumps(paper), "--comparable", '{"made_up": true}']
    command(match_reported, *words, "--output", tmp_path / "m.csv", "--summary", tmp_path / "f.csv")
    matches, summary = read_csv(tmp_path / "m.csv"), read_csv(tmp_path / "f.csv")
    assert (summary["verdict"] == summary["here"]).all()
    for about, of in matches[matches["kind"] != "fault"].groupby("reported"):
        of = of.assign(score=of["score"].fillna(""))  # R² has none
        assert having(of, TRUE)["trace"].eq(TRUE["trace"]).any(), about
    not_ruled_out = summary["matches"] + summary["undecided"]
    sharp = summary["finding"].eq("fit_quality") | summary["reported"].eq(AT_ONCE)
    assert (not_ruled_out < 0.5 * summary["classes"])[sharp].all()
    few = summary[summary["finding"] == "architecture_overlap"].iloc[0]  # 12 of 125 samples
    assert (few["matches"], few["here"]) == (0, "these data can't tell")


def reported(row):
    """Return a row of another study's multiverse as it is reported, to two digits."""
    value = round(row["estimate"], 2)
    number = {name: row[name] for name in ("finding", "statistic")}
    number |= {"text": f"{value:.2f}", "low": value, "high": value}
    return number | (
        {"architecture": row["architecture"]} if row["architecture"] else {"top_fraction": 0.1}
    )
