"""Digests of values and of files, whole or of pieces."""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from retention.common.errors import UserError

LENGTH = 8  # bytes before the header of a safetensors file: how long it is


def digest_of(content: object) -> str:
    """Return the sha256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def digest_file(path: str | Path | None) -> str:
    """Return a file's sha256, "" for no file."""
    if not path:
        return ""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_sparsely(path: str | Path, pieces: int = 64, length: int = 1 << 16) -> str:
    """Return a digest of a large file's size and of evenly spaced pieces of it.

    A pixel cache can be larger than memory; its layout, digested whole, pins the rest of it.
    """
    size = Path(path).stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with open(path, "rb") as stream:
        for piece in range(pieces):
            stream.seek(max(size - length, 0) * piece // max(pieces - 1, 1))
            digest.update(stream.read(length))
    return digest.hexdigest()


def digest_weights(path: str | Path | None) -> str:
    """Return the sha256 of what weights are: of a safetensors file its tensors, else the whole file; "" for none.

    A file made again, by another version of a package say, may differ in its metadata alone.
    """
    if path and Path(path).suffix == ".safetensors":
        with suppress(UserError):  # loading it says what is wrong with it
            return digest_tensors(path)
    return digest_file(path)


def digest_tensors(path: str | Path) -> str:
    """Return the sha256 of the tensors of a safetensors file: names, types, shapes and values.

    The metadata beside them, such as versions and dates, are left out. The format: 8 bytes, the length of
    a JSON header, the header, the values. Raises `UserError` where the file is no such one.
    """
    with open(path, "rb") as stream:
        header = _header(stream, path)
        header.pop("__metadata__", None)
        digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _header(stream: BinaryIO, path: str | Path) -> dict:
    """Read the header of a safetensors file; a length that the file does not have is never read."""
    size = os.fstat(stream.fileno()).st_size
    length = int.from_bytes(stream.read(LENGTH), "little")
    if length <= size - LENGTH:
        try:
            header = json.loads(stream.read(length))
        except (ValueError, RecursionError):  # no text, no JSON
            header = None
        if isinstance(header, dict):
            return header
    raise UserError(f"{path}: is no whole safetensors file; fetch or make it anew")
