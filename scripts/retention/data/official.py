"""Splits that come with the images: the names of parts, as people and data sets write them."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from retention.common.errors import UserError
from retention.common.escapes import escaped
from retention.common.lists import listed

PARTS = {
    "train": ("train", "training", "trainval", "trainstandard", "trn"),
    "val": ("val", "valid", "validation", "dev", "eval", "evaluation"),
    "test": ("test", "testing", "holdout", "heldout", "tst"),
}
_PART = {word: part for part, words in PARTS.items() for word in words}
# What people write around the name of a part: seg_train, train2017, 01_train, train_32x32, Training Images.
_AROUND = r"(?:sets?|data(?:sets?)?|images?|imgs?|pics?|pictures?|photos?|seg|splits?|parts?|stage|v\d++|\d++(?:x\d++)?)*+"
_NAME = re.compile(f"{_AROUND}({'|'.join(sorted(_PART, key=len, reverse=True))}){_AROUND}")
_WORDS = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+")
OLD_READING = "part_folders: false takes each for a class"


def plain_part_of(word: str) -> str:
    """Return the part that a word means where nothing is beside it but a "set" at the end: `Training_Set`, `held-out`."""
    return _PART.get(re.sub(r"[\s_-]", "", word.casefold()).removesuffix("set"), "")


def part_of(word: str) -> str:
    """Return the part that a word means, `train`, `val` or `test`, "" for another word.

    Case, blanks, `_`, `-`, `.` and brackets are no matter, nor are numbers and words for data around it: `train2017`,
    `01_train`, `Training Images`. With any other word it is none: `test_tube`.
    """
    plain = plain_part_of(word)
    found = None if plain else _NAME.fullmatch(re.sub(r"[\s_.()-]", "", word.casefold()))
    return _PART[found.group(1)] if found else plain


def is_split(words: Iterable[str]) -> bool:
    """Return whether all words name parts, `train` and another one among them."""
    parts = {part_of(word) for word in words}
    return "" not in parts and "train" in parts and len(parts) > 1


def side_by_side(ways: Iterable[Sequence[str]]) -> list[str]:
    """Return the folders, sorted, that are parts since train and another part lie side by side in one folder.

    ways: the folders on the way to each image, the first one first.
    """
    beside: dict[tuple[str, ...], set[str]] = {}
    for way in {tuple(way) for way in ways}:
        for level, name in enumerate(way):
            if part_of(name):
                beside.setdefault(way[:level], set()).add(name)
    return sorted(
        "/".join((*place, name))
        for place, names in beside.items()
        if is_split(names)
        for name in names
    )


def like_parts(names: Iterable[str]) -> list[str]:
    """Return names, sorted, that are parts but for a word that several of them share: `train_cats`, `test_cats`."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for name in names:
        words = [word.casefold() for word in _WORDS.findall(name)]
        parts = [_PART[word] for word in words if word in _PART]
        if len(parts) == 1 and not part_of(name):
            found.setdefault(tuple(w for w in words if w not in _PART), {})[name] = parts[0]
    return sorted(
        name
        for alike in found.values()
        if "train" in alike.values() and len({*alike.values()}) > 1
        for name in alike
    )


def parts_in_each(folders: Iterable[str]) -> list[str]:
    """Return the names of parts, sorted, that folders in each of several classes have. folders: those of all images."""
    below: dict[str, set[str]] = {}
    for name in folders:
        first, _, rest = name.partition("/")
        below.setdefault(first, set()).add(rest.partition("/")[0])
    shared = set.intersection(*below.values()) if len(below) > 1 else set()
    return sorted(name for name in shared if plain_part_of(name))


