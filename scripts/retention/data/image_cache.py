"""Images decoded once: flat uint8 pixels in one memory-mapped file, and where each begins."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retention.common.digests import digest_file, digest_sparsely
from retention.common.errors import UserError
from retention.common.parquet_tables import read_parquet
from retention.common.yaml_files import read_stated


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


def require_cached(images: str | Path, pixels: str | Path, layout: str | Path) -> None:
    """Raise `UserError` unless a cache's two files are those that `images` (pixels.yaml) describes.

    Of the pixels, which may be larger than memory, the size is held against it and a digest of pieces.
    """
    stated = read_stated(images)
    try:
        size, pieces = (stated["pixels"][key] for key in ("bytes", "pieces_sha256"))
        whole = stated["layout"]["sha256"]
    except (TypeError, KeyError) as error:
        raise UserError(
            f"{images}: does not describe a cache of images; make it with scripts/cache_images.py --digest"
        ) from error
    checks = {
        pixels: lambda: Path(pixels).stat().st_size == size and digest_sparsely(pixels) == pieces,
        layout: lambda: digest_file(layout) == whole,
    }
    for path, is_cached in checks.items():
        try:
            found = is_cached()
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
        if not found:
            raise UserError(
                f"{path}: is not the file that was cached ({images}); make the cache anew"
            )
