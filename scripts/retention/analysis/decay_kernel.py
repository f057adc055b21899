"""The least-squares fit of one decay curve to one trace after another, compiled.

For a decay constant λ the linear parameters of a curve are known in closed form, so the SSE is a
function of λ alone, its profile, built from a few weighted sums. The profile is looked at on a grid;
every local minimum there is refined where the profile's derivative changes sign.
"""

import math

import numpy as np
from numba import njit

EXPONENTIAL, FLOOR, SCALED = 0, 1, 2  # which linear parameters are free: none, c, a and c
FLAT = 1e-12  # SSEs closer than that are rounding apart
TINY = 1e-12
REFINEMENTS = 60
CLOSE = 1e-6  # relative length of the last step; the error after it is far smaller
REASSOCIATE = {"reassoc", "contract"}  # lets sums be vectorised; NaN and infinity keep their rules


@njit(cache=True, nogil=True)
def fit_rows(clock, grid, shapes, values, weights, kind):
    """Fit N traces; return float [N, 4] of λ, a, c and SSE.

    clock: float [K], the curve is e^(−λ·clock); grid: float [G], rising from 0, with shapes
    e^(−clock·grid), float [K, G]; values, weights: float [N, K], weight 0 where a point is missing;
    kind: which linear parameters are free. Rows of equal weights in succession share work.
    """
    found = np.empty((len(values), 4))
    squares = shapes * shapes
    sums = np.empty((3, len(grid)))
    profile = np.empty(len(grid))
    for row in range(len(values)):
        y, w = values[row], weights[row]
        total, wy, wyy = _moments(y, w)
        if row == 0 or not _equal(w, weights[row - 1]):
            _weight_sums(shapes, squares, w, sums)
        _value_sums(shapes, y, w, sums)
        for point in range(len(grid)):
            wf, wff, wyf = sums[0, point], sums[1, point], sums[2, point]
            profile[point] = _solve(wf, wff, wyf, total, wy, wyy, kind)[0]
        rate = _best_rate(clock, grid, profile, y, w, total, wy, wyy, kind)
        sse, a, c = _solved_at(rate, clock, y, w, total, wy, wyy, kind)[:3]
        found[row, 0], found[row, 1], found[row, 2], found[row, 3] = rate, a, c, sse
    return found


@njit(cache=True, nogil=True, fastmath=REASSOCIATE)
def _moments(y, w):
    total = wy = wyy = 0.0
    for k in range(len(y)):
        total += w[k]
        wy += w[k] * y[k]
        wyy += w[k] * y[k] * y[k]
    return total, wy, wyy


@njit(cache=True, nogil=True)
def _equal(first, second):
    return np.all(first == second)


# Points outside, λ inside: the inner loops run over memory in order and are vectorised.
@njit(cache=True, nogil=True, fastmath=REASSOCIATE)
def _weight_sums(shapes, squares, w, sums):
    """Fill the first two rows of sums [3, G] with Σ w f and Σ w f² at every λ of the grid."""
    sums[:2] = 0.0
    for k in range(len(w)):
        if w[k] != 0.0:
            for g in range(shapes.shape[1]):
                sums[0, g] += w[k] * shapes[k, g]
                sums[1, g] += w[k] * squares[k, g]


@njit(cache=True, nogil=True, fastmath=REASSOCIATE)
def _value_sums(shapes, y, w, sums):
    """Fill the last row of sums [3, G] with Σ w y f."""
    sums[2] = 0.0
    for k in range(len(y)):
        weighted = w[k] * y[k]
        if weighted != 0.0:
            for g in range(shapes.shape[1]):
                sums[2, g] += weighted * shapes[k, g]


@njit(cache=True, nogil=True)
def _solve(wf, wff, wyf, w, wy, wyy, kind):
    """Return SSE, a and c at the best linear parameters: a, c ≥ 0 and a + c ≤ 1."""
    if kind == EXPONENTIAL:
        return _sse(1.0, 0.0, wf, wff, wyf, w, wy, wyy), 1.0, 0.0
    floor = _clip(_ratio(wy - wf - wyf + wff, w - 2 * wf + wff))
    best, a, c = _sse(1 - floor, floor, wf, wff, wyf, w, wy, wyy), 1 - floor, floor
    if kind == FLOOR:
        return best, a, c
    determinant = wff * w - wf * wf
    free_a = _ratio(wyf * w - wy * wf, determinant)
    free_c = _ratio(wy * wff - wyf * wf, determinant)
    if abs(determinant) > TINY and free_a >= 0 and free_c >= 0 and free_a + free_c <= 1:
        return _sse(free_a, free_c, wf, wff, wyf, w, wy, wyy), free_a, free_c
    # Outside the triangle the optimum lies on an edge: a + c = 1 (above), c = 0 or a = 0.
    for edge_a, edge_c in ((_clip(_ratio(wyf, wff)), 0.0), (0.0, _clip(_ratio(wy, w)))):
        sse = _sse(edge_a, edge_c, wf, wff, wyf, w, wy, wyy)
        if sse < best:
            best, a, c = sse, edge_a, edge_c
    return best, a, c


