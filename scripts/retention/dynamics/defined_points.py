"""The points that a definition's curve is fitted to: which evaluations, which trace, its start, its smoothing."""

import numpy as np

from retention.common.errors import UserError
from retention.dynamics.definition import Definition
from retention.dynamics.points import Points, arguments_of, trace_of

LEAST_EPOCHS = 2
WINDOWS = {"rolling_3": 3, "rolling_5": 5}


def defined_points(
    correct: np.ndarray, confidence: np.ndarray | None, definition: Definition
) -> Points:
    """Return times [K], values [N, K] and weights [N, K] of correct, bool [N, E], and confidence, float [N, E] or None.

    Raises `UserError` where the trace needs confidences that there are not, and where too few epochs are left.
    """
    kept = counted_epochs(correct.shape[1], definition)
    if confidence is not None:
        confidence = confidence[:, kept]
    given = arguments_of(definition.trace, correct[:, kept], confidence)
    trace = trace_of(definition.trace)
    points: Points = trace.points(*given)
    if definition.start == "kept":
        points = with_start(points, trace.start(*given))
    return smoothed(points, definition.smoothing)


def counted_epochs(number: int, definition: Definition) -> slice:
    """Return which of the evaluations count; of an odd number the middle one is of the first half."""
    end = (number + 1) // 2 if definition.epochs == "first_half" else number
    begin = 1 if definition.epoch_0 == "out" else 0
    if end - begin < LEAST_EPOCHS:
        raise UserError(
            f"definition: epochs {definition.epochs} and epoch_0 {definition.epoch_0} leave {end - begin} of {number} "
            f"epochs; a trace needs at least {LEAST_EPOCHS}"
        )
    return slice(begin, end)


def with_start(points: Points, start: np.ndarray) -> Points:
    """Return points with one at t = 0 before them, of weight 1; start: float [N], NaN where there is none."""
    times, values, weights = points
    exists = np.isfinite(start)
    first = np.where(exists, start, 0.0)[:, None]
    return (
        np.concatenate([[0.0], times]),
        np.concatenate([first, values], axis=1),
        np.concatenate([exists[:, None].astype(float), weights], axis=1),
    )


def smoothed(points: Points, smoothing: str) -> Points:
    """Return points whose values are means of those up to each: of the last 3 or 5, or of all.

    Where fewer exist they are of as many as there are, as pandas' `rolling(window, min_periods=1)` and `expanding()`.
    """
    times, values, weights = points
    if smoothing == "none":
        return points
    exists = (weights > 0).astype(float)
    window = WINDOWS.get(smoothing, int(values.shape[1]))
    sums, counts = _of_last(values * exists, window), _of_last(exists, window)
    return times, sums / np.maximum(counts, 1) * exists, weights


def _of_last(values: np.ndarray, window: int) -> np.ndarray:
    """Return sums of the last `window` columns up to each, float [N, K]."""
    number = values.shape[1]
    if window >= number:
        return np.cumsum(values, axis=1)
    padded = np.pad(values, ((0, 0), (window - 1, 0)))
    return sum((padded[:, k : k + number] for k in range(window)), np.zeros_like(values))
