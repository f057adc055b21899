"""Crops resized with antialiasing on the CPU: filters widen with the reduction, as Pillow's do.

Bilinear blends rows, then columns, in float32 and rounds once, half up; Pillow's and torchvision's
bytes differ by one level at most. Bicubic takes Pillow's own steps: each row, then the columns, in integers,
rounded and cut off at 0 and 255 after each. Pillow 13 takes columns first for some crops higher than wide;
that shows at sharp edges, where the filter overshoots.
"""

import numpy as np

from retention.common.compiled import compiled
from retention.data.image_cache import Places

COLOURS = 3
FRACTION = 22  # bits of a bicubic weight behind the point, as Pillow's
USUAL_TAPS = 3  # what a reduction by up to a third needs; a loop of known length is quick


def resize_crops(
    pixels: np.ndarray,
    places: Places,
    boxes: np.ndarray,
    flip: np.ndarray,
    table: np.ndarray,
    out: np.ndarray,
    interpolation: str = "bilinear",
) -> None:
    """Crop images, resize them into `out`, mirror some. Releases the interpreter's lock.

    pixels: uint8 [bytes], images [H, W, 3] one after the other. boxes: int32 [B, 4], top, left,
    height, width in pixels. flip: bool [B]. table: [3, 256], what a byte of each colour becomes
    in `out`. out: [B, 3, S, S] of the table's dtype, any strides. interpolation: bilinear or bicubic.
    """
    kernel = {"bilinear": _bilinear_crops, "bicubic": _bicubic_crops}[interpolation]
    kernel(pixels, places.offset, places.width, boxes, flip, table, out)


@compiled()
def _bilinear_crops(
    pixels: np.ndarray,
    offset: np.ndarray,
    width: np.ndarray,
    boxes: np.ndarray,
    flip: np.ndarray,
    table: np.ndarray,
    out: np.ndarray,
) -> None:
    size = out.shape[2]
    for b in range(len(offset)):
        top, left, box_height, box_width = boxes[b]
        first_row, row_weight = _triangle_taps(box_height, size)
        first_column, column_weight = _triangle_taps(box_width, size)
        starts = np.empty(size, np.uint64)  # unsigned indices are quick
        weights = np.empty_like(column_weight)
        for x in range(size):
            source = size - 1 - x if flip[b] else x
            starts[x] = first_column[source] * COLOURS
            weights[:, x] = column_weight[:, source]
        # Zeros on the right, where taps of weight zero look.
        row = np.zeros((box_width + len(weights)) * COLOURS, np.float32)
        for y in range(size):
            start = offset[b] + ((top + first_row[y]) * width[b] + left) * COLOURS
            _blend_rows(pixels, start, width[b] * COLOURS, row_weight[:, y], row, box_width)
            _blend_columns(row, starts, weights, table, out[b, :, y])


