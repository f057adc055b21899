"""Any image file as upright RGB."""

import warnings
from collections.abc import Callable, Mapping
from typing import TypeVar

from PIL import Image, ImageOps

from retention.common.errors import UserError
from retention.common.options import complete
from retention.common.parts import load_part
from retention.data.depth import (
    AS_STORED,
    DEEP_COLOUR,
    depth_of,
    is_white_zero,
    of_deep_colour,
    of_deep_grey,
    of_few_bits,
)

BACKGROUND = (255, 255, 255)  # what shows through transparent pixels
Result = TypeVar("Result")


def to_rgb(image: Image.Image, definition: Mapping | None = None) -> Image.Image:
    """Return any PIL image, as it is opened, as upright RGB: transparency over white, 16 bits scaled to 8.

    Raises what `upright` does.
    """
    return on_white(upright(image, definition or {}))


def upright(image: Image.Image, definition: Mapping) -> Image.Image:
    """Return a PIL image upright, as RGB or, where it has transparency, as RGBA; 16 bits scaled to 8.

    definition: of the data set, of which `bits` and `white_is_zero` count. Raises `ValueError` for pixels whose range
    cannot be known (floating point, over 16 bits), or of which more bits are used, and for colours that can not be
    converted.
    """
    bits, depth = definition.get("bits"), depth_of(image)
    inverted = is_white_zero(image) and complete("dataset", definition)["white_is_zero"] == "invert"
    if depth == DEEP_COLOUR and bits is not None and bits < 16:
        image = of_deep_colour(image, bits)
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        image = of_deep_grey(image, bits, inverted)
    elif bits is not None and bits < 8 and depth != DEEP_COLOUR and image.mode in AS_STORED:
        image = of_few_bits(image, bits)
    if image.mode in ("LAB", "HSV"):
        raise ValueError(f"its colours are {image.mode}; convert it to RGB")
    see_through = "A" in image.getbands() or "transparency" in image.info
    return image.convert("RGBA" if see_through else "RGB")


def on_white(image: Image.Image) -> Image.Image:
    """Return an image of `upright` as RGB, laid on white where it is transparent."""
    if image.mode == "RGBA":
        backdrop = Image.new("RGBA", image.size, (*BACKGROUND, 255))
        image = Image.alpha_composite(backdrop, image)
    return image.convert("RGB")


def opened(definition: Mapping, path: str) -> Image.Image:
    """Return an image of a data set as its adapter opens it; raises whatever its decoder does."""
    return load_part("retention.data.adapters", definition["adapter"]).open_image(definition, path)


def decode(definition: Mapping, path: str) -> Image.Image:
    """Return an image of a data set as RGB; raises whatever its decoder does."""
    with opened(definition, path) as image:
        return to_rgb(image, definition)


def attempted(
    function: Callable[[Mapping, str], Result], definition: Mapping, path: str
) -> Result | str:
    """Return function(definition, path) of an image, or what is wrong with the image.

    Damaged files lead decoders to any exception (Pillow's EXIF reader to TypeError). What is not
    the file's fault goes on: `UserError` of the data set, exhausted memory. Pillow's own warnings are not printed:
    what matters of them is said in our words.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\b")
            return function(definition, path)
    except (UserError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        return f"{' '.join(str(error).split(',')[0].split())}; make it smaller than {most:.0f} million pixels"
    except Exception as error:
        return " ".join(str(error).split()) or type(error).__name__