@njit(cache=True, nogil=True)
def _sse(a, c, wf, wff, wyf, w, wy, wyy):
    squares = wyy + a * a * wff + c * c * w
    return max(squares + 2 * (a * c * wf - a * wyf - c * wy), 0.0)


@njit(cache=True, nogil=True)
def _ratio(numerator, denominator):
    return numerator / denominator if abs(denominator) > TINY else 0.0


@njit(cache=True, nogil=True)
def _clip(value):
    return min(max(value, 0.0), 1.0)


@njit(cache=True, nogil=True)
def _solved_at(rate, clock, y, w, total, wy, wyy, kind):
    """Return SSE, a, c and the profile's derivative at a λ.

    At the best linear parameters the derivative is the partial one (the envelope theorem):
    dSSE/dλ = −2a Σ w (a f + c − y) f · clock.
    """
    wf = wff = wyf = wfk = wffk = wyfk = 0.0
    even = _evenly(clock)
    shape, step = math.exp(-rate * clock[0]), math.exp(-rate)
    for k in range(len(y)):
        f = shape if even else math.exp(-rate * clock[k])
        weighted = w[k] * f
        wf += weighted
        wff += weighted * f
        wyf += weighted * y[k]
        wfk += weighted * clock[k]
        wffk += weighted * f * clock[k]
        wyfk += weighted * y[k] * clock[k]
        shape *= step
    sse, a, c = _solve(wf, wff, wyf, total, wy, wyy, kind)
    return sse, a, c, -2 * a * (a * wffk + c * wfk - wyfk)


@njit(cache=True, nogil=True)
def _evenly(clock):
    """Tell whether the clock goes in steps of 1: powers of e^(−λ) then need one exponential."""
    return len(clock) < 2 or (clock[1] - clock[0] == 1.0 and clock[-1] - clock[0] == len(clock) - 1)


@njit(cache=True, nogil=True)
def _best_rate(clock, grid, profile, y, w, total, wy, wyy, kind):
    """Return the λ of the smallest SSE: the best of all refined local minima of the profile.

    Where an end of the grid is no worse (a flat profile), the end.
    """
    last = len(grid) - 1
    best_rate, best = grid[0], profile[0]
    for g in range(last + 1):
        # An end of the grid has the neighbour that it has on both sides.
        left = profile[g - 1] if g > 0 else profile[1]
        right = profile[g + 1] if g < last else profile[last - 1]
        if profile[g] > left or profile[g] > right:
            continue
        if profile[g] < best:
            best_rate, best = grid[g], profile[g]
        if left - profile[g] < FLAT and right - profile[g] < FLAT:
            continue  # nothing to gain: on a plateau rounding alone makes minima
        low, high = grid[max(g - 1, 0)], grid[min(g + 1, last)]
        rate = _refine(low, grid[g], high, clock, y, w, total, wy, wyy, kind)
        sse = _solved_at(rate, clock, y, w, total, wy, wyy, kind)[0]
        if sse < best:
            best_rate, best = rate, sse
    if profile[0] <= best + FLAT:
        return grid[0]
    if profile[last] <= best + FLAT:
        return grid[last]
    return best_rate


@njit(cache=True, nogil=True)
def _refine(start, middle, end, clock, y, w, total, wy, wyy, kind):
    """Return where the derivative crosses zero in a bracket: the Illinois form of regula falsi.

    Dowell & Jarratt, BIT 11 (1971). Without a change of sign around the middle, a golden section.
    """
    low, high = start, end
    at_middle = _solved_at(middle, clock, y, w, total, wy, wyy, kind)[3]
    if at_middle > 0:
        high, at_high = middle, at_middle
        at_low = _solved_at(low, clock, y, w, total, wy, wyy, kind)[3]
    else:
        low, at_low = middle, at_middle
        at_high = _solved_at(high, clock, y, w, total, wy, wyy, kind)[3]
    if at_low >= 0 or at_high <= 0:
        return _golden_section(start, end, clock, y, w, total, wy, wyy, kind)
    rate, side = middle, 0
    for _ in range(REFINEMENTS):
        before, rate = rate, (low * at_high - high * at_low) / (at_high - at_low)
        slope = _solved_at(rate, clock, y, w, total, wy, wyy, kind)[3]
        if slope == 0.0 or abs(rate - before) <= CLOSE * rate:
            return rate
        # The end that stays a second time counts half, or it would stay for ever.
        if slope > 0:
            high, at_high = rate, slope
            at_low = at_low / 2 if side == 1 else at_low
            side = 1
        else:
            low, at_low = rate, slope
            at_high = at_high / 2 if side == -1 else at_high
            side = -1
    return rate


@njit(cache=True, nogil=True)
def _golden_section(low, high, clock, y, w, total, wy, wyy, kind):
    golden = (math.sqrt(5.0) - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left = _solved_at(left, clock, y, w, total, wy, wyy, kind)[0]
    at_right = _solved_at(right, clock, y, w, total, wy, wyy, kind)[0]
    for _ in range(REFINEMENTS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = _solved_at(left, clock, y, w, total, wy, wyy, kind)[0]
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = _solved_at(right, clock, y, w, total, wy, wyy, kind)[0]
    return (low + high) / 2
