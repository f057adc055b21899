"""Class probabilities of a run, an epoch after the other in one file of its state, which becomes its result.

Records that hold them beside the result would hold all of it twice: of ImageNet 2.6 GB an epoch.
"""

import hashlib
import io
import math
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from retention.common.errors import UserError
from retention.common.files import atomic_path

HEADER = 128  # bytes of numpy's header, whatever the shape, up to 10⁹ samples of 10⁹ classes
PIECE = 1 << 24  # bytes that are read at a time


def write_part(path: Path, part: int, values: np.ndarray) -> dict:
    """Write float16 [N, C] as the part with a number, from 0, of a file; return its `bytes` and `sha256`.

    Parts before it stay as they are. Raises `UserError` naming the file when the disk is full or refuses.
    """
    content = np.ascontiguousarray(values, dtype="<f2").reshape(-1).view(np.uint8).data
    _write_at(path, HEADER + part * len(content), content)
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def parts_of(path: Path, stated: Iterable[Mapping]) -> list[dict]:
    """Return what `write_part` would say of a file's parts, if they are as long as it stated; `OSError` where it is lacking."""
    found = []
    with open(path, "rb") as stream:
        stream.seek(HEADER)
        for part in stated:
            digest, left = hashlib.sha256(), part["bytes"]
            while piece := stream.read(min(left, PIECE)):
                digest.update(piece)
                left -= len(piece)
            found.append({"bytes": part["bytes"] - left, "sha256": digest.hexdigest()})
    return found


def give(path: Path, shape: tuple[int, int, int], output: str | Path) -> None:
    """Make of a file with all its parts the .npy file `output`, float16 [K, N, C].

    It is a second name of the same file where the file system can do that, and a copy elsewhere. So a process that
    is killed before the state is gone has lost nothing.
    """
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f2", "fortran_order": False, "shape": shape}
    )
    _write_at(path, 0, header.getvalue())
    os.truncate(path, HEADER + 2 * math.prod(shape))
    with atomic_path(output) as temporary:
        temporary.unlink()
        try:
            os.link(path, temporary)
        except OSError:
            shutil.copyfile(path, temporary)


def _write_at(path: Path, start: int, content: bytes | memoryview) -> None:
    try:
        # Neither "w", which empties the file, nor "a", which writes at its end alone.
        with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as stream:
            stream.seek(start)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
