"""One Snakemake at a time works in a folder, and what a killed one left can be taken away."""

import json
import os
import socket
import subprocess
import sys

import psutil
from sources import ROOT, Workflow

from retention.commands import recover_lock
from retention.workflow import presence


def test_the_lock_of_another_machine_is_respected(clone: Workflow):
    (clone.folder / ".snakemake/locks").mkdir(parents=True)
    (clone.folder / ".snakemake/locks/0.input.lock").write_text("x\n")
    owner = '{"machine": "login2", "process": 17, "started": 0}'
    (clone.folder / presence.PRESENCE).write_text(owner)
    code, output = clone.snakemake("results/paper/config.yaml")
    assert code != 0
    assert "a Snakemake of the machine login2 (process 17) is at work in" in output
    assert "--unlock" not in output
    assert clone.planned("results/paper/config.yaml")


def test_a_living_owner_is_known_by_its_number_and_start(tmp_path):
    """Of another user's process nothing tells in which folder it works."""
    (tmp_path / ".snakemake").mkdir()
    with subprocess.Popen(["sleep", "60"], cwd="/") as process:
        owner = {"machine": socket.gethostname(), "process": process.pid}
        owner["started"] = psutil.Process(process.pid).create_time()
        (tmp_path / presence.PRESENCE).write_text(json.dumps(owner))
        assert presence.living_owner(tmp_path) == f"a Snakemake (process {process.pid})"
        owner["started"] -= 100  # the number was used again
        (tmp_path / presence.PRESENCE).write_text(json.dumps(owner))
        assert presence.living_owner(tmp_path) is None
        process.kill()


def test_a_lock_is_taken_away_whatever_the_configuration_says(tmp_path):
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.input.lock").write_text("x\n")
    (tmp_path / ".snakemake/slurm_logs").mkdir()
    (tmp_path / "config.yaml").write_text("nonsense: [")
    code, output = recover(tmp_path)
    assert code == 1
    assert "squeue" in output and "python scripts/recover_lock.py --no-jobs" in output
    assert presence.locked(tmp_path)
    assert recover(tmp_path, "--no-jobs") == (
        0,
        "removed the lock that a killed Snakemake had left\n",
    )
    assert not presence.locked(tmp_path)
    assert recover(tmp_path, "--no-jobs") == (0, f"no lock in {tmp_path}\n")


def test_jobs_that_end_by_themselves_are_not_said_to_be_cancelled(tmp_path, monkeypatch, capsys):
    """squeue is asked before the cancelling, and after it until nothing is left."""
    queue = [
        f"7|RUNNING|rule_finetune|{tmp_path}\n8|COMPLETING|rule_finetune|{tmp_path}\n"
        f"9|PENDING|rule_finetune|/elsewhere\n10|RUNNING|mine|{tmp_path}\n",
        f"8|COMPLETING|rule_finetune|{tmp_path}\n",
        "",
    ]
    asked = []

    def answer(name: str, *options: str) -> str:
        asked.append([name, *options])
        return queue.pop(0) if name == "squeue" else ""

    monkeypatch.setattr(recover_lock, "slurm", answer)
    monkeypatch.setattr(recover_lock.time, "sleep", lambda seconds: None)
    recover_lock.cancel_jobs(tmp_path)
    assert [command for command in asked if command[0] == "scancel"] == [["scancel", "7"]]
    assert "cancelled 1 Slurm job(s)" in capsys.readouterr().out
    assert queue == []


def recover(folder, *options: str) -> tuple[int, str]:
    """Run recover_lock.py where there is no Slurm."""
    command = [sys.executable, ROOT / "scripts/recover_lock.py", *options]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": ""}, text=True, capture_output=True
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr
