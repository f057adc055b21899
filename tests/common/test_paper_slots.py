"""What is known of the paper: slots, how a study fills them, and what a filled one changes."""

import re
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import t
from sources import ROOT, Workflow

from retention.commands import compare_with_paper
from retention.common.errors import UserError
from retention.common.options import allowed_values
from retention.common.paper import (
    choice_faults,
    known_choices,
    read_paper,
    seeds_of,
    seeds_told,
    slots,
)
from retention.common.resources import PAPER, read_resource
from retention.workflow.configuration import load_study
from retention.workflow.recipes import merged

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
RESOURCE = read_resource(PAPER)
# The dimensions of an analysis, as they are called wherever it is varied.
DIMENSIONS = "trace start epoch_0 epochs smoothing curve estimator failed r_squared flat score"
DIMENSIONS += " samples never_learned top_fraction ties pairs class class_value"


def filled(**levels):
    return {name: {"value": level, "source": "p. 6"} for name, level in levels.items()}


def study_with(known, **paper):
    """Return what the rules look up in the paper's study with slots filled."""
    return load_study(merged(CONFIG, {"paper": {"known": known, **paper}}), ROOT)


def test_every_choice_has_a_slot_and_most_are_unknown():
    assert list(choice_faults(RESOURCE["choices"])) == []
    assert set(RESOURCE["choices"]) == set(slots())
    assert {name for name, slot in slots().items() if slot["of"] == "analysis"} == set(
        DIMENSIONS.split()
    )
    known = {name: slot for name, slot in RESOURCE["choices"].items() if slot["state"] == "known"}
    assert {name: slot["value"] for name, slot in known.items()} == {
        "top_fraction": 0.1,
        "seeds": 3,
        "head_warmup": True,
    }
    assert "secondary summary" in known["seeds"]["source"]


def test_a_filled_slot_narrows_the_known_choices():
    assert known_choices(read_paper()) == {"top_fraction": 0.1}
    paper = read_paper(filled(curve="exponential", pairs="same_seed", batch_size=32))
    assert known_choices(paper) == {
        "top_fraction": 0.1,
        "curve": "exponential",
        "pairs": "same_seed",
    }
    assert read_resource(PAPER) == RESOURCE  # the resource itself stays as it is


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"curv": {"value": "exponential", "source": "x"}}, ": unknown key(s) curv; known are "),
        (
            filled(curve="exponentil"),
            ".curve.value: is 'exponentil', expected one of exponential, ",
        ),
        ({"curve": {"value": "power"}}, ".curve: source is a required property; add the key"),
        ({"curve": {"value": "power", "source": ""}}, ".curve.source: "),
        ({"curve": "power"}, ".curve: is 'power' (str), expected a map ({key: value, …})"),
        (filled(seeds="three"), ".seeds.value: is 'three' (str), expected integer"),
        (filled(top_fraction=10), ".top_fraction.value: is 10, expected less than 1"),
        (
            filled(top_fraction=0.2),
            ".top_fraction: is 0.2, and the reported 0.34, 0.15 are of 0.1; leave it out",
        ),
    ],
)
def test_a_slot_that_is_filled_wrongly_is_refused_in_one_line(known, told):
    for read in (lambda: read_paper(known), lambda: study_with(known)):
        with pytest.raises(UserError) as caught:
            read()
        (line,) = str(caught.value).splitlines()
        assert line.startswith("paper.known" + told), line


@pytest.mark.parametrize(
    ("name", "slot", "told"),
    [
        ("curve", None, "choices: lacks curve; write {state: unknown} for what is not known"),
        ("curv", {"state": "unknown"}, "choices.curv: there is no such choice; did you mean curve?"),
        ("curve", "power", "choices.curve: is 'power', expected a map, such as {state: unknown}"),
        ("curve", {"state": "guessed"}, "choices.curve.state: is 'guessed', expected one of known, "),
        ("curve", {"state": "known", "value": "power"}, "choices.curve: source is a required"),
        ("curve", {"state": "known", "value": "x", "source": "y"}, "choices.curve.value: is 'x', "),
        ("curve", {"state": "unknown", "value": "power"}, "choices.curve: is unknown and says value"),
    ],
)  # fmt: skip
def test_a_fault_of_the_resource_is_one_line(name, slot, told):
    choices = deepcopy(RESOURCE["choices"])
    choices[name] = slot
    if slot is None:
        del choices[name]
    (line,) = choice_faults(choices)
    assert line.startswith(f"scripts/retention/resources/paper.yaml: {told}"), line


def test_seeds_that_a_user_knows_go_before_those_assumed_and_second_hand_ones_do_not():
    paper = read_paper()
    summary = RESOURCE["choices"]["seeds"]["source"]
    assert seeds_of(paper, 3) == (3, summary) and seeds_told(paper, 3) == []
    assert seeds_of(paper, 5) == (5, "assumed")
    (line,) = seeds_told(paper, 5)
    assert line == (
        f"paper.assumed_seeds: is 5, but 3 is known ({summary}); paper_comparison.csv is for 5"
    )
    own = read_paper(filled(seeds=8))
    assert seeds_of(own, 3) == (8, "p. 6")
    (line,) = seeds_told(own, 3)
    assert line == "paper.assumed_seeds: is 3, but 8 is known (p. 6); paper_comparison.csv is for 8"
    assert line in study_with(filled(seeds=8))["told"]
    assert not [line for line in study_with({})["told"] if "assumed_seeds" in line]


