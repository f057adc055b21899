"""Names that a user may have mistyped."""

import difflib
from collections.abc import Iterable


def nearest(value: object, known: Iterable[str]) -> str:
    """Return `; did you mean …?` where a known name is near, else nothing."""
    found = difflib.get_close_matches(str(value), map(str, known), n=1)
    return f"; did you mean {found[0]}?" if found else ""
