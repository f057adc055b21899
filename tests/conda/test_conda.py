"""The project's environment files, solved, installed and used by `snakemake --use-conda`.

docs/software.md says what a local channel proves and what it does not.
"""

import os
import shutil
import sys

import pytest
from channel import write_channel
from debian import reason_to_skip
from software import STUDY, assert_same_values, cut_study, plain_runs, wheelhouse
from sources import ROOT

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())
ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'


@pytest.fixture(scope="module")
def conda(tmp_path_factory):
    """Environment variables under which `conda` is on PATH and finds channel and wheels."""
    home = tmp_path_factory.mktemp("conda")
    (home / "bin").mkdir()
    (home / "bin/activate").write_text(ACTIVATE)
    command = home / "bin/conda"
    script = ROOT / "tests/conda/conda_command.py"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    command.chmod(0o755)
    write_channel(home / "channels/conda-forge")
    yield {
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "CONDA_HOME": str(home),
        "CHANNELS": str(home / "channels"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheelhouse()),
    }
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def study(conda, tmp_path_factory):
    """The cut study, run with `--use-conda` to its report; its environments go at the end."""
    workflow = cut_study(tmp_path_factory.mktemp("study"))
    try:
        code, output = workflow.snakemake(*STUDY, "--use-conda", **conda)
        assert code == 0, output
        yield workflow
    finally:
        shutil.rmtree(workflow.folder / ".snakemake" / "conda")


def test_the_study_runs_to_its_report_in_the_projects_environments(study):
    assert (study.folder / "results/cut/report.zip").stat().st_size > 10_000
    environments = list((study.folder / ".snakemake/conda").glob("*/bin/python"))
    assert len(environments) == 2
    torch = [python for python in environments if list(python.parents[1].glob("lib/*/*/torch"))]
    assert len(torch) == 1, "training holds torch, analysis does not"


def test_its_traces_are_those_of_the_plain_environment(study, tmp_path):
    assert_same_values(study.folder, plain_runs(tmp_path))


def test_going_from_conda_to_pip_and_back_reruns_nothing(study, conda):
    assert study.planned(*STUDY) == {}
    assert study.planned(*STUDY, "--use-conda", **conda) == {}


@pytest.mark.parametrize(
    ("pin", "bad", "line"),
    [
        ("python=3.11", "python=3.99", "No candidates were found for python 3.99"),
        ("PyYAML==6.0.3", "PyYAML==99.0", "No matching distribution found for PyYAML==99.0"),
    ],
    ids=["conda", "pip"],
)
def test_a_bad_pin_is_named_in_one_line_before_any_job(conda, tmp_path, pin, bad, line):
    workflow = cut_study(tmp_path)
    environment = tmp_path / "envs/analysis.yaml"
    environment.write_text(environment.read_text().replace(pin, bad))
    code, output = workflow.snakemake("results/cut/config.yaml", *STUDY, "--use-conda", **conda)
    assert code != 0
    naming = [text for text in output.splitlines() if line.lower() in text.lower()]
    assert len(naming) == 1, output
    assert "Traceback" not in output
    assert not (tmp_path / "results").exists()
