"""Values as the script of a page takes them: JSON that ends no element, and arrays as compressed text."""

import base64
import gzip
import json

import numpy as np

# In JSON these stand in strings alone, where an escape says the same.
ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def packed(array: np.ndarray) -> str:
    """Return an array's bytes, little-endian in C order, gzipped and in base64; equal arrays are equal text."""
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return base64.b64encode(gzip.compress(little.tobytes(), mtime=0)).decode("ascii")


def packed_bits(array: np.ndarray) -> str:
    """Return a bool array as `packed` bits in C order, the first in the lowest bit of a byte."""
    return packed(np.packbits(array.ravel(), bitorder="little"))


def as_json(value: object) -> str:
    """Return JSON for a `<script type="application/json">`: no name in it can end the element.

    Raises `ValueError` for NaN and infinities, which JSON has not: arrays are `packed`.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(ESCAPES)
