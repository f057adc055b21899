"""Files that hold one image each, as most data sets have them."""

from collections.abc import Mapping

from PIL import Image

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm"}


def open_image(definition: Mapping, path: str) -> Image.Image:
    """Open an image file."""
    return Image.open(path)
