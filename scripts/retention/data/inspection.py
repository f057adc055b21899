"""What decoding every image once tells: sizes, digests, and what a person should know of the pixels."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from PIL import Image

from retention.common.errors import UserError
from retention.common.lists import counted, listed, plural
from retention.data.decoding import attempted, opened, to_rgb
from retention.data.depth import (
    DEEP,
    DEEP_COLOUR,
    HIGHEST,
    SHALLOW,
    USUAL,
    depth_of,
    highest_value,
)

FEW = (1, 2, 4, 8)
LOW = (HIGHEST + 1) // 8  # what 13 bits do not reach


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
            bits = _bits_for(value, usual)
            raise UserError(
                f"{dataset}: its {depth} images reach {value} of {whole}; say in dataset_definitions.{dataset} "
                f"how many bits are used: bits: {bits}, it seems, or bits: {usual[-1]} to keep them as they are"
            )


def _bits_for(value: int, usual: Sequence[int]) -> int:
    """Return how many bits a highest value seems to be of: usual ones, but for the whole range; else as it needs."""
    return next((bits for bits in usual[:-1] if value < 2**bits), value.bit_length())


def notes_on_range(seen: Sequence[Seen], classes: Sequence[str]) -> Iterator[str]:
    """Yield a sentence where most deep images stay in a small part of their range, though a few bright ones do not.

    And one where those of some classes alone do, by which these could be told. classes: of `seen`. To be asked where
    the definition does not say `bits`.
    """
    reached = [
        (one.highest * 256 + 255 if one.depth == DEEP_COLOUR else one.highest, name)
        for one, name in zip(seen, classes, strict=True)
        if one.depth in (DEEP, DEEP_COLOUR)
    ]
    low = [value for value, _ in reached if value < LOW]
    if len(reached) > len(low) > len(reached) / 2:
        bits = _bits_for(max(low), USUAL)
        yield (
            f"{len(low)} of {len(reached)} 16-bit images never exceed {max(low)}: are they of {bits} bits? Then say bits: "
            f"{bits}, and mend the others, which reach {max(value for value, _ in reached)}"
        )
    highest: dict[str, int] = {}
    for value, name in reached:
        highest[name] = max(highest.get(name, 0), value)
    dark = sorted(name for name, value in highest.items() if value < LOW)
    if 0 < len(dark) < len(highest):
        yield (
            f"16-bit images of class {listed(dark)} never exceed {max(highest[name] for name in dark)}, those of others "
            f"reach {max(highest.values())}: the range alone tells these classes apart; bring all to one range"
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
