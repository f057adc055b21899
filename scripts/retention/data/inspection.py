"""What decoding every image once tells: sizes, digests, and what a person should know of the pixels."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from PIL import Image

from retention.common.errors import UserError
from retention.common.lists import counted, plural
from retention.data.decoding import attempted, opened, to_rgb
from retention.data.depth import DEEP, DEEP_COLOUR, HIGHEST, SHALLOW, depth_of, highest_value

USUAL = (8, 10, 12, 14, 16)  # bits that cameras and scanners give
FEW = (1, 2, 4, 8)


class Seen(NamedTuple):
    """One image: width and height upright, in pixels; what its file holds."""

    width: int
    height: int
    digest: str  # of the decoded pixels
    depth: str  # of depth_of
    highest: int  # value in the file; of 16-bit colours the upper byte
    plain: bool  # all pixels are of one colour
    kind: str  # the file's format where it holds several frames, else ""


def inspect(definition: Mapping, path: str) -> Seen | str:
    """Return what is seen of an image, or what is wrong with it."""
    return attempted(_seen, definition, path)


def _seen(definition: Mapping, path: str) -> Seen:
    with opened(definition, path) as image:
        depth = depth_of(image)
        pixels = to_rgb(image, definition.get("bits"), depth)
        digest = hashlib.sha256(f"{pixels.size}".encode() + pixels.tobytes()).hexdigest()[:32]
        plain = all(low == high for low, high in pixels.getextrema())
        highest = highest_value(image) if depth else 0
        return Seen(*pixels.size, digest, depth, highest, plain, _kind_of_several_frames(image))


def _kind_of_several_frames(image: Image.Image) -> str:
    """Return the format of a file of several frames, "" for one; whatever is wrong with later frames.

    The further pictures in a camera's JPEG (MPO) are previews.
    """
    try:
        several = image.format != "MPO" and getattr(image, "n_frames", 1) > 1
    except Exception:  # a damaged later frame is no fault of the first
        return ""
    return str(image.format) if several else ""


def require_plausible_range(dataset: str, seen: Sequence[Seen]) -> None:
    """Raise `UserError` where the images of a kind use so little of its range that fewer bits are meant.

    Of all images together: one dark image says nothing. To be asked where the definition does not say `bits`.
    """
    highest: dict[str, int] = {}
    for one in seen:
        highest[one.depth or SHALLOW] = max(
            highest.get(one.depth or SHALLOW, 0), one.highest if one.depth else 255
        )
    for depth, whole, least, usual in (
        (DEEP, HIGHEST, HIGHEST // 2 + 1, USUAL),
        (DEEP_COLOUR, HIGHEST, HIGHEST // 2 + 1, USUAL),
        (SHALLOW, 255, 32, FEW),
    ):
        value = highest.get(depth, 0)
        if depth == DEEP_COLOUR:
            value = value * 256 + (255 if value else 0)  # the upper byte is known
        if 0 < value < least:
            bits = next(number for number in usual if value < 2**number)
            raise UserError(
                f"{dataset}: its {depth} images reach {value} of {whole}; say in dataset_definitions.{dataset} "
                f"how many bits are used: bits: {bits}, it seems, or bits: {usual[-1]} to keep them as they are"
            )


def notes_on_pixels(seen: Sequence[Seen], paths: Sequence[str]) -> Iterator[str]:
    """Yield one sentence per thing about the pixels that their owner should know; paths: of `seen`."""
    plain = [path for one, path in zip(seen, paths, strict=True) if one.plain]
    if len(plain) == len(seen):
        yield f"all {len(plain)} images are of one colour each, the first is {plain[0]}"
    elif plain:
        has = "image is" if len(plain) == 1 else "images are"
        yield f"{len(plain)} {has} of one colour only, the first is {plain[0]}"
    several = [path for one, path in zip(seen, paths, strict=True) if one.kind]
    if several:
        kinds = counted(Counter(one.kind for one in seen if one.kind))
        yield (
            f"{plural(len(several), 'file')} with several frames, {kinds}: the first frame alone is read; the first "
            f"such file is {several[0]}"
        )
    depths = Counter("16 bits" if one.depth in (DEEP, DEEP_COLOUR) else "8 bits" for one in seen)
    if len(depths) > 1:
        yield f"images of different depths stand side by side: {counted(depths)}"
