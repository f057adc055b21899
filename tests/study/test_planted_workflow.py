"""The control arm beside a study: what it adds to the jobs, what repeats, and one that really runs."""

import subprocess
import sys

import pandas as pd
import pytest
import yaml
from sources import ROOT, Workflow, jobs_in, values_in

from retention.common.csv_tables import read_csv
from retention.common.parquet_tables import read_parquet
from retention.reporting.recovered import TEXT

pytestmark = pytest.mark.slow
PLAIN = """
study: laid
control_architectures: []
treatments: [random]
seeds: [0, 1]
multiverse: {findings: []}
"""
ARM = "planted: {datasets: [digits], draws: 1}\n"
STUDY = ("--configfile", "examples/digits/config.yaml", "laid.yaml")
COPIES = {"digits_planted_random_1", "digits_planted_confusions_1"}
ADDED = {"plant_labels": 2, "finetune": 4, "describe_samples": 4, "rank_suspects": 2}
TOLD = {"measure_planted": 1, "record_configuration": 1, "write_summary": 1, "build_report": 1}


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    """A study without copies, and the same with them in armed.yaml: its files laid out empty."""
    workflow = Workflow(tmp_path_factory.mktemp("laid"))
    (workflow.folder / "laid.yaml").write_text(PLAIN)
    (workflow.folder / "armed.yaml").write_text(ARM)
    lay_out(workflow)
    return workflow


@pytest.fixture(scope="module")
def armed(tmp_path_factory):
    """A study with copies, its files laid out empty."""
    workflow = Workflow(tmp_path_factory.mktemp("armed"))
    (workflow.folder / "laid.yaml").write_text(PLAIN + ARM)
    (workflow.folder / "more.yaml").write_text("seeds: [0, 1, 2]\n")
    lay_out(workflow)
    return workflow


def lay_out(workflow):
    command = [sys.executable, ROOT / "benchmarks/layout.py", "Snakefile", *STUDY[1:]]
    done = subprocess.run(command, cwd=workflow.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_adding_copies_trains_them_and_nothing_else(laid):
    output = laid.dry_run(*STUDY, "armed.yaml")
    planned = jobs_in(output)
    assert {rule: planned[rule] for rule in planned if rule not in ("all", "total")} == ADDED | TOLD
    sets = values_in(output, "dataset")
    assert all(sets[rule] == COPIES for rule in ADDED if rule != "describe_samples")
    wanted = {"architecture": {"resnet", "vit"}, "treatment": {"random"}, "seed": {"0"}}
    assert {name: values_in(output, name)["finetune"] for name in wanted} == wanted


def test_a_study_that_stopped_goes_on_with_what_is_lacking(armed):
    results = armed.folder / "results/laid"
    lost = ["digits_planted_random_1/runs/vit", "digits_planted_random_1/suspects.csv"]
    lost += ["digits/planted_recovery.csv", "summary.md", "report.zip"]
    for name in lost:
        (results / name).rename(results / f"{name}.kept")
    planned = armed.planned(*STUDY)
    for name in lost:
        (results / f"{name}.kept").rename(results / name)
    again = {"finetune", "describe_samples", "rank_suspects", "measure_planted", "write_summary"}
    assert planned == {**dict.fromkeys([*again, "build_report", "all"], 1), "total": 7}


def test_descriptions_made_anew_plant_no_labels_anew(armed):
    """Confusions are written with them: the copies would be trained again."""
    planned = armed.planned(*STUDY, "--forcerun", "describe_samples")
    assert planned["describe_samples"] >= 2 * 2
    assert not {"plant_labels", "finetune"} & set(planned)


def test_a_further_seed_of_the_study_trains_no_copy(armed):
    sets = armed.planned_values("dataset", *STUDY, "more.yaml")
    assert sets["finetune"] == {"digits"}
    assert "plant_labels" not in sets


SMALL = """
study: small
datasets: [digits]
architectures: [net]
control_architectures: []
treatments: [random]
seeds: [0]
architecture_definitions: {net: {timm: test_resnet, weights: none, image_size: 32, stored_size: 32}}
recipes:
  default: {epochs: 3, learning_rate: 5.0e-3, head_warmup: {epochs: 1}}
store: {probabilities: none}
dynamics: {fits: [], shuffles: 0}
planted: {datasets: [digits], share: 0.08, draws: 1, kinds: [random]}
"""


def test_a_tiny_study_measures_what_its_ranking_finds(tmp_path):
    study = Workflow(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    words = ("--configfile", "examples/digits/config.yaml", "small.yaml")
    code, output = study.snakemake(*words, "--", "planted")
    assert code == 0, output
    assert "Labels planted wrong at random (" in output
    results = tmp_path / "results/small"
    copy = results / "digits_planted_random_1"
    index, true = (read_parquet(folder / "index.parquet") for folder in (copy, results / "digits"))
    wrong = index["label"] != true["label"]
    assert wrong.sum() == round(0.08 * (true["split"] == "train").sum())
    traces = read_parquet(copy / "runs/net/random/seed0/traces.parquet")
    labels = traces.merge(index[["split", "sample_index", "label"]], on=["split", "sample_index"])
    assert (labels["correct"] == (labels["predicted"] == labels["label"])).all()
    suspects = pd.read_csv(copy / "suspects.csv")
    planted = set(pd.read_csv(copy / "planted.csv")["sample_index"])
    assert planted == set(index["sample_index"][wrong])
    found = read_csv(results / "digits/planted_recovery.csv", TEXT)
    row = found[(found["ranking"] == "rank") & (found["depth"] == "as many as planted")].iloc[0]
    first = set(suspects["sample_index"].head(len(planted)))
    assert row["recall"] == len(first & planted) / len(planted)
    assert row["recall"] > 0.3  # by chance 0.08
    assert not (results / "digits/runs").exists()
    assert not list((tmp_path / "data").glob("*/*planted*"))
    assert yaml.safe_load((copy / "split.yaml").read_text())["samples"] == len(index)
