"""Which reported numbers can hold together: the table, its words, its command and its place in the summary."""

import json

import numpy as np
import pandas as pd
import pytest
from no_paper import NO_PAPER
from scipy.special import betainc

from retention.audits.reported import COLUMNS, check
from retention.commands import check_reported, write_summary
from retention.common.errors import UserError
from retention.common.paper import read_paper
from retention.reporting.summary import ARITHMETIC

VERDICTS = ("can hold together", "can't hold together under ", "says that ")


def known(**levels):
    """Return the paper with slots filled."""
    return read_paper({name: {"value": level, "source": "p. 1"} for name, level in levels.items()})


def lines(paper, seeds=3):
    return check(paper, seeds).set_index("claim")


def one(table, *words):
    """Return the one row whose claim holds all these words."""
    (row,) = [
        row for claim, row in table.iterrows() if all(word in claim for word in words)
    ]  # a claim that is told twice is a fault
    return row


def test_the_table_is_short_whole_and_says_what_would_settle_each_line():
    table = check(read_paper(), 3)
    assert list(table.columns) == COLUMNS
    assert 1 < len(table) <= 10
    assert table["claim"].is_unique
    assert not table.isna().to_numpy().any() and (table != "").to_numpy().all()
    assert all(verdict.startswith(VERDICTS) for verdict in table["verdict"])


def test_a_p_of_a_run_needs_more_images_than_octdl_has():
    table = lines(read_paper())
    alone, pooled = one(table, "octdl once"), one(table, "octdl", "3 runs")
    assert (alone["value"], pooled["value"]) == (2064, 3 * 2064)
    # at which sizes the p is that small: Student's t as an incomplete beta function
    sizes = np.arange(1000, 3000)
    by_t = sizes[betainc((sizes - 2) / 2, 0.5, 1 - 0.3**2) < 1e-45].min()
    assert by_t == 2139
    assert f"{by_t:,} by Student's t" in alone["implies"]
    assert alone["verdict"].startswith("can't hold together under")
    assert pooled["verdict"] == one(table, "cub200 once")["verdict"] == "can hold together"
    assert lines(known(test="student_t")).iloc[0]["bound"] == 2139
    assert lines(known(test="fisher_z")).iloc[0]["bound"] == 2106


def test_what_early_loss_says_of_seeds_depends_on_the_runs_it_is_of():
    table = lines(read_paper())
    own, other = one(table, "of the same run"), one(table, "of another seed")
    assert own["value"] == other["value"] == 0.01
    assert own["bound"] == pytest.approx(0.3 * 0.3 * 0.62)
    assert other["bound"] == pytest.approx(0.3 * 0.3)
    assert "0.11 or less" in own["implies"]  # 0.01/0.3²
    assert "no theorem" in own["explanation"]
    assert f"{0.3 * 0.3 / 0.62:.2f}" in other["explanation"]


def test_the_other_numbers_are_those_worked_by_hand():
    table = lines(read_paper())
    tied = one(table, "no samples are tied")
    assert (1 - (1 - tied["bound"]) ** 3) ** 0.5 == pytest.approx(0.3)
    mean = one(table, "reviews")
    assert mean["value"] == pytest.approx(0.03 / 1.02)
    assert mean["bound"] == pytest.approx((0.03 / 1.02) ** 0.5)
    overlap = one(table, "octdl", "overlap")
    assert overlap["bound"] == pytest.approx(0.73, abs=0.01)
    assert "4.8 %" in overlap["explanation"] and "ρ = 0.14" in overlap["explanation"]
    assert "74 % and 52 %" in one(table, "R²")["verdict"]


@pytest.mark.parametrize(
    ("pairs", "there", "gone"),
    [
        ("same_seed", ["of the same run", "octdl once"], ["another seed", "pools", "overlap"]),
        ("other_seeds", ["another seed", "overlap", "octdl once"], ["of the same run", "pools"]),
        ("pooled", ["pools"], ["octdl once", "of the same run", "another seed", "overlap"]),
    ],
)
def test_a_line_whose_assumption_is_known_to_be_otherwise_goes(pairs, there, gone):
    claims = "\n".join(check(known(pairs=pairs), 3)["claim"])
    assert all(words in claims for words in there)
    assert not any(words in claims for words in gone)


