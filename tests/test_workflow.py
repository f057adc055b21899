"""The configuration and the DAG as a user meets them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from retention.workflow.code_version import significant_text

ROOT = Path(__file__).parents[1]
EXAMPLE = ["--configfile", "examples/digits/config.yaml", "examples/digits/short.yaml"]


def snakemake(folder, *arguments):
    """Run Snakemake in a folder; return its exit code and all it printed."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    done = subprocess.run(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.returncode, done.stdout


@pytest.fixture
def clone(tmp_path):
    """A copy of the sources, without results."""
    for name in ("Snakefile", "config.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    for name in (
        "rules",
        "scripts",
        "schemas",
        "resources",
        "envs",
        "profiles",
        "slurm",
        "examples",
    ):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_papers_study_plans_every_run(clone):
    code, output = snakemake(clone, "--dry-run", "--quiet", "rules")
    assert code == 0, output
    code, output = snakemake(clone, "--dry-run")
    assert re.search(r"^finetune +32$", output, re.MULTILINE), output


def test_every_fault_of_a_configuration_is_named_at_once(clone):
    (clone / "bad.yaml").write_text(
        "seeds: [1, 1]\nfindings: [no_such]\ntypo: 3\nstatistics: {top_fraction: 1.5}\n"
        "recipes: {default: {learning_rate: '0.1'}}\n"
    )
    code, output = snakemake(clone, "--dry-run", "--configfile", "bad.yaml")
    assert code != 0
    for fault in (
        "seeds: names 1 more than once",
        "findings.0: is 'no_such'",
        "unknown key(s) typo",
        "statistics.top_fraction",
        "recipes.default.learning_rate: is '0.1' (str)",
    ):
        assert fault in output, output


def test_a_name_that_nothing_defines_is_a_fault(clone):
    (clone / "bad.yaml").write_text("datasets: [nowhere]\nseeds: [0]\n")
    code, output = snakemake(clone, "--dry-run", "--configfile", "bad.yaml")
    assert code != 0
    assert "datasets: nothing defines 'nowhere'" in output
    assert "seeds: seed_stability compares pairs of seeds" in output


def test_comments_and_docstrings_are_no_code():
    source = '"""Doc."""\nx = 1  # why\n\n\ndef f():\n    """Doc."""\n    return """a\n\nb"""\n'
    assert significant_text(source) == 'x = 1\ndef f():\n    return """a\n\nb"""'


@pytest.mark.parametrize("environment", ["training", "analysis"])
def test_environments_have_the_pins_of_requirements(environment):
    pins = (ROOT / "requirements.txt").read_text().split()
    listed = re.findall(r"- (\S+==\S+)", (ROOT / f"envs/{environment}.yaml").read_text())
    assert len(listed) > 5
    assert set(listed) <= set(pins)


@pytest.mark.slow
def test_the_study_runs_and_a_second_run_does_nothing(clone):
    (clone / "tiny.yaml").write_text(
        "study: tiny\nseeds: [0, 1]\ncontrol_architectures: []\n"
        "recipes: {default: {epochs: 8}, pretraining: {default: {epochs: 3}}}\n"
        "statistics: {resamples: 99, tie_breaks: 20}\n"
    )
    study = [*EXAMPLE, "tiny.yaml"]
    code, output = snakemake(clone, *study)
    assert code == 0, output
    results = clone / "results" / "tiny"
    for name in ("summary.md", "report.zip", "digits/figures/early_loss.png"):
        assert (results / name).stat().st_size > 500
    assert not any((results / "state").rglob("*.safetensors"))
    for source in (clone / "scripts").rglob("*.py"):
        source.touch()
    code, output = snakemake(clone, *study, "--dry-run")
    assert "Nothing to be done" in output, output
    decay = clone / "scripts/retention/analysis/decay.py"
    decay.write_text(decay.read_text().replace("STEPS = 44", "STEPS = 45"))
    code, output = snakemake(clone, *study, "--dry-run")
    assert re.search(r"^describe_samples +4$", output, re.MULTILINE), output
    assert "finetune" not in output
