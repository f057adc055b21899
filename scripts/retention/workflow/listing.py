"""What a user's own images are at the moment, so that added and removed ones are noticed."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path


def listing_of(definition: Mapping) -> str:
    """Return a digest of the files that a data set's `folder` or `table` names, "" for other sets.

    Names and sizes count, times do not: a copy of the folder is the same data set.
    """
    digest = hashlib.sha256()
    table = Path(definition.get("table", ""))
    if "table" in definition and table.is_file():
        digest.update(table.read_bytes())
    elif "folder" in definition:
        for name, size in sorted(_files(definition["folder"])):
            digest.update(f"{name}\0{size}\n".encode())
    else:
        return ""
    return digest.hexdigest()[:16]


def _files(folder: str) -> Iterator[tuple[str, int]]:
    for place, _, _ in os.walk(folder):
        with os.scandir(place) as entries:
            sizes = {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        for name, size in sizes.items():
            yield os.path.relpath(os.path.join(place, name), folder), size