@compiled()
def _triangle_taps(size_in: int, size_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each output's first input, int64 [size_out], and weights, float32 [T, size_out]."""
    first, weight = _taps(size_in, size_out, False)
    return first, weight.astype(np.float32)


@compiled()
def _cubic_taps(size_in: int, size_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the same with weights int32 [T, size_out], in units of 2 ** -FRACTION as Pillow rounds them."""
    first, weight = _taps(size_in, size_out, True)
    return first, np.rint(weight * (1 << FRACTION)).astype(np.int32)


@compiled()
def _taps(size_in: int, size_out: int, cubic: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return each output's first input, int64 [size_out], and weights, float64 [T, size_out]."""
    scale = size_in / size_out
    stretch = max(scale, 1.0)
    support = 2 * stretch if cubic else stretch
    taps = max(int(2 * support) + 2, USUAL_TAPS)
    first = np.empty(size_out, np.int64)
    weight = np.zeros((taps, size_out))
    for i in range(size_out):
        centre = (i + 0.5) * scale
        first[i] = max(int(centre - support + 0.5), 0)
        count = min(int(centre + support + 0.5), size_in) - first[i]
        total = 0.0
        for k in range(count):
            weight[k, i] = _filter(abs(first[i] + k + 0.5 - centre) / stretch, cubic)
            total += weight[k, i]
        for k in range(count):
            weight[k, i] /= total
    used = USUAL_TAPS
    for k in range(USUAL_TAPS, taps):
        if np.abs(weight[k]).max() > 0:
            used = k + 1
    return first, weight[:used]


@compiled()
def _filter(distance: float, cubic: bool) -> float:
    """Return a filter's value: the triangle, or the cubic of Keys (IEEE TASSP 1981) with a = -0.5."""
    if not cubic:
        return 1 - distance
    if distance < 1:
        return (1.5 * distance - 2.5) * distance * distance + 1
    if distance < 2:
        return ((2.5 - 0.5 * distance) * distance - 4) * distance + 2
    return 0.0


@compiled()
def _blend_rows(
    pixels: np.ndarray, start: int, stride: int, weights: np.ndarray, row: np.ndarray, width: int
) -> None:
    """Write the weighted sum of the crop's rows from byte `start` on into float32 `row`."""
    count = width * COLOURS
    source = pixels[start : start + count]
    for j in range(count):
        row[j] = weights[0] * np.float32(source[j])
    for k in range(1, len(weights)):
        if weights[k] > 0:
            source = pixels[start + k * stride : start + k * stride + count]
            for j in range(count):
                row[j] += weights[k] * np.float32(source[j])


@compiled()
def _blend_columns(
    row: np.ndarray, starts: np.ndarray, weights: np.ndarray, table: np.ndarray, out: np.ndarray
) -> None:
    """Write what the weighted sums of the columns become, in all three colours."""
    half = np.float32(0.5)
    for x in range(out.shape[1]):
        at = starts[x]
        red, green, blue = half, half, half
        for k in range(USUAL_TAPS):
            w = weights[k, x]
            red += w * row[at]
            green += w * row[at + np.uint64(1)]
            blue += w * row[at + np.uint64(2)]
            at += np.uint64(COLOURS)
        for k in range(USUAL_TAPS, len(weights)):
            w = weights[k, x]
            red += w * row[at]
            green += w * row[at + np.uint64(1)]
            blue += w * row[at + np.uint64(2)]
            at += np.uint64(COLOURS)
        out[0, x] = table[0, np.uint8(red)]
        out[1, x] = table[1, np.uint8(green)]
        out[2, x] = table[2, np.uint8(blue)]


@compiled()
def _bicubic_crops(
    pixels: np.ndarray,
    offset: np.ndarray,
    width: np.ndarray,
    boxes: np.ndarray,
    flip: np.ndarray,
    table: np.ndarray,
    out: np.ndarray,
) -> None:
    size = out.shape[2]
    for b in range(len(offset)):
        top, left, box_height, box_width = boxes[b]
        across = np.empty((box_height, size * COLOURS), np.uint8)
        first, weight = _cubic_taps(box_width, size)
        for y in range(box_height):
            start = offset[b] + ((top + y) * width[b] + left) * COLOURS
            _resize_row(pixels[start : start + box_width * COLOURS], first, weight, across[y])
        first, weight = _cubic_taps(box_height, size)
        row = np.empty(size * COLOURS, np.int32)
        for y in range(size):
            _blend_levels(across, first[y], weight[:, y], row)
            for x in range(size):
                at = (size - 1 - x if flip[b] else x) * COLOURS
                for c in range(COLOURS):
                    out[b, c, y, x] = table[c, _level(row[at + c])]


@compiled()
def _resize_row(row: np.ndarray, first: np.ndarray, weight: np.ndarray, out: np.ndarray) -> None:
    """Write a row of levels, uint8 [W · 3], as uint8 [S · 3]."""
    for x in range(len(first)):
        red, green, blue = np.int32(0), np.int32(0), np.int32(0)
        for k in range(len(weight)):
            w = weight[k, x]
            if w != 0:  # else there may be no such column
                at = (first[x] + k) * COLOURS
                red += w * row[at]
                green += w * row[at + 1]
                blue += w * row[at + 2]
        at = x * COLOURS
        out[at], out[at + 1], out[at + 2] = _level(red), _level(green), _level(blue)


@compiled()
def _blend_levels(rows: np.ndarray, first: int, weights: np.ndarray, out: np.ndarray) -> None:
    """Write the weighted sum of rows of levels, uint8 [H, S · 3], into int32 [S · 3]."""
    out[:] = 0
    for k in range(len(weights)):
        w = weights[k]
        if w != 0:  # else there may be no such row
            row = rows[first + k]
            for j in range(len(out)):
                out[j] += w * row[j]


@compiled()
def _level(total: int) -> np.uint8:
    """Return the nearest of the levels 0 to 255, half up, to a sum in units of 2 ** -FRACTION."""
    return np.uint8(min(max((total + (1 << (FRACTION - 1))) >> FRACTION, 0), 255))
