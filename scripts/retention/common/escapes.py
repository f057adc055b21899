"""Names as they can be printed: what would move a terminal's cursor or forge a line is shown as an escape."""

import re

# Control characters, separators of lines and paragraphs, and marks that turn the direction of all that follows.
UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def escaped(text: str, kept: str = "") -> str:
    """Return a text with its control characters as Python writes them (`\\x1b`, `\\n`), but for those in `kept`."""
    return UNPRINTED.sub(
        lambda match: match[0] if match[0] in kept else ascii(match[0])[1:-1], text
    )
