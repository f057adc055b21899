"""One process per run, which does not outlive the Snakemake that started it.

A SIGKILL of Snakemake leaves its children running; after `--unlock` two processes would write the
same files. So a run holds an operating-system lock, and watches the Snakemake above it.
"""

import ctypes
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from retention.common.errors import UserError

GRACE_SECONDS = 5.0
POLL_SECONDS = 1.0
PR_SET_PDEATHSIG = 1


class Stopped(SystemExit):
    """The process was asked to end."""

    code: int


@contextmanager
def exclusive(folder: str | Path, grace: float = GRACE_SECONDS) -> Iterator[None]:
    """Hold the lock of a run's state folder, made if need be.

    Waits `grace` seconds, in which an orphan notices that its Snakemake is gone. Raises
    `UserError` when another process keeps the lock. The system frees it however the process ends.
    """
    path = Path(folder) / "lock"
    until = time.monotonic() + grace
    while (handle := _try_lock(path)) is None:
        if time.monotonic() >= until:
            raise UserError(
                f"{path}: another process is already training this run; wait for it or end it"
            )
        time.sleep(0.2)
    try:
        yield
    finally:
        os.close(handle)


def _try_lock(path: Path) -> int | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The holder before may have removed the file on success: then this lock guards nothing.
        if path.exists() and os.fstat(handle).st_ino == path.stat().st_ino:
            return handle
    except BlockingIOError:
        pass
    except OSError as error:
        raise UserError(
            f"{path}: this file system has no locks ({error.strerror}), without which two jobs could "
            "train one run; put results/ on one that has (Lustre: mounted with -o flock)"
        ) from error
    os.close(handle)
    return None


@contextmanager
def orderly_end(progress: Callable[[], str]) -> Iterator[None]:
    """End on SIGTERM and SIGINT with one line, which `progress` completes, and exit code 128 + n.

    On the way out what is half-written is taken away, and an epoch that is being saved is saved. Then
    the process ends at once, or threads that are still reading images might complain below that line.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        raise Stopped(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except Stopped as stop:
        name = signal.Signals(stop.code - 128).name
        os.write(sys.stderr.fileno(), f"stopped by {name}; {progress()}\n".encode())
        os._exit(stop.code)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_snakemake() -> threading.Thread | None:
    """Watch, from a thread of its own, the nearest Snakemake above this process.

    When it or this process's parent is gone, the process gets SIGTERM, and ends the hard way if
    that takes over 20 seconds. Without a Snakemake above it, or without /proc, nothing is done:
    a run started by hand may outlive its shell.
    """
    ancestor = _snakemake_above(os.getpid())
    if ancestor is None:
        return None
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    parent = os.getppid()

    def watch() -> None:
        while _started(ancestor[0]) == ancestor[1] and os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(20)
        os._exit(128 + signal.SIGTERM)

    thread = threading.Thread(target=watch, name="end-with-snakemake", daemon=True)
    thread.start()
    return thread


def _snakemake_above(process: int) -> tuple[int, str] | None:
    """Return (process id, start time) of the nearest ancestor that runs Snakemake."""
    while process > 1:
        process = _parent(process)
        try:
            words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return None
        names = [os.path.basename(word) for word in words[:4]]
        if b"snakemake" in names or b"snakemake" in words[:4]:
            return process, _started(process)
    return None


def _status(process: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the command, which may itself hold spaces."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    fields = text.rpartition(")")[2].split()
    return [] if fields and fields[0] == "Z" else fields


def _parent(process: int) -> int:
    fields = _status(process)
    return int(fields[1]) if fields else 0


def _started(process: int) -> str:
    """Return when a living process started ("" for none): process ids are used again."""
    fields = _status(process)
    return fields[19] if fields else ""
