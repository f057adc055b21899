"""The same command on a Slurm that keeps accounts, as most clusters do."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cluster_study import PATIENCE, Study, running_slurm
from one_node_slurm import wait_for

INDEX = "data/index/{}/images.parquet"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    for slurm in running_slurm(tmp_path_factory.mktemp("slurm"), accounts=True):
        for what in (("account", "retina"), ("user", "root", "account=retina")):
            command = ["sacctmgr", "--immediate", "add", *what, "cluster=lab"]
            subprocess.run(command, check=True, capture_output=True)
        yield slurm


@pytest.fixture(scope="module")
def study(slurm, tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("study"))
    study.site(account="retina")
    yield study
    study.stop()


def test_jobs_run_on_the_account_of_the_site(slurm, study):
    code, output = study.run(INDEX.format("digits"))
    assert code == 0, output
    (job,) = slurm.jobs_of("index_dataset")
    assert (job["Account"], job["JobState"]) == ("retina", "COMPLETED")
    assert "retina" in slurm.ask("sacct", "--allocations", "--noheader", "--format=account")


def test_another_account_is_one_line(study):
    study.site(account="physics")
    code, output = study.run(INDEX.format("mnist"))
    study.site(account="retina")
    assert code == 1
    assert output.splitlines()[-1] == (
        "error: slurm/site.yaml: account: you have none called 'physics'; yours are retina, root"
    )


def test_a_cancelled_job_is_noticed(slurm, study):
    process = study.start(INDEX.format("mnist"), "--retries", "0")
    number = wait_for(lambda: slurm.ask("squeue", "-h", "-o", "%i"), "a job", PATIENCE)
    slurm.ask("scancel", number)
    process.wait(PATIENCE)
    assert process.returncode != 0
    assert f"SLURM-job '{number}' failed, SLURM status is: 'CANCELLED'" in study.output()


def test_jobs_can_be_watched_by_sacct(study):
    study.site(status="sacct")
    code, output = study.run(INDEX.format("mnist"))
    assert code == 0, output
