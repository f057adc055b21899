"""Which Snakemake is at work in a folder: said in one line, on every machine that shares the folder."""

import json
import re
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from retention.common.errors import UserError

LOCKS, PRESENCE = Path(".snakemake/locks"), Path(".snakemake/presence.json")
# With these options Snakemake tells or tidies, and runs no job.
HARMLESS = re.compile(
    r"-(?=.*[nhlvSD])[nhlvSDpkrFqR]+|--(dry-?run|unlock|nolock|lint|list|list-rules|summary|detailed-summary"
    r"|report|dag|rulegraph|filegraph|help|version|cleanup-metadata|conda-create-envs-only)"
)


def runs_jobs(arguments: Sequence[str]) -> bool:
    """Return whether a Snakemake with these arguments runs jobs, rather than to tell or to tidy."""
    return not any(HARMLESS.fullmatch(word) for word in arguments)


def locked(folder: Path) -> bool:
    """Return whether Snakemake's own lock lies in the folder."""
    return any((folder / LOCKS).glob("*"))


def record_presence(folder: Path) -> None:
    """Write down which process of which machine took the folder's lock: this one."""
    me = psutil.Process()
    content = {"machine": socket.gethostname(), "process": me.pid, "started": me.create_time()}
    (folder / PRESENCE).write_text(json.dumps(content), encoding="utf-8")


def require_writable(folder: Path) -> None:
    """Raise `UserError` when Snakemake could not keep its records in a folder: 64 KB must fit."""
    if not runs_jobs(sys.argv[1:]):
        return
    try:
        (folder / PRESENCE).parent.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=(folder / PRESENCE).parent) as stream:
            stream.write(bytes(1 << 16))
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be written ({error.strerror}); run where there is room"
        ) from error


def require_without_braces(clone: Path) -> None:
    """Raise `UserError` for a path of the sources in which Snakemake would look for wildcards."""
    if {"{", "}"} & {*clone.as_posix()}:
        raise UserError(
            f"{clone}: Snakemake takes braces in the path of a workflow for wildcards; move the clone to a "
            "path without { and }"
        )


def refuse_second(folder: Path) -> None:
    """Raise `UserError` when the folder is locked and the Snakemake of this process would run jobs."""
    if not locked(folder) or not runs_jobs(sys.argv[1:]):
        return
    owner = living_owner(folder)
    if owner:
        raise UserError(f"{owner} is at work in {folder}; {how_to_end(owner)}")
    raise UserError(
        f"{folder}: a killed Snakemake left its lock; run: python scripts/recover_lock.py"
    )


def how_to_end(owner: str) -> str:
    """Return what to do about a living owner, or one of which nothing here can tell."""
    if "machine" not in owner:
        return "wait for its end or stop it, then run again"
    return (
        "log in there and stop it (python scripts/recover_lock.py, if it was killed); where you can not "
        "log in, or it was restarted: python scripts/recover_lock.py --machine-is-gone"
    )


def living_owner(folder: Path) -> str | None:
    """Return in words which Snakemake holds the folder, `None` when it is dead.

    A process of another machine counts as living: nothing here can tell.
    """
    try:
        owner = json.loads((folder / PRESENCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        owner = None
    if owner and owner["machine"] != socket.gethostname():
        return f"a Snakemake of the machine {owner['machine']} (process {owner['process']})"
    if owner and _lives(owner["process"], owner["started"]):
        return f"a Snakemake (process {owner['process']})"
    running = living_snakemakes(folder)
    return f"a Snakemake (process {running[0]})" if running else None


def _lives(number: int, started: float) -> bool:
    """Return whether the process of this number is the one that began then: numbers are used again.

    Another user's process tells its start, but not in which folder it works.
    """
    try:
        process = psutil.Process(number)
        return number != psutil.Process().pid and abs(process.create_time() - started) < 1
    except psutil.Error:
        return False


def living_snakemakes(folder: Path) -> list[int]:
    """Return the process ids of this machine's main Snakemakes at work in `folder`, but for our own."""
    me = psutil.Process()
    own = {me.pid, *(parent.pid for parent in me.parents())}
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            # A job of a cluster is a Snakemake too: one that was started with --mode.
            main = (
                any(Path(word).name == "snakemake" for word in words[:3]) and "--mode" not in words
            )
            if main and process.pid not in own and Path(process.cwd()) == folder:
                found.append(process.pid)
        except psutil.Error:  # gone meanwhile, or another user's
            continue
    return found