@pytest.mark.parametrize(
    ("choices", "there"),
    [
        ({}, True),
        ({"trace": "survival"}, True),
        ({"score": "decay_constant", "trace": "lag"}, True),
        ({"trace": "confidence"}, False),
        ({"trace": "raw"}, False),
        ({"trace": "from_first_loss"}, False),
        ({"score": "hazard"}, False),
        ({"score": "one_minus_retention"}, False),
        ({"estimator": "curve_fit_free"}, False),
    ],
)
def test_ties_say_something_where_samples_never_lost_share_a_score(choices, there):
    claims = {
        claim: row for claim, row in lines(known(**choices)).iterrows() if "are tied" in claim
    }
    assert bool(claims) == there
    for row in claims.values():
        assert row["verdict"].endswith(
            "were lost at least once, if those that never were share one decay constant"
        )


def test_what_is_known_stands_with_its_source_where_it_was_asked_for():
    table = lines(known(pairs="same_seed", flat="zero", estimator="curve_fit_free", score="hazard"))
    assert "pairs is same_seed (p. 1)" in one(table, "of the same run")["resolved_by"]
    assert one(table, "R²")["verdict"] == (
        "says that 74 % and 52 % of the traces or more are not flat"
    )
    assert "however many" in one(lines(known(flat="one")), "R²")["verdict"]
    for words in ("no samples are tied", "overlap"):  # by a fit or a score of which nothing follows
        assert not [claim for claim in table.index if words in claim]


def test_numbers_that_fit_are_said_to():
    """Seeds that agree at 0.8, and fewer digits of p: nothing speaks against anything."""
    paper = read_paper() | {"seed_stability": {"value": 0.8}}
    paper["early_loss"] = paper["early_loss"] | {"p_below": 1e-20}
    table = lines(paper)
    judged = table[~table["verdict"].str.startswith("says that")]
    assert judged["verdict"].str.startswith("can hold together").all()
    assert (
        (judged["value"] >= judged["bound"])
        .drop(judged.index[judged.index.str.contains("reviews")])
        .all()
    )


def test_the_command_writes_the_table_that_the_summary_shows(tmp_path, capsys):
    written, summary = tmp_path / "a.csv", tmp_path / "summary.md"
    seeds = json.dumps({"seeds": {"value": 5, "source": "p. 6, table {2}"}})
    check_reported.main(["--known", seeds, "--output", str(written)])
    table = pd.read_csv(written)
    assert "5 runs on octdl" in "\n".join(table["claim"])
    assert capsys.readouterr().out.count("\n") == len(table)
    columns = {"finding": "class_forgetting", "dataset": "d", "architecture": "a"}
    columns |= {"statistic": "class_hazard", "estimate": [0.1, 0.2], "low": 0.1, "high": 0.3}
    columns |= {"comparison": ["a: x", "a: y"], "target": "new runs", "n": 9.0, "chance": 0.1}
    found = tmp_path / "findings.csv"
    pd.DataFrame(columns | {"ceiling": None, "p_corrected": None}).to_csv(found, index=False)
    NO_PAPER.to_csv(tmp_path / "paper.csv", index=False)
    beside = ["--findings", found, "--paper", tmp_path / "paper.csv", "--coherence", found]
    words = [*beside, "--arithmetic", written, "--output", summary]
    write_summary.main([str(word) for word in words])
    text = summary.read_text(encoding="utf-8")
    shown = text.split("## What the reported numbers say of each other")[1].split("\n## ")[0]
    assert shown.count("\n| ") == len(table) + 2
    assert f"| {' | '.join(ARITHMETIC.values())} |" in shown
    assert "p. 6, table {2}" in shown
    write_summary.main([str(word) for word in [*beside, "--output", summary]])
    assert "reported numbers say" not in summary.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--known", "{"], "--known: '{' is no JSON"),
        (["--known", '{"curve": {"value": "exponential"}}'], "--known.curve: source is a required"),
        (
            ["--known", '{"seeds": {"value": 0, "source": "x"}}'],
            "--known.seeds.value: is 0, expected",
        ),
        (["--reported", "{}"], "--reported: lacks early_loss, seed_stability, numbers, images"),
        (["--assumed-seeds", "0"], "--assumed-seeds: is 0, expected at least 1"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(words, told, tmp_path):
    with pytest.raises(UserError) as caught:
        check_reported.main([*words, "--output", str(tmp_path / "a.csv")])
    (line,) = str(caught.value).splitlines()
    assert line.startswith(told)
    assert not (tmp_path / "a.csv").exists()
