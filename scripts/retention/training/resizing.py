"""Crops resized with antialiasing on the CPU.

Bilinear interpolation whose triangle widens with the reduction, as Pillow's and torchvision's
`antialias=True`, columns of rows first, in float32 and rounded once, half up; torchvision's bytes
differ by one level at most.
"""

import numpy as np

from retention.common.compiled import compiled
from retention.data.image_cache import Places

COLOURS = 3
USUAL_TAPS = 3  # what a reduction by up to a third needs; a loop of known length is quick


def resize_crops(
    pixels: np.ndarray,
    places: Places,
    boxes: np.ndarray,
    flip: np.ndarray,
    table: np.ndarray,
    out: np.ndarray,
) -> None:
    """Crop images, resize them into `out`, mirror some. Releases the interpreter's lock.

    pixels: uint8 [bytes], images [H, W, 3] one after the other. boxes: int32 [B, 4], top, left,
    height, width in pixels. flip: bool [B]. table: [3, 256], what a byte of each colour becomes
    in `out`. out: [B, 3, S, S] of the table's dtype, any strides.
    """
    _resize_crops(pixels, places.offset, places.width, boxes, flip, table, out)


@compiled()
def _resize_crops(pixels, offset, width, boxes, flip, table, out):
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
def _triangle_taps(size_in, size_out):
    """Return each output's first input, int64 [size_out], and weights, float32 [T, size_out]."""
    scale = size_in / size_out
    support = max(scale, 1.0)
    taps = max(int(2 * support) + 2, USUAL_TAPS)
    first = np.empty(size_out, np.int64)
    weight = np.zeros((taps, size_out), np.float32)
    for i in range(size_out):
        centre = (i + 0.5) * scale
        first[i] = max(int(centre - support + 0.5), 0)
        count = min(int(centre + support + 0.5), size_in) - first[i]
        total = 0.0
        for k in range(count):
            total += 1 - abs(first[i] + k + 0.5 - centre) / support
        for k in range(count):
            weight[k, i] = (1 - abs(first[i] + k + 0.5 - centre) / support) / total
    used = USUAL_TAPS
    for k in range(USUAL_TAPS, taps):
        if weight[k].max() > 0:
            used = k + 1
    return first, weight[:used]


@compiled()
def _blend_rows(pixels, start, stride, weights, row, width):
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
def _blend_columns(row, starts, weights, table, out):
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
