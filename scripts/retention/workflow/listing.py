"""What a user's own images are at the moment, so that added and removed ones are noticed."""

import csv
import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path


def listing_of(definition: Mapping) -> str:
    """Return a digest of the files that a data set's `folder` or `table` names, "" for other sets.

    Names and sizes count, times do not: a copy of the folder is the same data set. So does the
    table itself.
    """
    digest = hashlib.sha256()
    table = Path(definition.get("table", ""))
    if "table" in definition and table.is_file():
        content = table.read_bytes()
        digest.update(content)
        for name, size in _named(content, table.parent):
            digest.update(f"{name}\0{size}\n".encode())
    elif "folder" in definition:
        for name, size in sorted(_files(definition["folder"])):
            digest.update(f"{name}\0{size}\n".encode())
    else:
        return ""
    return digest.hexdigest()[:16]


def _named(content: bytes, folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the paths in a table and their sizes in bytes, 0 where there is no such file."""
    text = io.StringIO(content.decode("utf-8-sig", "replace"), newline="")
    try:
        for row in csv.DictReader(text):
            name = row.get("path") or ""
            try:
                yield name, os.stat(folder / name).st_size if name else 0
            except (OSError, ValueError):  # not there, or no path at all
                yield name, 0
    except csv.Error:
        return  # indexing says what is wrong with the table


def _files(folder: str) -> Iterator[tuple[str, int]]:
    for place, _, _ in os.walk(folder):
        with os.scandir(place) as entries:
            sizes = {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        for name, size in sizes.items():
            yield os.path.relpath(os.path.join(place, name), folder), size
