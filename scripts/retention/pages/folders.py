"""Folders of pages are written whole or not at all, and never over what somebody else put there."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retention.common.errors import UserError
from retention.common.lists import listed

OF_SNAKEMAKE = re.compile(r"\.snakemake_timestamp")


@contextmanager
def whole_folder(path: Path, ours: re.Pattern[str]) -> Iterator[Path]:
    """Yield an empty folder; put it in the place of `path` on success, delete it on failure.

    ours: what names in an earlier folder of the kind look like. Raises `UserError` where `path` holds others, is the
    folder that the command runs in, or can not be written.
    """
    _require_ours(path, ours)
    path = path.resolve()
    if Path.cwd().is_relative_to(path):
        raise UserError(f"--output: {path} is where the command runs; name a folder in it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    try:
        yield unfinished
        umask = os.umask(0)
        os.umask(umask)
        unfinished.chmod(0o777 & ~umask)
        if path.exists():
            shutil.rmtree(path)
        unfinished.rename(path)
    except OSError as error:
        if error.filename and not Path(error.filename).is_relative_to(path.parent):
            raise  # of a file that was read
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _require_ours(path: Path, ours: re.Pattern[str]) -> None:
    if path.exists() and not path.is_dir():
        raise UserError(f"--output: {path} is a file; name a folder")
    others = [
        name
        for name in (sorted(os.listdir(path)) if path.is_dir() else ())
        if not ours.fullmatch(name) and not OF_SNAKEMAKE.fullmatch(name)
    ]
    if others:
        raise UserError(
            f"--output: {path} holds {listed(others)}, which no earlier run of this command wrote; name a folder that "
            "is new or empty"
        )
