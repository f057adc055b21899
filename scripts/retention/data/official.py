"""Splits that come with the images: the names of parts, as people and data sets write them."""

from collections.abc import Iterable
from pathlib import Path

from retention.common.errors import UserError
from retention.common.lists import listed

PARTS = {
    "train": ("train", "training", "trainval", "train-standard"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
_PART = {word: part for part, words in PARTS.items() for word in words}
OLD_READING = "part_folders: false takes each for a class"


def part_of(word: str) -> str:
    """Return the part that a word means, `train`, `val` or `test`, "" for another word."""
    return _PART.get(word.strip().casefold(), "")


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
                f"{folder}: {listed(named)} are names of parts, and images lie directly in them; put those into "
                f"class folders (<part>/<class>/<image>), move them elsewhere, or {OLD_READING}"
            )
        if not is_split(named):
            raise UserError(
                f"{folder}: holds {listed(named)} and no other part; expected train beside val or test; give the "
                f"folder with the classes itself, or {OLD_READING}"
            )
        return 0
    if named and _are_parts(ways, first, named):
        raise UserError(
            f"{folder}: holds parts ({listed(named)}) beside other folders with images ({listed(first - named)}); "
            f"move these elsewhere or into a part, or {OLD_READING}"
        )
    inner = {way[1] if len(way) > 1 else "" for way in ways}
    if is_split(inner) and len(first) == 1:
        (name,) = first
        raise UserError(
            f"{folder}: holds its parts ({listed(inner)}) one folder further down; give {Path(folder, name)} as its "
            f"folder, or {OLD_READING}"
        )
    return 1 if is_split(inner) else None


def _are_parts(ways: set[tuple[str, ...]], first: set[str], named: set[str]) -> bool:
    """Return whether folders with names of parts are parts, where there are other folders, too.

    They are where several hold folders of the same names, or one holds a folder that is called as one beside it.
    """
    below = [{way[1] for way in ways if way[0] == name and len(way) > 1} for name in named]
    return any(one & (first - named) for one in below) or (
        len(named) > 1 and all(below) and bool(set.intersection(*below))
    )
