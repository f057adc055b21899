"""Rooms whose modules are found by name: adapters, samplers, curves, findings, figures.

A room is a package; each module or package in it is a part, but for those whose names begin with `_`.
No table lists them, so adding one is adding a file, and changes nothing that does not use it.
"""

from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from retention.common.errors import UserError
from retention.common.names import nearest

SOURCES = Path(__file__).parents[2]


@cache  # images are decoded one by one, each by its adapter
def part_names(room: str) -> tuple[str, ...]:
    """Return the names of a room's parts, sorted, without importing them.

    room: the package's dotted name, such as "retention.findings".
    """
    folder = SOURCES.joinpath(*room.split("."))
    modules = {path.stem for path in folder.glob("*.py")}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    return tuple(sorted(name for name in modules | packages if not name.startswith("_")))


def load_part(room: str, name: str, piece: str = "") -> ModuleType:
    """Import a part of a room, or the module `piece` of it.

    Write `room` as a literal: the digest of a job's code (`workflow.code_version`) follows such calls.
    Raises `UserError` naming the known parts where there is none of this name.
    """
    known = part_names(room)
    if name not in known:
        raise UserError(
            f"{room}: there is no {name!r}; known are {', '.join(known)}{nearest(name, known)}"
        )
    return import_module(".".join(filter(None, (room, name, piece))))
