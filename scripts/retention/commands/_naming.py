"""Commands whose first word is a name, of which each has options of its own."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from retention.common.errors import UserError
from retention.common.names import nearest


def name_first(
    argv: Sequence[str] | None, kind: str, known: Iterable[str], description: str
) -> tuple[str, list[str]]:
    """Return the name that a command line begins with, and what follows it.

    Without a name, or asked for help before it, prints the known names and ends the process. Raises
    `UserError` for a name that is none of them.
    """
    words, names = list(sys.argv[1:] if argv is None else argv), list(known)
    if not words or words[0] in ("-h", "--help"):
        parser = argparse.ArgumentParser(
            description=description,
            usage="%(prog)s NAME [options]",
            epilog=f"NAME is one of: {', '.join(names)}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.print_help(sys.stdout if words else sys.stderr)
        raise SystemExit(0 if words else 2)
    if words[0] not in names:
        raise UserError(
            f"{kind}: there is no {words[0]!r}; known are {', '.join(names)}{nearest(words[0], names)}"
        )
    return words[0], words[1:]


def program_of(name: str) -> str:
    """Return what a name's help calls the program: `measure_finding.py NAME`, `retention measure_finding NAME`."""
    return f"{Path(sys.argv[0]).name} {name}"