def ways_of(ids: Iterable[str], names: Iterable[str] | None = None) -> dict[str, tuple[str, ...]]:
    """Return the folders on the way to each of the names, by default to each image, the first one first.

    ids: paths of all images. A folder that holds nothing but one folder of the same name is looked through.
    """
    ids = [*ids]
    below: dict[tuple[str, ...], set[str]] = {}
    for name in ids:
        way = (*name.split("/")[:-1], "")
        for level in range(1, len(way)):
            below.setdefault(way[:level], set()).add(way[level])
    wrappers = {way for way, inner in below.items() if inner == {way[-1]}}
    return {name: _way(name, wrappers) for name in (ids if names is None else names)}


def _way(name: str, wrappers: set[tuple[str, ...]]) -> tuple[str, ...]:
    way = tuple(name.split("/")[:-1])
    kept = (folder for level, folder in enumerate(way, 1) if way[:level] not in wrappers)
    return tuple(kept) or way[-1:]


def level_of_parts(ids: Iterable[str], folder: str | Path) -> int | None:
    """Return which of the folders on the way to each image (`ways_of`) is its part.

    0 is part/class/image; 1 and more are class/part/image, class/session/part/image. `None` where none is. ids: paths
    below `folder`. Raises `UserError` where folders are parts only by half: parts beside other folders, or without
    class folders. A class that is called `train` beside other classes is a class.
    """
    ids = [*ids]
    ways = {*ways_of(ids).values()}
    first = {way[0] for way in ways}
    named = {name for name in first if part_of(name)}
    if not is_split(named):  # "Test 1" alone is a class
        named = {name for name in named if plain_part_of(name)}
    if named and named == first:
        _require_whole_split(ways, named, folder)
        return 0
    if named and _are_parts(ways, first, named):
        raise UserError(
            f"{folder}: holds parts ({listed(sorted(named))}) beside other folders with images ({listed(sorted(first - named))}); "
            f"move these elsewhere or into a part, or {OLD_READING}"
        )
    if len(first) > 1:
        return _level_in_classes(ways, folder)
    if is_split(inner := {way[1] if len(way) > 1 else "" for way in ways}):
        place = os.path.commonpath([os.path.dirname(name) for name in ids])
        raise UserError(
            f"{folder}: holds its parts ({listed(sorted(inner))}) one folder further down; write "
            f"folder: {escaped(Path(folder, place).as_posix())}"
        )
    return None


def _level_in_classes(ways: set[tuple[str, ...]], folder: str | Path) -> int | None:
    """Return at which level of class folders the parts are, `None` where they hold none."""
    for level in range(1, max(map(len, ways))):
        if is_split({way[level] if level < len(way) else "" for way in ways}):
            return level
    parts = [name for name in side_by_side(ways) if "/" in name]
    if not parts:
        return None
    places = {"/".join(way) + "/" for way in ways}
    lacking = sorted(
        place[:-1] for place in places if not any(place.startswith(f"{part}/") for part in parts)
    )
    others = (
        f"beside folders whose images have none ({listed(lacking)})"
        if lacking
        else "at different depths"
    )
    raise UserError(
        f"{folder}: classes hold parts ({listed(parts)}) {others}; put all images into <class>/<part> folders, or "
        "part_folders: false takes these for folders within classes"
    )


def same_below(ids: Iterable[str], level: int | None) -> tuple[list[str], list[str]] | None:
    """Return the classes and the folders in each, sorted, where several classes all hold the same several folders.

    Such a folder may be a class itself: site/class/image. level: as of `level_of_parts`, whose folders do not count.
    """
    below: dict[str, set[str]] = {}
    for folders in {*ways_of(ids).values()}:
        way = [*folders]
        if level is not None:
            del way[level]
        below.setdefault(way[0], set()).update(way[1:2])
    same = {tuple(sorted(names)) for names in below.values()}
    if len(below) < 2 or len(same) > 1:
        return None
    (names,) = same
    return (sorted(below), list(names)) if len(names) > 1 else None


def _require_whole_split(ways: set[tuple[str, ...]], named: set[str], folder: str | Path) -> None:
    """Raise `UserError` where first folders that are parts hold no class folders, or make no split."""
    if any(len(way) == 1 for way in ways):
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
