"""Any image file as upright RGB, in order and side by side."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from PIL import Image, ImageOps

from retention.common.errors import UserError
from retention.common.parts import load_part

BACKGROUND = (255, 255, 255)  # what shows through transparent pixels


def to_rgb(image: Image.Image) -> Image.Image:
    """Return any PIL image as upright RGB: transparency over white, 16 bits scaled to 8.

    Raises `ValueError` for pixels whose range cannot be known (floating point, over 16 bits).
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image)
        if image.mode == "F" or values.min() < 0 or values.max() > 65535:
            raise ValueError(
                "its pixels are no integers from 0 to 65535; convert it to 8 or 16 bits"
            )
        image = Image.fromarray(np.rint(values / 257).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        backdrop = Image.new("RGBA", image.size, (*BACKGROUND, 255))
        image = Image.alpha_composite(backdrop, image)
    return image.convert("RGB")


def decode(definition: Mapping, path: str) -> Image.Image:
    """Return an image of a data set as RGB; raises whatever its decoder does."""
    adapter = load_part("retention.data.adapters", definition["adapter"])
    with adapter.open_image(definition, path) as image:
        return to_rgb(image)


def decoded(definition: Mapping, path: str) -> Image.Image | str:
    """Return an image of a data set as RGB, or what is wrong with it.

    Damaged files lead decoders to any exception (Pillow's EXIF reader to TypeError). What is not
    the file's fault goes on: `UserError` of the data set, exhausted memory.
    """
    try:
        return decode(definition, path)
    except (UserError, MemoryError):
        raise
    except Exception as error:
        return " ".join(str(error).split()) or type(error).__name__


def inspect(definition: Mapping, path: str) -> tuple[int, int, str] | str:
    """Return (width, height, digest of the pixels), or what is wrong with the image."""
    image = decoded(definition, path)
    if isinstance(image, str):
        return image
    digest = hashlib.sha256(f"{image.size}".encode() + image.tobytes())
    return *image.size, digest.hexdigest()[:32]


def in_order(function: Callable, items: Sequence, workers: int) -> Iterator:
    """Yield function(item) of each item, by `workers` processes, few results waiting in memory."""
    if workers == 1:
        yield from map(function, items)
        return
    with ProcessPoolExecutor(workers) as pool:
        block = 64 * workers
        for start in range(0, len(items), block):
            yield from pool.map(function, items[start : start + block], chunksize=8)
