"""Names and paths as words of a shell command, whatever letters they hold."""

from collections.abc import Iterable
from shlex import quote


def in_quotes(text: object) -> str:
    """Return a text in single quotes, as a word that the shell leaves as it is."""
    return "'" + str(text).replace("'", "'\"'\"'") + "'"


def braces(values: Iterable[object]) -> str:
    """Return values as a brace expression, which the shell expands to a word each, in their order.

    Of those that need no quotes each stays without: a job's parameters are what they were.
    """
    # A comma would end a word, and it is none of the letters that `quote` quotes.
    words = [in_quotes(value) if "," in str(value) else quote(str(value)) for value in values]
    return words[0] if len(words) == 1 else "{" + ",".join(words) + "}"
