"""Long lists in messages: the first ten, and how many there are."""

from collections.abc import Iterable, Mapping, Sequence

SHOWN = 10


def shown(names: Sequence[object], separator: str = ", ") -> str:
    """Return the first ten names in one line, and how many more there are."""
    more = len(names) - SHOWN
    listed = separator.join(map(str, names[:SHOWN]))
    return f"{listed}{separator.rstrip()} … and {more} more" if more > 0 else listed


def counted(numbers: Mapping[str, int]) -> str:
    """Return `a (3), b (1)`, the most frequent first."""
    ordered = sorted(numbers.items(), key=lambda entry: (-entry[1], entry[0]))
    return shown([f"{name} ({number})" for name, number in ordered])


def plural(number: int, one: str, several: str = "") -> str:
    """Return `1 image` or `3 images`."""
    return f"{number} {one if number == 1 else several or one + 's'}"


def listed(names: Iterable[object]) -> str:
    """Return names sorted, in one line, cut at ten."""
    return shown(sorted(map(str, names)))
