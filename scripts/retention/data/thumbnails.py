"""Small pictures of samples, from the cache that training reads."""

import base64
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from retention.common.errors import UserError
from retention.data.image_cache import ImageCache

SIDE = 96  # pixels of a thumbnail's longer side
QUALITY = 82  # of JPEG: what is lost is not seen at this size


class Thumbnails:
    """Thumbnails of the images in a cache.

    side: pixels of the longer side; smaller images stay as they are.
    """

    def __init__(self, pixels: Path, layout: Path, side: int = SIDE) -> None:
        self._layout = layout
        self._cache = _cache_of(pixels, layout)
        self._side = side

    def image(self, sample_index: int, side: int | None = None) -> Image.Image:
        """Return a sample's thumbnail, RGB; side: pixels of the longer side, its own if left out.

        Raises `UserError` where the cache has no such image.
        """
        image = Image.fromarray(np.asarray(self._pixels(sample_index)))
        longer = side or self._side
        image.thumbnail((longer, longer), Image.Resampling.LANCZOS)
        return image

    def jpeg(self, sample_index: int) -> bytes:
        """Return a sample's thumbnail as a JPEG file; raise `UserError` where the cache has no such image."""
        stream = BytesIO()
        self.image(sample_index).save(stream, "JPEG", quality=QUALITY, optimize=True)
        return stream.getvalue()

    def uri(self, sample_index: int) -> str:
        """Return a sample's thumbnail as the address that an <img> takes, the file within it."""
        return f"data:image/jpeg;base64,{base64.b64encode(self.jpeg(sample_index)).decode()}"

    def _pixels(self, sample_index: int) -> np.ndarray:
        try:
            found = self._cache.image(sample_index)
        except (IndexError, ValueError):  # beyond the layout, beyond the pixels
            found = np.empty(0)
        if not found.size:
            raise UserError(
                f"{self._layout}: has no image of sample_index {sample_index}; give the cache of the images that the runs "
                "were trained on"
            )
        return found


def _cache_of(pixels: Path, layout: Path) -> ImageCache:
    try:
        return ImageCache(pixels, layout)
    except OSError as error:
        raise UserError(f"{pixels}: cannot be read ({error.strerror or error})") from error
    except (ValueError, EOFError) as error:
        raise UserError(
            f"{pixels}: holds no pixels of an image cache; expected pixels.npy, and layout.parquet after it"
        ) from error


def thumbnails_of(cache: Sequence[Path], side: int = SIDE) -> Thumbnails | None:
    """Return the thumbnails of a cache given by its pixels.npy and layout.parquet; None for no cache."""
    return Thumbnails(cache[0], cache[1], side) if cache else None
