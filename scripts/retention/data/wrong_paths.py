"""Paths in a table at which there is no file: what is there in their place, and how they are to be written."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from retention.common.escapes import escaped
from retention.common.lists import SHOWN
from retention.data.image_files import SUFFIXES


def remedy(folder: Path, paths: Sequence[str]) -> str:
    """Return how paths from a table's folder that lead to no file are to be written, as far as the first ten tell."""
    for path in paths[:SHOWN]:
        if found := _of_one(folder, path):
            return found
    start = f"paths start at the table's folder, {folder}"
    if any(map(os.path.isfile, paths[:SHOWN])):
        return f"{start}, not where snakemake is run"
    return start


def _of_one(folder: Path, path: str) -> str:
    """Return how one path is to be written, "" where that is not known."""
    for suffix in sorted(SUFFIXES | {suffix.upper() for suffix in SUFFIXES}):
        if (folder / f"{path}{suffix}").is_file():
            return f"write them with their suffix, {suffix}"
    others = {
        "without blanks around them": path.strip(),
        "with / in place of \\": path.replace("\\", "/"),
        "without a / at the beginning": path.lstrip("/"),
    }
    for how, other in others.items():
        if other != path and (folder / other).is_file():
            return f"write them {how}"
    found = _alike(folder, path)
    return _respelled(path, found) if found else ""


def _alike(folder: Path, path: str) -> str:
    """Return the path to a file whose names differ in case or Unicode form alone, "" where there is none."""
    place = folder
    names: list[str] = []
    for name in Path(path).parts:
        if not os.path.lexists(place / name):
            wanted = _plain(name)
            try:
                near = sorted(other for other in os.listdir(place) if _plain(other) == wanted)
            except (OSError, ValueError):
                return ""
            if not near:
                return ""
            name = near[0]
        place, names = place / name, [*names, name]
    return os.path.join(*names) if names and place.is_file() else ""


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _respelled(path: str, found: str) -> str:
    """Return how to write a path so that it is spelled as its file; forms that look the same are shown by code points."""
    if path.casefold() == found.casefold():
        instead = f"{escaped(found)} in place of {escaped(path)}"
        return f"their files differ in upper and lower case: write {instead}"
    form: Literal["NFC", "NFD"]
    form = "NFD" if unicodedata.normalize("NFD", found) == found else "NFC"
    in_case = "" if unicodedata.normalize(form, path) == found else " and in upper and lower case"
    return (
        f"their files differ in Unicode form{in_case}: write {found!a} in place of {path!a}; "
        f"unicodedata.normalize({form!r}, path) of Python writes the form"
    )
