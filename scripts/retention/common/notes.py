"""Notes: what a person should know of a data set, one sentence a line, in a file beside a job's outputs.

Whoever learns something tells it to the logger `retention.notes`; the command that runs collects it. So adapters
need no further argument, and those that know nothing of it work.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from retention.common.escapes import escaped
from retention.common.files import write_text

NOTES = "retention.notes"


def tell(line: str) -> None:
    """Let a person know one sentence of the data set that is being read; control characters in it become escapes."""
    logging.getLogger(NOTES).info("%s", line)


class _Kept(logging.Handler):
    """Keeps each note once, and prints it for the log."""

    def __init__(self, dataset: str, lines: list[str]) -> None:
        super().__init__()
        self.dataset, self.lines = dataset, lines

    def emit(self, record: logging.LogRecord) -> None:
        line = escaped(f"{self.dataset}: {record.getMessage()}")
        if line not in self.lines:
            self.lines.append(line)
            print(f"note: {line}")


@contextmanager
def collected(dataset: str) -> Iterator[list[str]]:
    """Yield a list that grows by the notes told meanwhile: `<dataset>: <sentence>`, each once."""
    lines: list[str] = []
    logger = logging.getLogger(NOTES)
    handler, level = _Kept(dataset, lines), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def write_notes(path: str | Path | None, lines: Sequence[str]) -> None:
    """Write notes as a text file, empty where there are none; nowhere without a path."""
    if path is not None:
        write_text(path, "".join(f"{line}\n" for line in lines))


def read_notes(path: str | Path) -> list[str]:
    """Return the notes in a file."""
    return Path(path).read_text(encoding="utf-8").splitlines()
