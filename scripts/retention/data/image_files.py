"""Files that hold one image each, as most data sets have them, told apart from other files."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from retention.common.errors import UserError
from retention.common.lists import counted, listed, plural
from retention.common.notes import tell
from retention.data.folders import walk
from retention.data.system_files import left_by_system, left_over

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm"}
# What people keep beside images; a file of another unknown kind may be an image.
NO_IMAGES = {
    *(".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg"),
    *(".md", ".rst", ".html", ".htm", ".css", ".js", ".pdf", ".doc", ".docx", ".odt", ".bib"),
    *(".xls", ".xlsx", ".ods", ".db", ".log", ".py", ".ipynb", ".sh", ".bat", ".m", ".r"),
    *(".url", ".lnk", ".xmp", ".aae", ".md5", ".sha256"),
}
ABSENT, A_FOLDER, IRREGULAR = "there is no such file", "is a folder", "no regular file"


def open_image(definition: Mapping, path: str) -> Image.Image:
    """Open an image file; a pipe, which would be waited for for ever, raises `ValueError`."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(IRREGULAR)
    return Image.open(path)


@dataclass
class Files:
    """Files below a folder, as paths from there with `/`.

    images: what has one of `SUFFIXES`. left_out: what may be an image and is not read, and why. beside: how many of
    what certainly is no image, by kind. no_utf8: what may be an image but that its name, or that of the first such
    folder, which stands here in its place, is no UTF-8.
    """

    images: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    beside: Counter[str] = field(default_factory=Counter)
    no_utf8: dict[str, None] = field(default_factory=dict)


def files_below(folder: Path, of_systems: bool = False) -> Files:
    """Return the files below a folder, links followed.

    of_systems: whether what systems leave is read, too; hidden files and folders are not. Raises `UserError` for a
    folder that can not be read, a link that leads back, names that are no UTF-8.
    """
    found = Files()

    def entered(name: str) -> bool:
        if kind := _hidden(name) if of_systems else _of_a_system(name):
            found.beside[kind] += 1
        return not kind

    for place, names in walk(folder, entered):
        below = Path(os.path.relpath(place, folder))
        for name in names:
            _sort(found, os.path.join(place, name), (below / name).as_posix(), of_systems)
    _require_utf8(folder, found.no_utf8)
    return found


def fault_of(path: str) -> str:
    """Return why there is no file at a path, links followed, "" where there is one."""
    if not os.path.exists(path):
        return ABSENT
    if os.path.isdir(path):
        return A_FOLDER
    return "" if os.path.isfile(path) else IRREGULAR


def visible(name: str) -> bool:
    """Return whether a file or folder of this name is neither hidden nor left by a system."""
    return not _of_a_system(name)


def tell_of_beside(found: Files) -> None:
    """Note what was passed over since it certainly is no image."""
    if number := found.beside.total():
        entries = plural(number, "entry that is no image is", "entries that are no images are")
        tell(f"{entries} passed over: {counted(found.beside)}")


def _sort(found: Files, path: str, below: str, of_systems: bool) -> None:
    """Put a file where it belongs; below: its path from the folder that is read."""
    suffix = os.path.splitext(path)[1].lower()
    name = os.path.basename(path)
    if kind := ("" if of_systems else left_over(name)) or _hidden(name):
        found.beside[kind] += 1
    elif suffix in NO_IMAGES:
        found.beside[suffix] += 1
    elif culprit := _no_utf8(below):
        found.no_utf8[culprit] = None
    elif reason := _reason(path, suffix):
        found.left_out[below] = reason
    else:
        found.images.append(below)


def _of_a_system(name: str) -> str:
    """Return what a file or folder is counted as that a system left or hides, "" for another."""
    return left_by_system(name) or _hidden(name)


def _hidden(name: str) -> str:
    return "hidden" if name.startswith(".") else ""


def _reason(path: str, suffix: str) -> str:
    """Return why a file is not read, "" for an image."""
    if not os.path.exists(path):
        return "broken link"
    if not os.path.isfile(path):
        return IRREGULAR
    if suffix not in SUFFIXES:
        return f"unknown kind {suffix}" if suffix else "no suffix"
    return ""


def _is_utf8(name: str) -> bool:
    try:
        os.fsencode(name).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _no_utf8(below: str) -> str:
    """Return the way to the first folder or file on a path whose name is no UTF-8, "" where there is none."""
    if _is_utf8(below):
        return ""
    names = below.split("/")
    ways = ("/".join(names[: number + 1]) for number in range(len(names)))
    return next(way for way in ways if not _is_utf8(way))


def _require_utf8(folder: Path, ways: Iterable[str]) -> None:
    """Raise `UserError` that shows the bytes of names that no table can hold; ways: to these from a folder."""
    paths = [os.path.join(folder, way) for way in ways]
    if not paths:
        return
    folders = sum(map(os.path.isdir, paths))
    numbers = {"folder": folders, "file": len(paths) - folders}
    kinds = [plural(number, kind) for kind, number in numbers.items() if number]
    raise UserError(
        f"{' and '.join(kinds)} with a name that is no UTF-8: {listed(map(repr, map(os.fsencode, paths)))}; rename "
        f"{'it' if len(paths) == 1 else 'them'} (convmv renames whole trees)"
    )
