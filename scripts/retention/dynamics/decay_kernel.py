"""The least-squares fit of one decay curve to one trace after another, compiled.

For a decay constant λ the linear parameters of a curve are known in closed form, so the SSE is a
function of λ alone, its profile, built from a few weighted sums. The profile is looked at on a grid;
every local minimum there is refined where the profile's derivative changes sign.
"""

import math

import numpy as np

from retention.common.compiled import compiled

EXPONENTIAL, FLOOR, SCALED = 0, 1, 2  # which linear parameters are free: none, c, a and c
FLAT = 1e-12  # SSEs closer than that are rounding apart
TINY = 1e-12
REFINEMENTS = 60
CLOSE = 1e-6  # relative error of λ at which a refinement ends; the SSE's is its square
LANES = 4
# reassoc lets sums be vectorised; NaN and infinity keep their rules. Without numpy's error model
# every division is a branch, which ends vectorisation.
FAST = {"error_model": "numpy", "fastmath": {"reassoc", "contract"}}


@compiled(**FAST)
def fit_rows(clock, grid, shapes, values, weights, rows, minimum, kind):
    """Fit chosen traces; return float [len(rows), 6]: λ, a, c, SSE, SST and whether all is 1.

    clock: float [K], the curve is e^(−λ·clock); grid: float [G], rising from 0, with shapes
    e^(−clock·grid), float [K, G]; values, weights: float [N, K], weight 0 where a point is missing;
    rows: int [M]; minimum: traces of fewer points are NaN; kind: which linear parameters are free.
    Rows of equal weights in succession share work.
    """
    found = np.full((len(rows), 6), np.nan)
    squares = shapes * shapes
    sums = np.empty((3, len(grid)))
    profile = np.empty(len(grid) + 2)
    room = np.empty(len(clock) + LANES)
    ones = _goes_in_ones(clock)
    for place in range(len(rows)):
        y, w = values[rows[place]], weights[rows[place]]
        points, total, wy, wyy, held = _moments(y, w)
        if points < minimum:
            continue
        if place == 0 or not _equal(w, weights[rows[place - 1]]):
            _weight_sums(shapes, squares, w, sums)
        _value_sums(shapes, y, w, sums)
        _fill(profile, sums, total, wy, wyy, kind)
        found[place, :4] = _best(clock, grid, profile, y, w, total, wy, wyy, kind, ones, room)
        found[place, 4] = max(wyy - wy * wy / total, 0.0)
        found[place, 5] = held
    return found


@compiled(**FAST)
def _goes_in_ones(clock):
    for k in range(1, len(clock)):
        if clock[k] - clock[k - 1] != 1.0:
            return False
    return len(clock) > 1


@compiled(**FAST)
def _moments(y, w):
    points, total, wy, wyy, held = 0, 0.0, 0.0, 0.0, True
    for k in range(len(y)):
        points += w[k] > 0
        total += w[k]
        wy += w[k] * y[k]
        wyy += w[k] * y[k] * y[k]
        held &= (w[k] == 0) | (y[k] == 1)
    return points, total, wy, wyy, held


@compiled(**FAST)
def _equal(first, second):
    same = True
    for k in range(len(first)):
        same &= first[k] == second[k]
    return same


# Points outside, λ inside: the inner loops run over memory in order and are vectorised.
@compiled(**FAST)
def _weight_sums(shapes, squares, w, sums):
    """Fill the first two rows of sums [3, G] with Σ w f and Σ w f² at every λ of the grid."""
    sums[:2] = 0.0
    for k in range(len(w)):
        if w[k] != 0.0:
            for g in range(shapes.shape[1]):
                sums[0, g] += w[k] * shapes[k, g]
                sums[1, g] += w[k] * squares[k, g]


@compiled(**FAST)
def _value_sums(shapes, y, w, sums):
    """Fill the last row of sums [3, G] with Σ w y f."""
    sums[2] = 0.0
    for k in range(len(y)):
        weighted = w[k] * y[k]
        if weighted != 0.0:
            for g in range(shapes.shape[1]):
                sums[2, g] += weighted * shapes[k, g]


