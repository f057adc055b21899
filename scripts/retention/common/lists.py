"""Lists in messages: the first ten, and how many more there are."""

from collections.abc import Iterable, Mapping, Sequence

from retention.common.escapes import escaped

SHOWN = 10


def listed(names: Iterable[object], separator: str = ", ") -> str:
    """Return `a, b, c`, each `escaped`; of more than ten names the first ten and the number of the others."""
    every = [escaped(str(name)) for name in names]
    return separator.join(every[:SHOWN]) + and_more(every)


def and_more(names: Sequence[object]) -> str:
    """Return ` and 3 more` for what a list that is cut at ten leaves out, "" where it leaves out nothing."""
    return f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""


def first_lines(lines: Sequence[str], what: str = "faults", before: str = "") -> list[str]:
    """Return the first ten lines, and in place of the others one that says how many they are, `before` first."""
    left_out = and_more(lines).strip()
    return [*lines[:SHOWN], *([f"{before}{left_out} {what}".rstrip()] if left_out else [])]


def counted(numbers: Mapping[str, int]) -> str:
    """Return `a (3), b (1)`, the most frequent first."""
    ordered = sorted(numbers.items(), key=lambda entry: (-entry[1], entry[0]))
    return listed(f"{name} ({number})" for name, number in ordered)


def plural(number: int, one: str, several: str = "") -> str:
    """Return `1 image` or `3 images`."""
    return f"{number} {one if number == 1 else several or one + 's'}"
