"""Functions compiled by numba, kept for the next process where there is a place to keep them."""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(**options: Any) -> Callable[[Callable], Any]:
    """Return a decorator that compiles a function as `numba.njit(nogil=True, **options)` does.

    numba keeps what it compiled beside the sources or in the user's cache folder. Where neither can be
    written, as in an image without a home, it refuses the function: that is compiled by each process then.
    """

    def decorate(function: Callable) -> Any:
        try:
            return njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:
            return njit(nogil=True, **options)(function)

    return decorate
