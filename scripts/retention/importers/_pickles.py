"""Pickles read without running what they name: plain containers, numbers and numpy's arrays alone."""

import io
import pickle
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from retention.common.errors import UserError


def _encode(text: str, encoding: str) -> bytes:
    """What protocols 0 to 2 call to write bytes, and nothing but that."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin1")


def _lists(*_: object) -> defaultdict:
    """A defaultdict whose factory, which may be any function, is dropped."""
    return defaultdict()


def _array(
    buffer: bytes, kind: np.dtype, shape: tuple, order: str, axes: tuple | None = None
) -> np.ndarray:
    """What protocol 5 calls to make an array of bytes."""
    array = np.frombuffer(buffer, dtype=kind)
    if order == "K" and axes is not None:
        return array.reshape(shape).transpose(axes)
    return array.reshape(shape, order="F" if order == "F" else "C")


# numpy's functions make arrays of bytes and numbers; with objects in them they hold what was read before.
_SCALAR: Any = np.int64(0).__reduce__()[0]
_ARRAY: Any = np.zeros(1).__reduce__()[0]
ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): np.dtype,
    ("numpy", "ndarray"): np.ndarray,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): _lists,
    ("_codecs", "encode"): _encode,
}
for _home in ("numpy.core.multiarray", "numpy._core.multiarray"):
    ALLOWED[_home, "scalar"], ALLOWED[_home, "_reconstruct"] = _SCALAR, _ARRAY
for _home in ("numpy.core.numeric", "numpy._core.numeric"):
    ALLOWED[_home, "_frombuffer"] = _array
BUILTINS = {"list": list, "dict": dict, "set": set, "int": int, "float": float}


class _Plain(pickle.Unpickler):
    """Finds what `ALLOWED` names, and refuses every other name before anything is called."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("builtins", "__builtin__") and name in BUILTINS:
            return BUILTINS[name]
        if (module, name) in ALLOWED:
            return ALLOWED[module, name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to something outside of it")


def read_pickle(path: Path) -> Any:
    """Return what a pickle holds; raise `UserError` where it is none, or holds more than numbers in containers.

    Text and bytes of Python 2 are read as latin1, as numpy's arrays need it.
    """
    try:
        return _Plain(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path}: is not read: {error}; a pickle may run any code, and only containers, numbers and numpy arrays "
            "are taken from one"
        ) from error
    except Exception as error:  # a broken pickle raises whatever it likes
        text = " ".join(str(error).split())[:100]
        raise UserError(f"{path}: is no whole pickle ({type(error).__name__}: {text})") from error
