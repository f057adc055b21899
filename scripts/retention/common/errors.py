"""Errors a user can mend, reported in one line and without a traceback."""

import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper

from retention.common.escapes import escaped


class UserError(Exception):
    """Something the user can put right.

    The message says what is wrong, where (file, key, line or sample), what was expected and
    what to do; it is one line, or one line per fault where several are reported at once. As text it has escapes in
    place of other control characters; names that may hold a line break are to be `escaped` first.
    """

    def __str__(self) -> str:
        return escaped(super().__str__(), kept="\n")


def run_command(main: Callable[[Sequence[str] | None], None]) -> None:
    """Run a script's `main` on the command line; a `UserError` becomes `error: …`, exit code 1.

    Letters that the terminal's encoding lacks are printed as escapes.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        main(None)
    except UserError as error:
        for line in str(error).split("\n"):
            print(f"error: {line}", file=sys.stderr)
        raise SystemExit(1) from None
    except UnicodeEncodeError as error:
        encoding = sys.getfilesystemencoding()
        if encoding == "utf-8":
            raise
        print(
            f"error: a name has letters that the locale's encoding, {encoding}, can not pass on "
            f"({error.object!a:.80}); set PYTHONUTF8=1 before the command",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
