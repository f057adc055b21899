"""Walking through folders of images: links are followed, and what can not be entered is said."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from retention.common.errors import UserError
from retention.common.escapes import escaped


def refused(line: str) -> None:
    """Raise `UserError` with the line."""
    raise UserError(line)


def every(name: str) -> bool:
    """Return that a folder of any name is entered."""
    return True


def walk(
    folder: str | Path,
    entered: Callable[[str], bool] = every,
    fault: Callable[[str], None] = refused,
) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder from `folder` on, and the sorted names in it of what is no folder.

    entered: which folders, by their names. fault: called with a line for each folder that can not be read and each
    link that leads back to where it lies; where it returns, that folder is passed over.
    """
    top = os.path.normpath(folder)

    def unreadable(error: OSError) -> None:
        place = escaped(os.fsdecode(error.filename))
        fault(f"{place}: cannot be read ({error.strerror}); allow it, or move it elsewhere")

    for place, folders, names in os.walk(top, followlinks=True, onerror=unreadable):
        kept = []
        for name in filter(entered, sorted(folders)):
            path = os.path.join(place, name)
            if os.path.islink(path) and _leads_back(path, place, top):
                target = escaped(os.path.realpath(path))
                fault(f"{escaped(path)}: is a link to {target}, which holds it; remove it")
            else:
                kept.append(name)
        folders[:] = kept
        yield place, sorted(names)


def _leads_back(link: str, place: str, top: str) -> bool:
    """Return whether a linked folder holds one of the folders on the way from `top` to it."""
    target = os.path.realpath(link)
    while True:
        if os.path.commonpath([os.path.realpath(place), target]) == target:
            return True
        if place == top:
            return False
        place = os.path.dirname(place)
