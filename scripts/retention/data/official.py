"""Splits that come with the images: the names of parts, as people and data sets write them."""

import re
from collections.abc import Iterable
from pathlib import Path

from retention.common.errors import UserError
from retention.common.escapes import escaped
from retention.common.lists import listed

PARTS = {
    "train": ("train", "training", "trainval", "trainstandard"),
    "val": ("val", "valid", "validation", "dev", "eval", "evaluation"),
    "test": ("test", "testing", "holdout", "heldout"),
}
_PART = {word: part for part, words in PARTS.items() for word in words}
OLD_READING = "part_folders: false takes each for a class"


def part_of(word: str) -> str:
    """Return the part that a word means, `train`, `val` or `test`, "" for another word.

    Case, blanks, `_`, `-` and a "set" at the end are no matter: `Training_Set`, `held-out`.
    """
    return _PART.get(re.sub(r"[\s_-]", "", word.casefold()).removesuffix("set"), "")


def is_split(words: Iterable[str]) -> bool:
    """Return whether all words name parts, `train` and another one among them."""
    parts = {part_of(word) for word in words}
    return "" not in parts and "train" in parts and len(parts) > 1


def level_of_parts(ids: Iterable[str], folder: str | Path) -> int | None:
    """Return which folder on the way to each image is its part: 0, part/class/image, or 1, class/part/image.

    `None` where none is. ids: paths below `folder`. Raises `UserError` where folders are parts only by half: parts
    beside other folders, or without class folders. A class that is called `train` beside other classes is a class.
    """
    ways = {tuple(name.split("/")[:-1]) for name in ids}
    first = {way[0] for way in ways}
    named = {name for name in first if part_of(name)}
    deep = all(len(way) > 1 for way in ways if way[0] in named)
    if named and named == first:
        if not deep:
            raise UserError(
                f"{folder}: {listed(sorted(named))} are names of parts, and images lie directly in them; put those into "
                f"class folders (<part>/<class>/<image>), move them elsewhere, or {OLD_READING}"
            )
        if not is_split(named):
            raise UserError(
                f"{folder}: holds {listed(sorted(named))} and no other part; expected train beside val or test; write "
                f"folder: {escaped(Path(folder, min(named)).as_posix())}, which holds classes, or {OLD_READING}"
            )
        _require_shared_classes(ways, named, folder)
        return 0
    if named and _are_parts(ways, first, named):
        raise UserError(
            f"{folder}: holds parts ({listed(sorted(named))}) beside other folders with images ({listed(sorted(first - named))}); "
            f"move these elsewhere or into a part, or {OLD_READING}"
        )
    inner = {way[1] if len(way) > 1 else "" for way in ways}
    if is_split(inner) and len(first) == 1:
        (name,) = first
        raise UserError(
            f"{folder}: holds its parts ({listed(sorted(inner))}) one folder further down; write "
            f"folder: {escaped(Path(folder, name).as_posix())}"
        )
    return 1 if is_split(inner) else None


def same_below(ids: Iterable[str], level: int | None) -> tuple[list[str], list[str]] | None:
    """Return the classes and the folders in each, sorted, where several classes all hold the same several folders.

    Such a folder may be a class itself: site/class/image. level: as of `level_of_parts`, whose folders do not count.
    """
    below: dict[str, set[str]] = {}
    for name in ids:
        way = name.split("/")[:-1]
        if level is not None:
            del way[level]
        below.setdefault(way[0], set()).update(way[1:2])
    same = {tuple(sorted(names)) for names in below.values()}
    if len(below) < 2 or len(same) > 1:
        return None
    (names,) = same
    return (sorted(below), list(names)) if len(names) > 1 else None


def _require_shared_classes(
    ways: set[tuple[str, ...]], parts: set[str], folder: str | Path
) -> None:
    """Raise `UserError` for a part of which no folder is a class of train, such as train/cat beside test/images."""
    below = {part: {way[1] for way in ways if way[0] == part} for part in parts}
    trained = set().union(*(names for part, names in below.items() if part_of(part) == "train"))
    for part in sorted(parts):
        if not below[part] & trained:
            raise UserError(
                f"{folder}: {escaped(part)} holds {listed(sorted(below[part]))}, which is no class of train ({listed(sorted(trained))}); sort "
                f"its images into folders called as these, or move {escaped(part)} elsewhere"
            )


def _are_parts(ways: set[tuple[str, ...]], first: set[str], named: set[str]) -> bool:
    """Return whether folders with names of parts are parts, where there are other folders, too.

    They are where several hold folders of the same names, or one holds a folder that is called as one beside it.
    """
    below = [{way[1] for way in ways if way[0] == name and len(way) > 1} for name in named]
    return any(one & (first - named) for one in below) or (
        len(named) > 1 and all(below) and bool(set.intersection(*below))
    )
