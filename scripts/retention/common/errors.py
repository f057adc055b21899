"""Errors a user can mend, reported in one line and without a traceback."""

import os
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper


class UserError(Exception):
    """Something the user can put right.

    The message says what is wrong, where (file, key, line or sample), what was expected and
    what to do; it is one line, or one line per fault where several are reported at once.
    """


def begin_in_utf8() -> None:
    """Begin this process again in Python's UTF-8 mode where the locale has another encoding.

    Names, tables and file names are in any script. PYTHONUTF8=1 turns the mode on here and in workers. Where
    PYTHONIOENCODING asks for another encoding all the same, letters that it lacks are printed as escapes.
    """
    if sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode:
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, sys.orig_argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def run_command(main: Callable[[Sequence[str] | None], None]) -> None:
    """Run a script's `main` on the command line; a `UserError` becomes `error: …`, exit code 1."""
    begin_in_utf8()
    try:
        main(None)
    except UserError as error:
        for line in str(error).splitlines():
            print(f"error: {line}", file=sys.stderr)
        raise SystemExit(1) from None
