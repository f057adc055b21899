"""After a Snakemake was killed: cancel the cluster jobs it left, and take away its lock.

Refuses while a Snakemake is at work in this folder.
"""

import argparse
import getpass
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.workflow.presence import LOCKS, how_to_end, living_owner, locked

SUBMITTED = Path(".snakemake/slurm_logs")  # there once a job was sent to Slurm
PATIENCE_SECONDS = 180


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--machine-is-gone",
        action="store_true",
        help="the lock's owner ran on another machine, which is down or was restarted",
    )
    parser.add_argument(
        "--no-jobs",
        action="store_true",
        help="take away the lock alone, where Slurm can not be asked: the folder came from a cluster",
    )
    arguments = parser.parse_args(argv)
    folder = Path.cwd()
    if not (folder / "Snakefile").exists() and not (folder / ".snakemake").exists():
        raise UserError(f"{folder}: no Snakemake worked here; run this where you run snakemake")
    is_locked = locked(folder)
    owner = living_owner(folder) if is_locked else None
    if owner and not (arguments.machine_is_gone and "machine" in owner):
        raise UserError(f"{owner} is at work in {folder}; {how_to_end(owner)}")
    if SUBMITTED.is_dir() and not arguments.no_jobs:
        cancel_jobs(folder)
    if is_locked:
        # What `snakemake --unlock` does, which needs a configuration without faults for it.
        shutil.rmtree(folder / LOCKS)
        print("removed the lock that a killed Snakemake had left")
    else:
        print(f"no lock in {folder}")


def cancel_jobs(folder: Path) -> None:
    """Cancel the Slurm jobs that a Snakemake sent from `folder`, and wait until they have ended."""
    jobs = [job for job, state in jobs_of(folder).items() if state != "COMPLETING"]
    if jobs:
        slurm("scancel", *jobs)
    until = time.monotonic() + PATIENCE_SECONDS
    while left := jobs_of(folder):
        if time.monotonic() > until:
            raise UserError(
                f"Slurm jobs {listed(left)} do not end; see squeue --me, then run again"
            )
        time.sleep(1)
    if jobs:
        print(
            f"cancelled {len(jobs)} Slurm job(s) that no Snakemake watched; they resume when run again"
        )


def jobs_of(folder: Path) -> dict[str, str]:
    """Return the states, by id, of our Slurm jobs in the queue whose working directory is `folder`.

    One that is `COMPLETING` has ended by itself, and Slurm cleans up after it.
    """
    lines = slurm("squeue", "--noheader", f"--user={getpass.getuser()}", "--format=%i|%T|%k|%Z")
    split = (line.split("|", 3) for line in lines.splitlines())
    return {
        number: state
        for number, state, comment, place in split
        if comment.startswith("rule_") and Path(place.strip()).resolve() == folder.resolve()
    }


def slurm(*command: str) -> str:
    """Return what a Slurm command prints; `UserError` when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(
            f"Slurm does not answer: {command[0]} ({error}); run this on a login node, or, to take away "
            "the lock alone: python scripts/recover_lock.py --no-jobs"
        ) from error
    if done.returncode:
        raise UserError(f"Slurm does not answer: {command[0]} ({' '.join(done.stderr.split())})")
    return done.stdout
