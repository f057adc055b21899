"""Any folder of class folders: <folder>/<class>/<image>, or of parts of them: <folder>/train/<class>/<image>."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.common.escapes import escaped
from retention.common.lists import counted, listed
from retention.common.notes import tell
from retention.common.options import complete
from retention.data.image_files import (
    SUFFIXES,
    Files,
    files_below,
    open_image,
    tell_of_beside,
    visible,
)
from retention.data.names import require_distinct
from retention.data.official import (
    level_of_parts,
    like_parts,
    part_of,
    parts_in_each,
    same_below,
    ways_of,
)

__all__ = ["open_image", "read_index"]


def read_index(definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """List the files below `definition["folder"]`; `sample_id` is the path below it.

    Files that may be images and are not read have a reason in the column `left_out`. Raises `UserError` for a class
    folder without any: its class would vanish; and for folders that are parts such as train and test only in part.
    """
    folder = Path(definition["folder"])
    if not folder.is_dir():
        raise UserError(f"{folder}: is not a folder; it should hold one folder per class")
    found = files_below(folder, complete("dataset", definition)["system_files"] == "read")
    ids = [name for name in found.images if "/" in name]
    known = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
    if not ids:
        raise UserError(
            f"{folder}: holds no image in a class folder (<class>/<image>){_kinds(found)}; known are {known}"
        )
    left_out = found.left_out | {
        name: "in no class folder" for name in found.images if "/" not in name
    }
    _require_filled(folder, {*ids, *left_out}, known)
    tell_of_beside(found)
    parted = complete("dataset", definition)["part_folders"]
    level = level_of_parts([*ids, *_of_lost_parts(ids, left_out)], folder) if parted else None
    if level is None:
        _require_classes(folder, ids)
        if parted:
            _tell_of_like_parts(folder, ids)
    _tell_of_same_below(folder, ids, level)
    names = pd.Series([*ids, *left_out])
    ways = names.map(ways_of(ids, names))
    classes = ways.map(lambda way: _folder(way, 1 if level == 0 else 0))
    inside = ~names.isin(left_out)
    require_distinct(classes[inside], definition, "class folder", folder)
    table = pd.DataFrame(
        {
            "sample_id": names,
            "path": [(folder / name).as_posix() for name in names],
            "class_name": classes,
            "group": names,
            "official_split": "" if level is None else ways.map(lambda way: _folder(way, level)),
        }
    )
    return table.assign(left_out=names.map(left_out).fillna("")) if left_out else table


def _folder(way: Sequence[str], level: int) -> str:
    """Return a folder on the way to a file, "" where there is none."""
    return way[level] if level < len(way) else ""


def _of_lost_parts(ids: Sequence[str], left_out: Iterable[str]) -> list[str]:
    """Return the files left out that lie in class folders of a part of which no image is read."""
    read = {name.split("/")[0] for name in ids}
    firsts = {name: name.split("/")[0] for name in left_out if name.count("/") > 1}
    return [name for name, first in firsts.items() if first not in read and part_of(first)]


def _require_classes(folder: Path, ids: Sequence[str]) -> None:
    """Raise `UserError` where all images lie in one folder, which holds others: as an archive unpacks."""
    only = Path(os.path.commonpath([os.path.dirname(name) for name in ids]))
    ways = [Path(name).relative_to(only).parts for name in ids]
    if only.parts and all(len(way) > 1 for way in ways):
        below = sorted({way[0] for way in ways})
        raise UserError(
            f"{folder}: holds one folder, {escaped(only.parts[0])}, so one class; classes may be the folders in {escaped(only.name)}, "
            f"{listed(below)}: write folder: {escaped((folder / only).as_posix())}"
        )


def _tell_of_like_parts(folder: Path, ids: Sequence[str]) -> None:
    """Note classes that may be parts, and folders in each class that are called like parts and make no split."""
    if names := like_parts({name.split("/")[0] for name in ids}):
        tell(
            f"{folder}: {listed(names)} are taken for classes; if they are parts of a split, sort their images into "
            "train/<class> and test/<class>"
        )
    if parts := parts_in_each({name.rpartition("/")[0] for name in ids}):
        tell(
            f"{folder}: each class holds folders called like parts ({listed(parts)}) that are not used; a split takes "
            "<class>/train and another part, and all images in them"
        )


def _tell_of_same_below(folder: Path, ids: Sequence[str], level: int | None) -> None:
    """Note folders that all classes hold: these may be the classes."""
    if same := same_below(ids, level):
        classes, below = map(listed, same)
        tell(
            f"{folder}: the classes are {classes}; the folders {below}, which each of them holds, are not; if they "
            "are meant, put the images into <class>/<image> folders or list them in a CSV"
        )


def _kinds(found: Files) -> str:
    """Return how many files there are of which kind, where there are any."""
    kinds = found.beside + Counter(found.left_out.values())
    if found.images:
        kinds["image directly in it"] = len(found.images)
    return f" but {counted(kinds)}" if kinds else ""


def _require_filled(folder: Path, names: set[str], known: str) -> None:
    """Raise `UserError` where a class folder holds neither an image nor what may be one."""
    filled = {name.split("/")[0] for name in names}
    with os.scandir(folder) as entries:
        folders = sorted(entry.name for entry in entries if entry.is_dir() and visible(entry.name))
    if empty := [name for name in folders if name not in filled]:
        raise UserError(
            f"{folder}: no image in {listed(empty)} (known are {known}); convert what is there, "
            "or move these folders elsewhere"
        )
