"""Names in messages: those that a user may have mistyped, and lists of any length."""

import difflib
from collections.abc import Iterable

SHOWN = 10


def nearest(value: object, known: Iterable[str]) -> str:
    """Return `; did you mean …?` where a known name is near, else nothing."""
    found = difflib.get_close_matches(str(value), map(str, known), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def listed(names: Iterable[object], most: int = SHOWN) -> str:
    """Return `a, b, c`; of more than `most` names the first ones and the number of the others."""
    every = [str(name) for name in names]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
