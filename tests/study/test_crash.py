"""Snakemake and a training process killed in mid-study, then the same command again."""

import glob
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from sources import TINY_STUDY

pytestmark = pytest.mark.slow
RUNS = "results/tiny/digits/runs"
TRAINED = (
    *TINY_STUDY,
    "--",
    "runs",
)  # what is made of the runs begins after the kill, in every study
PATIENCE = 120


def wait_for(condition, what):
    """Return the first true value of `condition()`."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE} s")


def trainers(folder: Path) -> list[psutil.Process]:
    """Return the living training processes that work in `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline()[:2])
            if "scripts/finetune.py" in line and Path(process.cwd()) == folder:
                found.append(process)
        except psutil.Error:
            continue
    return found


def recover(folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "scripts/recover_lock.py"]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True)


def digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of everything training writes that does not hold a time."""
    names = ("traces.parquet", "class_centroids.npy", "probabilities.npy", "weights.safetensors")
    files = [path for name in names for path in sorted((folder / RUNS).rglob(name))]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_a_killed_study_ends_with_the_same_results(finished, clone):
    folder = clone.folder
    for name in ("results", "data", ".snakemake"):
        shutil.copytree(finished.folder / name, folder / name, copy_function=shutil.copy2)
    shutil.rmtree(folder / "results/tiny/digits")
    (folder / "results/tiny/report.zip").unlink()
    snakemake = subprocess.Popen(
        clone.command(*TRAINED), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    state = folder / "results/tiny/state"
    try:
        wait_for(
            lambda: glob.glob(f"{state}/**/epoch_000003.json", recursive=True), "the third epoch"
        )
        refusal = recover(folder)
        assert refusal.returncode != 0
        assert f"a Snakemake (process {snakemake.pid}) is at work" in refusal.stderr
        assert len(refusal.stderr.strip().splitlines()) == 1
    finally:
        snakemake.kill()
        snakemake.wait()
    alive = trainers(folder)
    if alive:
        alive[0].send_signal(signal.SIGKILL)
    # The other ones lose their Snakemake, notice it and end by themselves.
    wait_for(lambda: not trainers(folder), "the end of orphaned trainers")
    assert list(state.rglob("epoch_*.json")), "the state must outlive its process"
    code, output = clone.snakemake(*TRAINED)
    assert code != 0
    assert "lock" in output.lower()
    recovered = recover(folder)
    assert recovered.returncode == 0, recovered.stderr
    assert "removed the lock" in recovered.stdout
    code, output = clone.snakemake(*TRAINED)
    assert code == 0, output
    logs = "".join(path.read_text() for path in (folder / "logs/tiny/finetune").glob("*.log"))
    assert "resuming after epoch" in logs
    assert digests(folder) == digests(finished.folder)
    assert len(digests(folder)) == 4 * 4
    assert not list(state.rglob("*.safetensors"))
