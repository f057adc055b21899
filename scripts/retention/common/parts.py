"""Named parts of a room: one module or one folder each, found by its name alone.

Nothing lists them: a part is there when its file is, and whoever uses one loads no other.
"""

from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from retention.common.errors import UserError
from retention.common.names import nearest

SOURCES = Path(__file__).parents[2]


def load_part(room: str, name: str, piece: str = "") -> ModuleType:
    """Import the part `name` of a room, such as `retention.data.adapters`, or one piece of the part.

    Raises `UserError` for a name that is no part's, with the names that there are and the nearest.
    """
    known = part_names(room)
    if name not in known:
        raise UserError(
            f"{room}: nothing is called {name!r}; known are {', '.join(known)}{nearest(name, known)}"
        )
    return import_module(".".join(filter(None, (room, name, piece))))


@cache  # images are decoded one by one, each by its adapter
def part_names(room: str) -> tuple[str, ...]:
    """Return the names of the modules and packages in a room's folder, sorted, importing none.

    What begins with an underscore is no part.
    """
    folder = SOURCES.joinpath(*room.split("."))
    modules = {path.stem for path in folder.glob("*.py")}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    return tuple(sorted(name for name in modules | packages if not name.startswith("_")))
