"""Arrays of any library as numpy's: torch, jax, tensorflow, cupy, lists."""

from operator import index
from typing import Any

import numpy as np

from retention.common.errors import UserError


def as_array(values: Any, what: str) -> np.ndarray:
    """Return numbers of any library as a numpy array on the CPU; numpy's own is not copied.

    what: how a message names them. Raises `UserError` where they are no numbers.
    """
    if hasattr(values, "detach"):  # torch: off the graph and the device; numpy has no bfloat16
        values = values.detach()
        values = (values.float() if values.is_floating_point() else values).cpu()
    if isinstance(values, np.ma.MaskedArray) and (hidden := int(np.ma.count_masked(values))):
        raise UserError(
            f"{what}: {hidden} are masked; leave their samples out, or give them values"
        )
    try:
        array = np.asarray(values)
    except Exception as error:  # each library says so with an error of its own
        array = _by_dlpack(values, what, error)
    if array.dtype.kind in "biuf":
        return array
    try:
        if array.dtype.kind == "V":  # bfloat16 and its like, of ml_dtypes
            return array.astype(np.float32)
    except (TypeError, ValueError):
        pass
    raise UserError(
        f"{what}: are of type {array.dtype}; expected numbers of numpy, torch, jax or tensorflow"
    )


def _by_dlpack(values: Any, what: str, error: Exception) -> np.ndarray:
    """Ask the library to hand its values over on the CPU."""
    try:
        return np.from_dlpack(values, device="cpu")
    except (AttributeError, TypeError, ValueError, BufferError, RuntimeError):
        text = " ".join(str(error).split())[:200]
        raise UserError(
            f"{what}: can not be read as an array ({text}); bring them to the CPU as numpy's"
        ) from error


def as_whole_number(value: Any, what: str) -> int:
    """Return one whole number of any library, 2.0 too; raise `UserError` where it is none."""
    try:
        return index(value)
    except TypeError:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        shown = " ".join(repr(value).split())[:60]
        raise UserError(f"{what}: is {shown}; expected a whole number") from None


def as_whole_numbers(values: Any, what: str) -> np.ndarray:
    """Return whole numbers as int64 [B]; raise `UserError` where they are none, or no row of numbers."""
    array = as_array(values, what)
    if array.ndim == 0:
        array = array[None]
    if array.ndim != 1:
        raise UserError(f"{what}: have the shape {list(array.shape)}; expected one dimension")
    if array.dtype.kind == "b" or (array.dtype.kind == "f" and not (array % 1 == 0).all()):
        raise UserError(f"{what}: are of type {array.dtype}; expected whole numbers")
    return array.astype(np.int64)
