"""Images on a node's own disk: training reads them at random, which a network's file system is slow at."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from retention.common.errors import UserError
from retention.common.files import atomic_path, remove_leftovers
from retention.common.yaml_files import read_stated
from retention.data.image_cache import require_cached
from retention.training.inputs import ImageFiles
from retention.training.progress import say

# Said by the workflow, and no option: where images are read from is no part of a job.
SCRATCH = "WORKFLOW_SCRATCH"
SPARE_BYTES = 10**9  # left free for others


def nearer(files: ImageFiles) -> ImageFiles:
    """Return the files with their pixels copied to the folder that WORKFLOW_SCRATCH names, where it names one.

    The name of the copy is the digest of what it holds, so that all runs of a user on a node share one. It is
    made by the first of them while others wait, held against pixels.yaml each time, and left there. `$NAME` in the folder is
    the node's. Where there is no room, or the folder can not be used, the files are returned as they are, with a line.
    """
    folder = os.path.expandvars(os.environ.get(SCRATCH, ""))
    if not folder or files.images is None:
        return files
    try:
        return replace(files, pixels=_copied(files, files.images, Path(folder)))
    except (OSError, UserError) as error:
        reason = getattr(error, "strerror", None) or error
        say(f"warning: scratch {folder}: {reason}; images are read from {files.pixels}")
        return files


def _copied(files: ImageFiles, images: Path, folder: Path) -> Path:
    if "$" in str(folder):
        raise UserError("this node has no such variable")
    digest = read_stated(images)["pixels"]["pieces_sha256"]
    copy = folder / f"retention-{os.getuid()}" / f"{digest[:16]}.npy"
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if copy.parent.stat().st_uid != os.getuid():
        raise UserError(f"{copy.parent} is somebody else's")
    with _alone(copy.with_suffix(".lock")):
        if not _is_whole(images, copy, files.layout):
            _require_room(copy.parent, files.pixels.stat().st_size)
            say(f"copying the images to {copy}")
            remove_leftovers(copy)
            with atomic_path(copy) as temporary:
                shutil.copyfile(files.pixels, temporary)
    require_cached(images, copy, files.layout)
    return copy


def _is_whole(images: Path, copy: Path, layout: Path) -> bool:
    try:
        require_cached(images, copy, layout)
    except UserError:
        return False
    return True


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise UserError(f"{free / 1e9:.1f} GB are free, the images take {needed / 1e9:.1f} GB")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, however it ends."""
    with open(path, "a", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
