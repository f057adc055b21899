"""The embedded study, cut down, on a real Slurm: to its report, and through every fault.

Slurm's own records are the witness. The faults come in one sequence on one study, each after the
last: a run of Snakemake costs half a minute of waiting for Slurm.
"""

import contextlib
import re
import shutil
import signal
import subprocess
import sys
from datetime import datetime
from itertools import combinations
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cluster_study import PATIENCE, RESULTS, RUNS, Study, running_slurm
from one_node_slurm import Slurm, wait_for


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    yield from running_slurm(tmp_path_factory.mktemp("slurm"))


@pytest.fixture(scope="module")
def study(slurm, tmp_path_factory):
    """The study, run once to its report and never disturbed."""
    study = Study(tmp_path_factory.mktemp("study"))
    code, output = study.run()
    assert code == 0, output
    study.whole = study.digests()
    yield study
    study.stop()


@pytest.fixture(autouse=True)
def orderly(slurm, study):
    """End what a failed test left at work, and finish the study, or the next one fails for it."""
    yield
    if study.at_work():
        slurm.ask("scancel", "--full", "--user=root")
        study.stop()
        wait_for(lambda: not slurm.ask("squeue", "-h"), "an empty queue")
        study.shell("python", "scripts/recover_lock.py")
        study.run("runs")


def trainer(study: Study, name: str, seed: int) -> psutil.Process:
    """Return the process that trains a run."""

    def found() -> psutil.Process | None:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                if "finetune.py" in " ".join(words[:2]) and str(study.folder) == process.cwd():
                    names = (
                        words[words.index("--architecture") + 1],
                        words[words.index("--seed") + 1],
                    )
                    if names == (name, str(seed)):
                        return process
        return None

    return wait_for(found, f"the process that trains {name}, seed {seed}", PATIENCE)


def job_of(slurm: Slurm, name: str, seed: int) -> dict[str, str]:
    """Return the record of a run's last job."""
    return slurm.jobs_of(f"finetune_wildcards_digits_{name}_random_{seed}")[-1]


def finish(study: Study, process: subprocess.Popen) -> str:
    process.wait(PATIENCE)
    assert process.returncode == 0, study.output()
    assert study.digests() == study.whole
    return study.output()


def test_the_study_runs_to_its_report(study):
    assert (study.folder / RESULTS / "report.zip").stat().st_size > 50_000
    assert (study.folder / RESULTS / "summary.md").stat().st_size > 500
    assert not list((study.folder / RESULTS / "state").rglob("*.safetensors"))
    code, output = study.run("--dry-run")
    assert code == 0
    assert "Nothing to be done" in output


def test_gpu_steps_ask_for_a_gpu_and_cpu_steps_for_none(slurm, study):
    for rule, number, memory in (("pretrain_backbone", 2, 8000), ("finetune", 4, 8000)):
        jobs = slurm.jobs_of(rule)
        assert len(jobs) == number
        for job in jobs:
            assert job["Partition"] == "gpu"
            assert job["TresPerJob"] == "gres:gpu:1"
            assert job["MinMemoryNode"] == f"{memory}M"
            assert job["JobState"] == "COMPLETED"
    for rule, number in (("index_dataset", 2), ("cache_images", 2), ("measure_", 16)):
        jobs = slurm.jobs_of(rule)
        assert len(jobs) == number
        assert {job["Partition"] for job in jobs} == {"cpu"}
        assert not any("TresPerJob" in job for job in jobs)


def test_what_takes_seconds_floods_no_cluster(slurm, study):
    """Four descriptions make one job; figures, tables and report none."""
    (described,) = slurm.jobs_of("describe")
    assert (described["NumCPUs"], described["MinMemoryNode"]) == ("4", "12000M")
    assert len(slurm.jobs()) == 2 + 4 + 2 + 2 + 16 + 1


def test_several_models_are_trained_at_once(slurm, study):
    jobs = slurm.jobs_of("finetune")
    assert any(overlap(one, other) for one, other in combinations(jobs, 2))


