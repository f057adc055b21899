"""What a user's own images are at the moment, so that added and removed ones are noticed."""

import csv
import hashlib
import io
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from retention.data.folders import walk


def listing_of(definition: Mapping) -> str:
    """Return a digest of the files that a data set's `folder` or `table` names, "" for other sets.

    Names and sizes count, times do not: a copy of the folder is the same data set. So does the
    table itself. Links are followed.
    """
    digest = hashlib.sha256()
    table = Path(definition.get("table", ""))
    if "table" in definition and table.is_file():
        content = table.read_bytes()
        digest.update(content)
        for name, size in _named(content, table.parent) if table.suffix != ".parquet" else ():
            digest.update(f"{name}\0{size}\n".encode())
    elif "folder" not in definition:
        return ""
    if "folder" in definition:
        for name, size in sorted(_files(definition["folder"])):
            # the bytes of the name: they are the same in every locale
            digest.update(os.fsencode(name) + f"\0{size}\n".encode())
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
    """Yield names and sizes in bytes; indexing says what is wrong with a folder that is passed over here."""
    for place, names in walk(folder, fault=lambda line: None):
        for name in names:
            path = os.path.join(place, name)
            try:
                found = os.stat(path)
            except OSError:  # a broken link, or gone meanwhile
                continue
            if stat.S_ISREG(found.st_mode):
                yield os.path.relpath(path, folder), found.st_size