@compiled(**FAST)
def _fill(profile, sums, total, wy, wyy, kind):
    """Fill profile [G + 2] with the SSE over the grid; its ends repeat their only neighbours."""
    wf, wff, wyf = sums[0], sums[1], sums[2]
    count = len(wf)
    # With its kind written out each loop is vectorised.
    if kind == EXPONENTIAL:
        for g in range(count):
            profile[g + 1] = _solve(wf[g], wff[g], wyf[g], total, wy, wyy, EXPONENTIAL)[0]
    elif kind == FLOOR:
        for g in range(count):
            profile[g + 1] = _solve(wf[g], wff[g], wyf[g], total, wy, wyy, FLOOR)[0]
    else:
        for g in range(count):
            profile[g + 1] = _solve(wf[g], wff[g], wyf[g], total, wy, wyy, SCALED)[0]
    profile[0], profile[count + 1] = profile[2], profile[count - 1]


@compiled(inline="always", **FAST)  # else the loop over the grid is not vectorised
def _solve(wf, wff, wyf, w, wy, wyy, kind):
    """Return SSE, a and c at the best linear parameters: a, c ≥ 0 and a + c ≤ 1.

    Inside the triangle, or on its edges a + c = 1, c = 0, a = 0. Without branches, for the grid.
    """
    if kind == EXPONENTIAL:
        return _sse(1.0, 0.0, wf, wff, wyf, w, wy, wyy), 1.0, 0.0
    c = _clip(_ratio(wy - wf - wyf + wff, w - 2 * wf + wff))
    a = 1 - c
    sse = _sse(a, c, wf, wff, wyf, w, wy, wyy)
    if kind == FLOOR:
        return sse, a, c
    edge_a, edge_c = _clip(_ratio(wyf, wff)), _clip(_ratio(wy, w))
    on_a = _sse(edge_a, 0.0, wf, wff, wyf, w, wy, wyy)
    on_c = _sse(0.0, edge_c, wf, wff, wyf, w, wy, wyy)
    determinant = wff * w - wf * wf
    free_a = _ratio(wyf * w - wy * wf, determinant)
    free_c = _ratio(wy * wff - wyf * wf, determinant)
    free = _sse(free_a, free_c, wf, wff, wyf, w, wy, wyy)
    inside = (determinant > TINY) & (free_a >= 0) & (free_c >= 0) & (free_a + free_c <= 1)
    a, c = (edge_a if on_a < sse else a), (0.0 if on_a < sse else c)
    sse = min(sse, on_a)
    a, c = (0.0 if on_c < sse else a), (edge_c if on_c < sse else c)
    sse = min(sse, on_c)
    return (free if inside else sse), (free_a if inside else a), (free_c if inside else c)


@compiled(**FAST)
def _sse(a, c, wf, wff, wyf, w, wy, wyy):
    squares = wyy + a * a * wff + c * c * w
    return max(squares + 2 * (a * c * wf - a * wyf - c * wy), 0.0)


@compiled(**FAST)
def _ratio(numerator, denominator):
    return numerator / (denominator if denominator > TINY else np.inf)


@compiled(**FAST)
def _clip(value):
    return min(max(value, 0.0), 1.0)


@compiled(**FAST)
def _solved_at(rate, clock, y, w, total, wy, wyy, kind, ones, room):
    """Return SSE, a, c and the profile's derivative at a λ.

    At the best linear parameters the derivative is the partial one (the envelope theorem):
    dSSE/dλ = −2a Σ w (a f + c − y) f · clock.
    """
    wf = wff = wyf = wfk = wffk = wyfk = 0.0
    _shape(rate, clock, ones, room)
    for k in range(len(y)):
        f = room[k]
        weighted = w[k] * f
        wf += weighted
        wff += weighted * f
        wyf += weighted * y[k]
        wfk += weighted * clock[k]
        wffk += weighted * f * clock[k]
        wyfk += weighted * y[k] * clock[k]
    sse, a, c = _solve(wf, wff, wyf, total, wy, wyy, kind)
    return sse, a, c, -2 * a * (a * wffk + c * wfk - wyfk)