def test_the_plan_is_measured_on_a_gpu_and_counts_what_came(slurm, study):
    jobs = len(slurm.jobs())
    code, output = study.run("plan")
    assert code == 0, output
    (job,) = slurm.jobs_of("plan_study")
    assert (job["Partition"], job["TresPerJob"]) == ("gpu", "gres:gpu:1")
    places = [study.run_folder(*run) for run in RUNS]
    places += [study.folder / "logs/cluster" / rule for rule in ("finetune", "describe_samples")]
    files = sum(1 for place in places for _ in place.iterdir())
    assert re.search(rf"\b4 runs, .* in about {files} files", output)
    assert f"On a cluster: {jobs} jobs" in output


def test_faults_in_mid_training(slurm, study):
    """One job cancelled, one over its time limit, one process killed: the same command goes on."""
    finished = study.written(("vit", 1))
    study.forget(("resnet", 0), ("vit", 0), ("resnet", 1))
    before = len(slurm.jobs_of("finetune"))
    study.site(time_factor=1 / 24)  # ten minutes for a training job

    def overrun(job: dict[str, str]) -> None:
        trainer(study, "vit", 0).send_signal(signal.SIGSTOP)
        slurm.ask("scontrol", "update", f"JobId={job['JobId']}", "TimeLimit=1")

    process = study.start("runs")
    faults = {
        ("vit", 0): overrun,
        ("resnet", 0): lambda job: slurm.ask("scancel", job["JobId"]),
        ("resnet", 1): lambda _: trainer(study, "resnet", 1).kill(),
    }
    jobs = {}
    while faults:  # as the runs come to their second epoch
        run = study.wait_for_epoch(*faults)
        jobs[run] = job_of(slurm, *run)
        faults.pop(run)(jobs[run])
    overdue, cancelled, killed = (jobs[run] for run in (("vit", 0), ("resnet", 0), ("resnet", 1)))
    finish(study, process)
    states = {job["JobId"]: job["JobState"] for job in slurm.jobs()}
    assert states[overdue["JobId"]] == "TIMEOUT"
    assert states[cancelled["JobId"]] == "CANCELLED"
    assert states[killed["JobId"]] == "FAILED"
    for run in (("vit", 0), ("resnet", 0), ("resnet", 1)):
        assert "resuming after epoch" in study.log(*run)
    again = job_of(slurm, "vit", 0)
    assert (overdue["TimeLimit"], again["TimeLimit"]) == ("00:10:00", "00:20:00")
    assert (overdue["MinMemoryNode"], again["MinMemoryNode"]) == ("8000M", "16000M")
    assert study.written(("vit", 1)) == finished
    assert len(slurm.jobs_of("finetune")) == before + 6
    study.site(time_factor=1)


def test_a_node_goes_down_and_comes_back(slurm, study):
    finished = study.written(("resnet", 0), ("resnet", 1), ("vit", 1))
    study.forget(("vit", 0))
    study.site(gpu_option="gres")  # as some clusters want it
    process = study.start("runs")
    study.wait_for_epoch(("vit", 0))
    job = job_of(slurm, "vit", 0)
    number = job["JobId"]
    assert job["TresPerNode"] == "gres:gpu:1"
    assert "TresPerJob" not in job
    slurm.set_node("DOWN")
    wait_for(lambda: job_of(slurm, "vit", 0)["JobState"] != "RUNNING", "the job's end")
    slurm.set_node("RESUME")
    # Slurm lets two minutes pass before it starts a job again; the test waits for the old one's end.
    wait_for(lambda: not slurm.steps(), "the end of the lost job's steps")
    slurm.ask("scontrol", "update", f"JobId={number}", "StartTime=now")
    finish(study, process)
    again = job_of(slurm, "vit", 0)
    assert again["JobId"] == number
    assert int(again["Restarts"]) == 1
    assert "resuming after epoch" in study.log("vit", 0)
    assert study.written(("resnet", 0), ("resnet", 1), ("vit", 1)) == finished
    study.site(gpu_option="gpus")


