"""Names in messages: those that a user may have mistyped, and lists of any length."""

import difflib
from collections.abc import Iterable, Sequence

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


def first_lines(lines: Sequence[str], most: int = SHOWN) -> list[str]:
    """Return the first lines of a report, and in place of the others one that says how many they are."""
    if len(lines) <= most:
        return list(lines)
    return [*lines[:most], f"and {len(lines) - most} more faults"]