@compiled(**FAST)
def _shape(rate, clock, ones, room):
    """Fill room [K and more] with e^(−λ·clock): powers of e^(−λ) where the clock goes in ones."""
    if not ones:
        for k in range(len(clock)):
            room[k] = math.exp(-rate * clock[k])
        return
    step = math.exp(-rate)
    first = step if clock[0] == 1.0 else math.exp(-rate * clock[0])
    # Four products side by side: one after the other each would wait for the one before.
    second, third, fourth = first * step, first * step**2, first * step**3
    leap = (step * step) * (step * step)
    for k in range(0, len(clock), LANES):
        room[k], room[k + 1], room[k + 2], room[k + 3] = first, second, third, fourth
        first, second, third, fourth = first * leap, second * leap, third * leap, fourth * leap


@compiled(**FAST)
def _best(clock, grid, profile, y, w, total, wy, wyy, kind, ones, room):
    """Return λ, a, c and SSE of the best of all refined local minima of the profile.

    Where an end of the grid is no worse (a flat profile), the end.
    """
    last = len(grid) - 1
    rate, a, c, best = grid[0], np.nan, np.nan, profile[1]
    for g in range(last + 1):
        left, here, right = profile[g], profile[g + 1], profile[g + 2]
        if here > right or here > left or left == here == right:
            continue
        if here < best:
            rate, a, best = grid[g], np.nan, here
        if left - here < FLAT and right - here < FLAT:
            continue  # nothing to gain: on a plateau rounding alone makes minima
        bracket = (grid[max(g - 1, 0)], grid[g], grid[min(g + 1, last)])
        around = (left, here, right)
        found = _refine(bracket, around, clock, y, w, total, wy, wyy, kind, ones, room)
        if found[3] < best:
            rate, a, c, best = found
    if profile[1] <= best + FLAT:
        rate, a = grid[0], np.nan
    elif profile[last + 1] <= best + FLAT:
        rate, a = grid[last], np.nan
    if np.isnan(a):
        best, a, c, _ = _solved_at(rate, clock, y, w, total, wy, wyy, kind, ones, room)
    return rate, a, c, best


@compiled(**FAST)
def _refine(bracket, around, clock, y, w, total, wy, wyy, kind, ones, room):
    """Return λ, a, c and SSE of a local minimum, given a bracket of three λ and their SSEs.

    The secant method on the derivative, from the vertex of a parabola through the three points.
    A step out of what is left of the bracket, or longer than half the step before the last, halves
    the bracket instead (as in Brent, Algorithms for Minimization without Derivatives, 1973, ch. 4):
    where a linear parameter reaches its bound, the derivative has a kink.
    """
    low, middle, high = bracket
    if low == middle or middle == high:  # an end of the grid
        sse, a, c, slope = _solved_at(middle, clock, y, w, total, wy, wyy, kind, ones, room)
        if (slope >= 0) == (low == middle):
            return middle, a, c, sse
    if 0 < low < middle < high:
        ahead, bend = _vertex(bracket, around)
    else:
        ahead, bend = (low + high) / 2, np.nan
    rate = slope_before = a = c = sse = np.nan
    step = step_before = np.inf
    for _ in range(REFINEMENTS):
        before, rate = rate, ahead
        sse, a, c, slope = _solved_at(rate, clock, y, w, total, wy, wyy, kind, ones, room)
        if slope > 0:
            high = rate
        else:
            low = rate
        if not np.isnan(before):
            bend = (slope - slope_before) / (rate - before)
        slope_before = slope
        ahead = rate - slope / bend
        if not low <= ahead <= high or abs(ahead - rate) > step_before / 2:
            ahead = (low + high) / 2
        step, step_before = abs(ahead - rate), step
        if step <= CLOSE * rate:
            break
    return rate, a, c, sse


@compiled(**FAST)
def _vertex(bracket, around):
    """Return where a parabola in log λ through three points is lowest, and d²SSE/dλ² there.

    The three are equally far apart in log λ.
    """
    (_, middle, high), (left, here, right) = bracket, around
    bend = left - 2 * here + right
    rate = middle * (high / middle) ** ((left - right) / (2 * bend))
    return rate, bend / (math.log(high / middle) * rate) ** 2