def test_snakemake_is_killed_with_jobs_in_the_queue(slurm, study):
    finished = study.written(("resnet", 1))
    study.forget(("resnet", 0), ("vit", 0), ("vit", 1))
    process = study.start("runs")
    first = study.wait_for_epoch(("resnet", 0), ("vit", 0), ("vit", 1))
    trainer(study, *first).send_signal(signal.SIGSTOP)  # still unfinished when its Snakemake dies
    code, output = study.run("runs")
    assert code != 0
    assert f"a Snakemake (process {process.pid}) is at work in {study.folder}" in output
    process.kill()
    process.wait()
    queued = {job["JobId"] for job in slurm.jobs() if job["JobState"] in ("RUNNING", "PENDING")}
    frozen = job_of(slurm, *first)["JobId"]
    assert frozen in queued, "the jobs outlive their Snakemake"
    code, output = study.run("runs")
    assert code != 0
    assert "a killed Snakemake left its lock; run: python scripts/recover_lock.py" in output
    code, output = study.shell("python", "scripts/recover_lock.py")
    assert code == 0, output
    # Those that are not frozen may end by themselves before they are cancelled.
    cancelled = int(re.search(r"cancelled (\d+) Slurm job\(s\)", output)[1])
    assert 1 <= cancelled <= len(queued)
    assert job_of(slurm, *first)["JobState"] == "CANCELLED"
    assert not slurm.ask("squeue", "-h")
    code, output = study.run("runs")
    assert code == 0, output
    assert study.digests() == study.whole
    assert "resuming after epoch" in study.log(*first)
    assert study.written(("resnet", 1)) == finished


def test_a_full_disk(slurm, study):
    """The line says which file could not be written; with room again, the same command goes on."""
    study.forget(("resnet", 0))
    state = study.folder / RESULTS / "state"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", state], check=True)
    try:
        code, _ = study.run("runs", "--retries", "0")
        assert code != 0
        (line,) = study.log("resnet", 0).splitlines()[-1:]
        assert re.fullmatch(r"error: .*state/digits.*cannot be written \(.*No space left.*\)", line)
        subprocess.run(["mount", "-o", "remount,size=200m", state], check=True)
        code, output = study.run("runs")
        assert code == 0, output
        assert study.digests() == study.whole
    finally:
        subprocess.run(["umount", state], check=True)


def test_a_gpu_that_torch_does_not_see_is_one_line(slurm, study):
    target = "results/cuda/digits/runs/resnet/random/seed0/traces.parquet"
    pretrained = study.folder / "results/cuda/pretrained"
    other = ("--config", "study=cuda", "device=cuda", "--retries", "0")
    code, output = study.run(*other, target)
    assert code != 0
    assert not pretrained.exists() or not list(pretrained.rglob("*.safetensors"))
    assert re.search(r"error: device 'cuda' was asked for, but torch sees no GPU", output), output


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"cpu_partition": "fast"}, "cpu_partition: no partition is called 'fast'"),
        ({"gpu_partition": "no_gpu"}, "gpu_partition: 'no_gpu' has no GPU"),
        ({"account": "mine"}, "account: is 'mine', but this Slurm keeps no accounts"),
        ({"status": "sacct"}, "status: is sacct, but this Slurm keeps no accounts"),
        ({"max_hours": 2}, "max_hours: is 2, but partition 'cpu' allows 1 hours"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_site_that_does_not_fit_is_one_line(study, changes, line):
    text = (study.folder / "slurm/site.yaml").read_text()
    study.site(**changes)
    code, output = study.run("runs")
    (study.folder / "slurm/site.yaml").write_text(text)
    assert code == 1
    errors = [text for text in output.splitlines() if text.startswith("error: ")]
    assert errors and errors[0].startswith(f"error: slurm/site.yaml: {line}")
    assert "Building DAG" not in output


def test_no_slurm_is_one_line(study, tmp_path):
    for tool in ("which", "bash", "sh"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    code, output = study.run("runs", PATH=f"{Path(sys.executable).parent}:{tmp_path}")
    assert code == 1
    assert output.splitlines()[-1].startswith("error: there is no Slurm here")


def overlap(one: dict[str, str], other: dict[str, str]) -> bool:
    """Return whether two jobs ran at the same time."""
    spans = []
    for job in (one, other):
        if "Unknown" in (job["StartTime"], job["EndTime"]):
            return False
        spans.append([datetime.fromisoformat(job[key]) for key in ("StartTime", "EndTime")])
    return max(spans[0][0], spans[1][0]) < min(spans[0][1], spans[1][1])


def test_no_two_jobs_ever_wrote_the_same_files(slurm, study):
    """Comes last: of all jobs above, no two for the same wildcards ran at the same time."""
    jobs = [
        job for rule in ("finetune", "pretrain", "cache", "index") for job in slurm.jobs_of(rule)
    ]
    assert len(jobs) > 15
    for one, other in combinations(jobs, 2):
        assert one["Comment"] != other["Comment"] or not overlap(one, other), (one, other)
