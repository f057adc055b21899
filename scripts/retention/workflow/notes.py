"""The notes that a run's jobs wrote of their data sets, told on the terminal at its end."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from retention.common.notes import read_notes

NAME = "notes.txt"


def noted(results: str | Path, datasets: Iterable[str]) -> dict[Path, int]:
    """Return when each file of notes of a study's data sets was written, by path, in nanoseconds."""
    return {
        path: path.stat().st_mtime_ns
        for name in datasets
        for path in (
            Path("data/index", name, NAME),
            *sorted(Path("data/cache", name).glob(f"*/{NAME}")),
            Path(results, name, NAME),
        )
        if path.is_file()
    }


def new_notes(before: Mapping[Path, int], now: Mapping[Path, int]) -> Iterator[str]:
    """Yield, each once, the notes in files that were written since `before` (both of `noted`)."""
    written = (path for path, time in now.items() if before.get(path) != time)
    yield from dict.fromkeys(f"note: {line}" for path in written for line in read_notes(path))
