"""After a Snakemake was killed: cancel the cluster jobs it left, and take away its lock.

Refuses while a Snakemake is at work in this folder.
"""

import argparse
import getpass
import subprocess
import time
from pathlib import Path

from retention.common.errors import UserError, run_command
from retention.workflow.presence import living_owner, locked

SUBMITTED = Path(".snakemake/slurm_logs")  # there once a job was sent to Slurm
PATIENCE_SECONDS = 180


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--machine-is-gone",
        action="store_true",
        help="the lock's owner ran on another machine, which is down or was restarted",
    )
    arguments = parser.parse_args(argv)
    folder = Path.cwd()
    is_locked = locked(folder)
    owner = living_owner(folder) if is_locked else None
    if owner and not (arguments.machine_is_gone and "machine" in owner):
        elsewhere = (
            "; stop it there, or, if that machine is down, run: "
            "python scripts/recover_lock.py --machine-is-gone"
        )
        raise UserError(
            f"{owner} is at work in {folder}"
            + (elsewhere if "machine" in owner else "; wait for its end or stop it, then run again")
        )
    if SUBMITTED.is_dir():
        cancel_jobs(folder)
    if is_locked:
        subprocess.run(["snakemake", "--unlock", "--quiet", "all"], check=True)
        print("removed the lock that a killed Snakemake had left")


def cancel_jobs(folder: Path) -> None:
    """Cancel the Slurm jobs that a Snakemake sent from `folder`, and wait until they have ended."""
    jobs = jobs_of(folder)
    if not jobs:
        return
    slurm("scancel", *jobs)
    until = time.monotonic() + PATIENCE_SECONDS
    while jobs_of(folder):
        if time.monotonic() > until:
            raise UserError(
                f"Slurm jobs {' '.join(jobs)} do not end; see squeue --me, then run again"
            )
        time.sleep(1)
    print(
        f"cancelled {len(jobs)} Slurm job(s) that no Snakemake watched; they resume when run again"
    )


def jobs_of(folder: Path) -> list[str]:
    """Return the ids of our queued and running Slurm jobs whose working directory is `folder`."""
    lines = slurm("squeue", "--noheader", f"--user={getpass.getuser()}", "--format=%i|%k|%Z")
    split = (line.split("|", 2) for line in lines.splitlines())
    return [
        number
        for number, comment, place in split
        if comment.startswith("rule_") and Path(place.strip()).resolve() == folder.resolve()
    ]


def slurm(*command: str) -> str:
    """Return what a Slurm command prints; `UserError` when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"Slurm does not answer: {command[0]} ({error})") from error
    if done.returncode:
        raise UserError(f"Slurm does not answer: {command[0]} ({' '.join(done.stderr.split())})")
    return done.stdout


if __name__ == "__main__":
    run_command(main)
