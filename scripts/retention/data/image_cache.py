"""Images decoded once: flat uint8 pixels in one memory-mapped file, and where each begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from retention.common.errors import UserError
from retention.common.storage import atomic_path, read_parquet, write_parquet
from retention.data.decoding import decoded, in_order


@dataclass(frozen=True)
class Places:
    """Where images lie in a cache's pixels: their first byte and their size."""

    offset: np.ndarray  # int64 [B]
    height: np.ndarray  # int32 [B], pixels
    width: np.ndarray  # int32 [B], pixels

    def __len__(self) -> int:
        return len(self.offset)

    def __getitem__(self, rows: slice | np.ndarray) -> "Places":
        return Places(self.offset[rows], self.height[rows], self.width[rows])


class ImageCache:
    """Read access to a cache: its pixels, uint8 [bytes], in the file, and where each image is."""

    def __init__(self, pixels: str | Path, layout: str | Path) -> None:
        self.pixels = np.load(pixels, mmap_mode="r")
        table = read_parquet(layout, ["sample_index", "offset", "height", "width"])
        self._count = len(table)
        # By sample_index; one without an image has no pixels.
        rows = np.zeros(int(table["sample_index"].max()) + 1, dtype=np.int64)
        rows[table["sample_index"]] = np.arange(1, len(table) + 1)
        first = {"offset": np.int64, "height": np.int32, "width": np.int32}
        columns = {name: np.r_[0, table[name]].astype(dtype) for name, dtype in first.items()}
        self._places = Places(**{name: column[rows] for name, column in columns.items()})

    def __len__(self) -> int:
        return self._count

    def places(self, indices: np.ndarray) -> Places:
        """Return where the samples `indices` (int [B]) lie."""
        return self._places[indices]

    def image(self, sample_index: int) -> np.ndarray:
        """Return one image, uint8 [H, W, 3], a view into the file."""
        place = self.places(np.array([sample_index]))
        height, width = int(place.height[0]), int(place.width[0])
        start = int(place.offset[0])
        return self.pixels[start : start + height * width * 3].reshape(height, width, 3)


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


def _pixels(definition: Mapping, size: int, path: str) -> np.ndarray | str:
    image = decoded(definition, path)
    if isinstance(image, str):
        return f"{path}: cannot be decoded ({image}); index the data set again"
    return np.asarray(image.resize(stored_shape(*image.size, size), Image.Resampling.BICUBIC))


def _header(length: int) -> bytes:
    """Return a .npy header (version 1.0) of fixed length for uint8 [length]."""
    fields = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({length},), }}"
    return b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + fields.ljust(117).encode() + b"\n"
