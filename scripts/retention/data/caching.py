"""Writing a cache of images: each decoded once, its short side brought to one length."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from retention.common.digests import digest_file, digest_sparsely
from retention.common.errors import UserError
from retention.common.escapes import escaped
from retention.common.files import atomic_path
from retention.common.lists import listed, plural
from retention.common.notes import tell
from retention.common.options import complete
from retention.common.parquet_tables import write_parquet
from retention.data.decoding import attempted, decode
from retention.data.workers import in_order


def stored_shape(width: int, height: int, short_side: int, max_aspect: float) -> tuple[int, int]:
    """Return (width, height) with the short side brought to `short_side`.

    The aspect is kept, but for images longer than `max_aspect` short sides: these are squeezed to that.
    """
    scale, most = short_side / min(width, height), int(max_aspect * short_side)
    wide, high = (min(max(short_side, round(side * scale)), most) for side in (width, height))
    return wide, high


def write_cache(
    definition: Mapping, images: pd.DataFrame, size: int, workers: int, pixels: Path, layout: Path
) -> None:
    """Decode the images into the two files of a cache, by `workers` processes, a few in memory.

    Images that are squeezed are noted. Raises `UserError` naming images that cannot be decoded, the first ten.
    """
    max_aspect = complete("dataset", definition)["max_aspect"]
    _tell_of_squeezed(images, size, max_aspect)
    bad: list[str] = []
    places, offset = [], 0
    shrink = partial(_pixels, definition, size, max_aspect)
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
            raise UserError(listed(bad, "\n"))
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


def _tell_of_squeezed(images: pd.DataFrame, size: int, max_aspect: float) -> None:
    """Note the images that are longer than `max_aspect` short sides."""
    sides = images[["width", "height"]]
    thin = images[sides.max(axis=1) > max_aspect * sides.min(axis=1)]
    if len(thin):
        first = thin.iloc[0]
        shape = stored_shape(first["width"], first["height"], size, max_aspect)
        tell(
            f"{plural(len(thin), 'image')} with a long side of more than {max_aspect:g} short sides: stored squeezed to "
            f"that; the first is {first['sample_id']}, {first['width']} x {first['height']} pixels, stored as {shape[0]} x {shape[1]}"
        )


def _pixels(definition: Mapping, size: int, max_aspect: float, path: str) -> np.ndarray | str:
    image = attempted(decode, definition, path)
    if isinstance(image, str):
        return escaped(f"{path}: cannot be decoded ({image}); index the data set again")
    shape = stored_shape(*image.size, size, max_aspect)
    return np.asarray(image.resize(shape, Image.Resampling.BICUBIC))


def _header(length: int) -> bytes:
    """Return a .npy header (version 1.0) of fixed length for uint8 [length]."""
    fields = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({length},), }}"
    return b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + fields.ljust(117).encode() + b"\n"
