"""One function on many files, side by side; the file is named at which memory or a process is lost."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import islice

from retention.common.errors import UserError
from retention.common.escapes import escaped

BLOCK = 64  # items a process


def in_order(function: Callable, paths: Sequence[str], workers: int) -> Iterator:
    """Yield function(path) of each path, by `workers` processes, few results waiting in memory.

    Raises `UserError` that names the path at which memory ran out, or whose process was killed.
    """
    named = partial(_named, function)
    if workers == 1:
        yield from map(named, paths)
        return
    with ProcessPoolExecutor(workers) as pool:
        block = BLOCK * workers
        for start in range(0, len(paths), block):
            waiting = iter(paths[start : start + block])
            try:
                for result in pool.map(named, paths[start : start + block], chunksize=8):
                    next(waiting)
                    yield result
            except BrokenProcessPool as error:
                raise UserError(_killed(named, list(waiting), workers)) from error


def _named(function: Callable, path: str) -> object:
    try:
        return function(path)
    except MemoryError as error:
        raise UserError(
            f"{escaped(path)}: memory is exhausted while it is decoded; make the image smaller, or give the job more memory "
            "or fewer threads"
        ) from error


def _killed(named: Callable, paths: Sequence[str], workers: int) -> str:
    """Return which of the paths ends the process that reads it: each gets a process of its own."""
    suspects = list(islice(paths, BLOCK * workers))
    for path in suspects:
        try:
            with ProcessPoolExecutor(1) as pool:
                pool.submit(named, path).result()
        except BrokenProcessPool:
            return (
                f"{escaped(path)}: the process that decodes it is killed (for memory, mostly); make the image smaller or remove "
                "it, or give the job more memory"
            )
    return (
        f"{escaped(suspects[0])}: a process was killed at one of the {len(suspects)} images from here on, each of which can be "
        f"read alone; give the job more memory, or fewer than {workers} threads"
    )
