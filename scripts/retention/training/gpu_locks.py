"""A GPU for each job: taken by an operating-system lock, which ends with the process however it ends.

The locks are files of a folder that all processes of the machine share, of several Snakemakes and several
users. Nothing here imports torch: a GPU is taken before CUDA starts.
"""

import fcntl
import os
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EBADF, ENOENT
from pathlib import Path

from retention.common.errors import UserError

# Not tempfile.gettempdir(): two jobs with a TMPDIR each would not see each other's locks.
FOLDER = Path("/tmp/retention-gpus")
PATIENCE_HOURS = 24.0
POLL_SECONDS = 1.0


@contextmanager
def taken(
    gpus: Sequence[str],
    jobs_each: int = 1,
    folder: Path = FOLDER,
    patience_hours: float = PATIENCE_HOURS,
) -> Iterator[str]:
    """Hold a free place on one of the GPUs and yield its UUID; each GPU has places for `jobs_each` jobs.

    Waits where all are taken, and says so once. Raises `UserError` when none came free in time, and where
    the folder can hold no locks.
    """
    until = time.monotonic() + 3600 * patience_hours
    told = False
    while (found := _free(gpus, jobs_each, folder)) is None:
        if time.monotonic() >= until:
            raise UserError(
                f"{folder}: {_all(gpus)} taken by other jobs for {patience_hours:g} h; wait for them or end them, "
                "then run the same command"
            )
        if not told:
            print(f"{_all(gpus)} taken by other jobs; waiting for one", file=sys.stderr, flush=True)
            told = True
        time.sleep(POLL_SECONDS)
    gpu, handle = found
    try:
        yield gpu
    finally:
        os.close(handle)


def _all(gpus: Sequence[str]) -> str:
    return f"all {len(gpus)} GPUs are" if len(gpus) > 1 else "the GPU is"


def _free(gpus: Sequence[str], jobs_each: int, folder: Path) -> tuple[str, int] | None:
    """Return a GPU with a free place, empty GPUs before shared ones, and the handle that holds its lock."""
    for place in range(jobs_each):
        for gpu in gpus:
            path = folder / f"{gpu.replace('/', '_')}.{place}"  # older drivers: MIG-GPU-<UUID>/1/0
            if (handle := _try_lock(path)) is not None:
                return gpu, handle
    return None


def _try_lock(path: Path) -> int | None:
    try:
        _require_shared(path.parent)
        handle = _open(path)
        if _is_locked(handle, path):
            return handle
    except OSError as error:
        raise UserError(
            f"{path}: the lock of a GPU cannot be made ({error.strerror}); delete the folder {path.parent}, or "
            "choose a GPU yourself: CUDA_VISIBLE_DEVICES=0"
        ) from error
    os.close(handle)
    return None


def _is_locked(handle: int, path: Path) -> bool:
    """Lock an open file; return False where another process has it."""
    try:
        _lock(handle, path)
        # What cleans /tmp may have removed the file since it was opened: then this lock guards nothing.
        return os.fstat(handle).st_ino == path.stat().st_ino
    except (BlockingIOError, FileNotFoundError):
        return False


def _lock(handle: int, path: Path) -> None:
    """Lock an open file; `BlockingIOError` where another process has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno != EBADF:
            raise
        # NFS locks only what is open for writing.
        writable = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        os.dup2(writable, handle)
        os.close(writable)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _require_shared(folder: Path) -> None:
    """Make the folder as /tmp is: everybody may add a file, nobody may remove another's."""
    try:
        with _whatever_the_umask():
            folder.mkdir(0o1777)
    except FileExistsError:
        # A link to a folder is none: somebody else may have laid it.
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise


def _open(path: Path) -> int:
    """Open a lock file, made if need be.

    Reading suffices for a lock, so other users' files can stay theirs. Linux lets nobody open those with
    O_CREAT in a folder like /tmp (fs.protected_regular): so it is tried without first.
    """
    for _ in range(10):
        with suppress(FileNotFoundError):
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with suppress(FileExistsError), _whatever_the_umask():
            return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    raise FileNotFoundError(ENOENT, "it is removed again and again")


@contextmanager
def _whatever_the_umask() -> Iterator[None]:
    """Let files be made with their mode at once: another user may open them at once."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)
