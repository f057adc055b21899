"""Take away the lock that a killed Snakemake left in this folder; refuse when one is at work."""

import argparse
import subprocess
from pathlib import Path

import psutil

from retention.common.errors import UserError, run_command


def main(argv=None):
    argparse.ArgumentParser(description=__doc__).parse_args(argv)
    if not any(Path(".snakemake/locks").glob("*")):
        return
    running = living_snakemakes(Path.cwd())
    if running:
        raise UserError(
            f"a Snakemake (process {running[0]}) is at work in {Path.cwd()}; "
            "wait for its end or stop it, then run again"
        )
    subprocess.run(["snakemake", "--unlock", "--quiet", "all"], check=True)
    print("removed the lock that a killed Snakemake had left")


def living_snakemakes(folder: Path) -> list[int]:
    """Return the process ids of Snakemake's main processes whose working directory is `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            is_snakemake = any(Path(part).name == "snakemake" for part in process.cmdline()[:3])
            if is_snakemake and Path(process.cwd()) == folder:
                found.append(process.pid)
        except psutil.Error:  # gone meanwhile, or another user's
            continue
    return found


if __name__ == "__main__":
    run_command(main)
