"""Delete what unfinished runs and pretrainings left to resume from, except that of runs still going on."""

import argparse
import fcntl
import shutil
from collections.abc import Sequence
from itertools import chain
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    arguments = parser.parse_args(argv)
    removed = 0
    folders = [
        arguments.state.glob(f"*/*/{place}") for place in ("*/seed*", "pretraining/backbone")
    ]
    for folder in sorted(chain(*folders)):
        if in_use(folder):
            print(f"{folder}: kept, a run holds its lock")
        else:
            shutil.rmtree(folder)
            removed += 1
    print(f"{arguments.state}: removed the state of {removed} unfinished run(s)")


def in_use(folder: Path) -> bool:
    """Return whether a living process holds the lock of a state folder."""
    for lock in folder.glob("*lock*"):
        with open(lock, "a") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False
