"""What decoding every image once tells: sizes, digests, and what a person should know of the pixels."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from PIL import Image

from retention.common.lists import counted, plural
from retention.data.decoding import attempted, on_white, opened, upright
from retention.data.depth import DEEP, DEEP_COLOUR, depth_of
from retention.data.levels import Levels, counts_of, levels_of, share_above

FAINT = 31  # an alpha that nowhere exceeds this leaves an image on white with an eighth of its contrast, at most
OPAQUE = 255
Range = tuple[int, int]  # lowest and highest value of a band of 8 bits


class Seen(NamedTuple):
    """One image: width and height upright, in pixels; what its file holds."""

    width: int
    height: int
    digest: str  # of the decoded pixels
    depth: str  # of depth_of
    levels: Levels | None  # of the values in the file, where these are integers as they stand
    above: float  # share of its values that exceed what the definition's `bits` allow
    plain: bool  # all pixels are of one colour
    alpha: int  # the highest of any pixel, 0 to 255
    see_through: bool  # whether alpha varies
    kind: str  # the file's format where it holds several frames, else ""


def inspect(definition: Mapping, path: str) -> Seen | str:
    """Return what is seen of an image, or what is wrong with it."""
    return attempted(_seen, definition, path)


def _seen(definition: Mapping, path: str) -> Seen:
    with opened(definition, path) as image:
        depth = depth_of(image)
        layered = upright(image, definition)
        pixels = on_white(layered)
        faintest, alpha = OPAQUE, OPAQUE
        if layered.mode == "RGBA":
            faintest, alpha = cast(Range, layered.getchannel("A").getextrema())
        digest = hashlib.sha256(f"{pixels.size}".encode() + pixels.tobytes()).hexdigest()[:32]
        extrema = cast(tuple[Range, ...], pixels.getextrema())  # of each band: it has three
        plain = all(low == high for low, high in extrema)
        levels, above = _levels(image, depth, definition.get("bits"))
        kind = _kind_of_several_frames(image)
        return Seen(
            *pixels.size, digest, depth, levels, above, plain, int(alpha), faintest < alpha, kind
        )


def _levels(image: Image.Image, depth: str, bits: int | None) -> tuple[Levels | None, float]:
    """Return the levels of a decoded image and which share of its values exceeds what `bits` allow."""
    if not depth:
        return None, 0.0
    counts, step = counts_of(image, depth)
    return levels_of(counts, step), share_above(counts, step, bits)


def _kind_of_several_frames(image: Image.Image) -> str:
    """Return the format of a file of several frames, "" for one; whatever is wrong with later frames.

    The further pictures in a camera's JPEG (MPO) are previews.
    """
    try:
        several = image.format != "MPO" and getattr(image, "n_frames", 1) > 1
    except Exception:  # a damaged later frame is no fault of the first
        return ""
    return str(image.format) if several else ""


def notes_on_pixels(seen: Sequence[Seen], paths: Sequence[str]) -> Iterator[str]:
    """Yield one sentence per thing about the pixels that their owner should know; paths: of `seen`."""
    yield from _on_transparency(seen, paths)
    plain = [path for one, path in zip(seen, paths, strict=True) if one.plain and one.alpha > FAINT]
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


def _on_transparency(seen: Sequence[Seen], paths: Sequence[str]) -> Iterator[str]:
    """Yield a sentence on images of which white is left alone, since they are transparent everywhere."""
    faint = [(one.alpha, path) for one, path in zip(seen, paths, strict=True) if one.alpha <= FAINT]
    if faint:
        most = max(alpha for alpha, _ in faint)
        reach = f"is at most {most} of {OPAQUE}" if most else "is 0"
        yield (
            f"{len(faint)} of {plural(len(seen), 'image')} are transparent everywhere and white or nearly so, since "
            f"transparency is laid on white: their alpha {reach}, the first is {faint[0][1]}; write alpha as 0 to "
            f"{OPAQUE}, or save the images without it"
        )
