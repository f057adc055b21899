"""Words in the tables of the multiverse, for who makes them and who reads them."""

from collections.abc import Iterable

FAULT = "fault"  # the kind of a combination that has an error others could make
DIGITS = 9  # estimates that agree so far are one: they differ by rounding alone
SIGNIFICANT = 0.05  # a p below it counts
AT_ONCE = "all at once"  # the row of all reported numbers together
NOT_EVALUATED = "not evaluated"
GIVES = "gives such a number"  # the status of a combination that matches
BY_LOT = "degenerate: all"  # how the note of an overlap begins whose places are all given by lot
MARKS = {
    "combination",
    "share",
    "version",
    "here",
}  # columns that its tables have and those of findings have not


def is_of_multiverse(columns: Iterable[str]) -> bool:
    """Tell from its columns whether a table is one of the multiverse, which lie beside those of findings."""
    return bool(MARKS.intersection(columns))
