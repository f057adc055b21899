"""Writing a cache of images: each decoded once, its short side brought to one length."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from retention.common.digests import digest_file, digest_sparsely
from retention.common.errors import UserError
from retention.common.files import atomic_path
from retention.common.parquet_tables import write_parquet
from retention.data.decoding import decoded, in_order


def stored_shape(width: int, height: int, short_side: int) -> tuple[int, int]:
    """Return (width, height) with the short side brought to `short_side`, aspect kept."""
    scale = short_side / min(width, height)
    return max(short_side, round(width * scale)), max(short_side, round(height * scale))


def write_cache(
    definition: Mapping, images: pd.DataFrame, size: int, workers: int, pixels: Path, layout: Path
) -> None:
    """Decode the images into the two files of a cache, by `workers` processes, a few in memory.

    Raises `UserError` naming every image that cannot be decoded.
    """
    bad: list[str] = []
    places, offset = [], 0
    shrink = partial(_pixels, definition, size)
    found = in_order(shrink, images["path"].tolist(), workers)
    with atomic_path(pixels) as temporary, open(temporary, "r+b") as stream:
        stream.write(_header(0))
        for index, result in zip(images["sample_index"], found, strict=True):
            if isinstance(result, str):
                bad.append(result)
                continue
            stream.write(result.tobytes())
            places.append((index, offset, result.shape[0], result.shape[1]))
            offset += result.size
        if bad:
            raise UserError("\n".join(bad))
        stream.seek(0)
        stream.write(_header(offset))
    table = pd.DataFrame(places, columns=["sample_index", "offset", "height", "width"])
    dtypes = {"sample_index": "int32", "offset": "int64", "height": "int32", "width": "int32"}
    write_parquet(layout, table.astype(dtypes))


def digests_of(pixels: Path, layout: Path) -> dict[str, dict]:
    """Return what tells the two files of a cache from all others (pixels.yaml): sizes and digests.

    A reader of pixels that may be larger than memory holds only pieces of them against it.
    """
    return {
        "pixels": {
            "bytes": pixels.stat().st_size,
            "sha256": digest_file(pixels),
            "pieces_sha256": digest_sparsely(pixels),
        },
        "layout": {"sha256": digest_file(layout)},
    }


def _pixels(definition: Mapping, size: int, path: str) -> np.ndarray | str:
    image = decoded(definition, path)
    if isinstance(image, str):
        return f"{path}: cannot be decoded ({image}); index the data set again"
    return np.asarray(image.resize(stored_shape(*image.size, size), Image.Resampling.BICUBIC))


def _header(length: int) -> bytes:
    """Return a .npy header (version 1.0) of fixed length for uint8 [length]."""
    fields = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({length},), }}"
    return b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + fields.ljust(117).encode() + b"\n"