def test_filled_seeds_change_the_prediction_interval(tmp_path):
    """Its half width is t √(1 + S/k) times the standard error, of S seeds of ours and k of theirs."""
    row = {"finding": "early_loss", "dataset": "octdl", "architecture": "resnet18", "seeds": 8}
    row |= {"comparison": "resnet18", "statistic": "spearman", "estimate": 0.4, "low": 0.3}
    row |= {"high": 0.5, "standard_error": 0.02, "target": "new runs", "definition": "x"}
    table, written = tmp_path / "early_loss.csv", tmp_path / "paper_comparison.csv"
    pd.DataFrame([row]).to_csv(table, index=False)
    for known, seeds, source in (({}, 3, "a secondary summary"), (filled(seeds=12), 12, "p. 6")):
        paper = study_with(known)["paper"]
        words = ["--findings", table, "--comparable", '{"octdl": true}', "--output", written]
        words += ["--assumed-seeds", paper["seeds"], "--seeds-source", paper["seeds_source"]]
        compare_with_paper.main([str(word) for word in words])
        found = pd.read_csv(written).set_index("finding").loc["early_loss"]
        half = t.ppf(0.975, 7) * 0.02 * np.sqrt(1 + 8 / seeds)
        assert found["high"] == pytest.approx(0.4 + half)
        assert found["low"] == pytest.approx(0.4 - half)
        assert f"for {seeds} seeds ({source}" in found["reason"]


def test_the_page_lists_every_slot_with_its_values():
    rows = re.findall(
        r"^\| `(\w+)` \| (.*) \| (.*) \|$", (ROOT / "docs/paper.md").read_text(), re.M
    )
    told = {name: (meaning, values) for name, meaning, values in rows if name in slots()}
    assert list(told) == list(slots())
    for name, slot in slots().items():
        meaning, values = told[name]
        assert meaning == slot["description"]
        listed = ", ".join(
            str(value).lower() for value in allowed_values(slot["properties"]["value"])
        )
        # traces and curves are files: what there are stands in docs/decay.md
        assert values == listed or not listed or name in ("trace", "curve"), name


@pytest.mark.slow
def test_the_arithmetic_is_made_without_a_run_and_rules_pass_on_what_is_known(clone: Workflow):
    study = clone.folder / "known.yaml"
    study.write_text(
        "study: mine\ntreatments: [random]\ndatasets: [octdl]\nseeds: [0, 1, 2]\n"
        'paper: {known: {seeds: {value: 12, source: "p. {6}"}}}\n'
    )
    words = ("--configfile", str(study), "--")
    code, output = clone.snakemake(*words, "paper_arithmetic")
    assert code == 0, output[-2000:]
    jobs = {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE)}
    assert jobs == {"check_reported": 1, "paper_arithmetic": 1, "total": 2}
    assert "paper.assumed_seeds: is 3, but 12 is known (p. {6})" in output
    written = (clone.folder / "results/mine/paper_arithmetic.csv").read_text(encoding="utf-8")
    assert "pools 12 runs on octdl" in written and "seeds is 12 (p. {6})" in written
    code, output = clone.snakemake("-n", "-p", *words, "results/mine/summary.md")
    assert code == 0, output[-2000:]
    assert "--assumed-seeds 12 --seeds-source 'p. {6}'" in output
    assert "--arithmetic results/mine/paper_arithmetic.csv" in output
    assert "--matches results/mine/multiverse_match_summary.csv" in output
    (matching,) = (line for line in output.splitlines() if "match_reported.py" in line)
    assert "--multiverse results/mine/octdl/findings/multiverse.csv --seeds 3 " in matching
    assert "--assumed-seeds 12 " in matching and '"p. {6}"' in matching
    assert "--comparable '{\"octdl\": true}'" in matching  # of the study's data sets alone
    shares = "results/mine/multiverse_shares_known.csv"
    assert f"--shares {shares} " in matching
    (told,) = (line for line in output.splitlines() if "write_summary.py" in line)
    assert shares in told.split("--multiverse")[1]
    asked = "multiverse_seed_stability"
    code, output = clone.snakemake("-n", *words, asked)
    assert code == 0 and f"draw_{asked}" in output, output[-2000:]
    study.write_text(study.read_text() + "multiverse: {findings: []}\n")
    code, output = clone.snakemake("-n", *words, asked)
    assert code != 0 and "Traceback" not in output
    assert f"{asked}: multiverse.findings names no finding; name seed_stability" in output
    code, output = clone.snakemake("-n", "-p", *words, "results/mine/summary.md")
    assert code == 0 and "match_reported" not in output and "--matches" not in output, output[
        -2000:
    ]
