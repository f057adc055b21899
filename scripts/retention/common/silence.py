"""Libraries that print what no option of theirs turns off."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def silenced() -> Iterator[None]:
    """Let nothing that compiled code prints meanwhile reach the standard output; what this process printed before does.

    Where there is no standard output to turn aside nothing happens.
    """
    try:
        kept = os.dup(1)
    except OSError:  # closed
        yield
        return
    _flush()
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        _flush()
        os.dup2(kept, 1)
        os.close(kept)


def _flush() -> None:
    """Write out what Python and the C library hold back."""
    with suppress(AttributeError, OSError, ValueError):
        sys.stdout.flush()
    with suppress(AttributeError, OSError, TypeError):  # no C library by that way
        ctypes.CDLL(None).fflush(None)
