"""Least-squares decay curves, the global optimum for every trace at once.

The decay constant λ is searched on a grid, and every local minimum of the profile is refined by
golden section; the linear parameters are solved in closed form for each λ, inside their bounds.

    exponential         e^(−λt)                   exponential_floor   c + (1 − c) e^(−λt)
    power               (1 + t)^(−λ)              scaled_exponential  a e^(−λt) + c, a + c ≤ 1
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

CURVES = ("exponential", "exponential_floor", "scaled_exponential", "power")
LARGEST = 20.0  # per epoch
GRID = np.concatenate([[0.0], np.geomspace(1e-4, LARGEST, 120)])
GOLDEN = (np.sqrt(5) - 1) / 2
STEPS = 44  # golden-section steps: the bracket shrinks by 1e-9
MINIMUM_POINTS = 3
FLAT = 1e-12  # SSEs closer than that are rounding apart
CHUNK = 20_000  # distinct traces at a time, bounds the memory

Solver = Callable[[np.ndarray, dict[str, np.ndarray]], tuple[np.ndarray, ...]]


def fit(times: np.ndarray, values: np.ndarray, weights: np.ndarray, curve: str) -> pd.DataFrame:
    """Fit a curve to N traces by weighted least squares.

    times: float [K]; values, weights: float [N, K], weight 0 where a point is missing.
    Returns [N] rows of decay_constant (per epoch), a, c, score (λ, or the one-step loss where the
    curve has linear parameters), sse, r_squared (NaN on a constant trace) and status: ok,
    constant, at_bound, undetermined (no decay left to date: a = 0 or c = 1), too_short.
    """
    stacked = np.concatenate([values * (weights > 0), weights], axis=1)
    distinct, inverse = np.unique(stacked, axis=0, return_inverse=True)
    pieces = [
        _fit_distinct(times, *np.split(distinct[start : start + CHUNK], 2, axis=1), curve)
        for start in range(0, len(distinct), CHUNK)
    ]
    return pd.concat(pieces, ignore_index=True).iloc[inverse.ravel()].reset_index(drop=True)


def _fit_distinct(
    times: np.ndarray, values: np.ndarray, weights: np.ndarray, curve: str
) -> pd.DataFrame:
    total = weights.sum(axis=1)
    usable = (weights > 0).sum(axis=1) >= MINIMUM_POINTS
    rate = np.zeros(len(values))
    rate[usable] = _best_rate(times, values[usable], weights[usable], curve)
    sse, a, c = _profile(times, values, weights, rate[:, None], curve)
    sse, a, c = sse[:, 0], a[:, 0], c[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (weights * values).sum(axis=1) / total
        sst = (weights * (values - mean[:, None]) ** 2).sum(axis=1)
        r_squared = np.where(sst > 1e-12, 1 - sse / sst, np.nan)
    held = usable & np.all((values == 1) | (weights == 0), axis=1)
    undetermined = usable & ~held & (a <= 1e-9)
    at_bound = usable & ~held & ~undetermined & (rate > LARGEST * (1 - 1e-6))
    status = np.select(
        [~usable, held, undetermined, at_bound],
        ["too_short", "constant", "undetermined", "at_bound"],
        "ok",
    )
    rate = np.where(usable & ~undetermined, rate, np.nan)
    rate[held] = 0.0
    one_step = a * -np.expm1(-rate)
    score = one_step if curve in ("exponential_floor", "scaled_exponential") else rate
    table = {"decay_constant": rate, "a": a, "c": c, "score": score}
    table |= {
        "sse": np.where(usable, sse, np.nan),
        "r_squared": np.where(usable, r_squared, np.nan),
    }
    return pd.DataFrame(table | {"status": status})


def _best_rate(
    times: np.ndarray, values: np.ndarray, weights: np.ndarray, curve: str
) -> np.ndarray:
    """Return the λ of the smallest profile SSE, [N]."""
    if not len(values):
        return np.empty(0)
    profile = _profile(times, values, weights, GRID[None, :], curve)[0]
    padded = np.pad(profile, ((0, 0), (1, 1)), constant_values=np.inf)
    valley = (profile <= padded[:, :-2]) & (profile <= padded[:, 2:])
    # A plateau of equal values is one valley: keep its first point.
    valley[:, 1:] &= ~(valley[:, :-1] & (profile[:, 1:] == profile[:, :-1]))
    row, column = np.nonzero(valley)
    low, high = GRID[np.maximum(column - 1, 0)], GRID[np.minimum(column + 1, len(GRID) - 1)]

    def sse_at(rate: np.ndarray) -> np.ndarray:
        return _profile(times, values[row], weights[row], rate[:, None], curve)[0][:, 0]

    refined = _golden_section(sse_at, low, high)
    candidates = np.concatenate([refined, GRID[column]])
    sse = np.concatenate([sse_at(refined), profile[row, column]])
    rows = np.concatenate([row, row])
    order = np.lexsort((candidates, sse, rows))
    first = order[np.r_[True, rows[order][1:] != rows[order][:-1]]]
    return _at_end_if_as_good(candidates[first], sse[first], profile)


def _at_end_if_as_good(rate: np.ndarray, sse: np.ndarray, profile: np.ndarray) -> np.ndarray:
    """Return 0 or the largest λ where its SSE is no worse, so that a flat profile is flagged."""
    rate = np.where(profile[:, -1] <= sse + FLAT, LARGEST, rate)
    return np.where(profile[:, 0] <= sse + FLAT, 0.0, rate)


def _golden_section(
    function: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Return the minimiser of a unimodal function inside each bracket."""
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(STEPS):
        keep_left = at_left <= at_right
        low, high = np.where(keep_left, low, left), np.where(keep_left, right, high)
        fresh = np.where(keep_left, high - GOLDEN * (high - low), low + GOLDEN * (high - low))
        value = function(fresh)
        left, right = np.where(keep_left, fresh, right), np.where(keep_left, left, fresh)
        at_left, at_right = (
            np.where(keep_left, value, at_right),
            np.where(keep_left, at_left, value),
        )
    return (low + high) / 2


def _profile(
    times: np.ndarray, values: np.ndarray, weights: np.ndarray, rates: np.ndarray, curve: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return SSE, a and c at the best linear parameters, each [N, G], for rates [1 or N, G]."""
    clock = np.log1p(times) if curve == "power" else times
    shape = np.exp(-rates[..., None] * clock)  # [1 or N, G, K]
    if len(rates) == 1:
        f, weighted = shape[0].T, weights * values
        wf, wff, wyf = weights @ f, weights @ f**2, weighted @ f
    else:
        wf = np.einsum("nk,ngk->ng", weights, shape)
        wff = np.einsum("nk,ngk->ng", weights, shape**2)
        wyf = np.einsum("nk,ngk->ng", weights * values, shape)
    w = weights.sum(axis=1)[:, None]
    wy = (weights * values).sum(axis=1)[:, None]
    wyy = (weights * values**2).sum(axis=1)[:, None]

    def sse(a: np.ndarray, c: np.ndarray) -> np.ndarray:
        squares = wyy + a * a * wff + c * c * w
        return np.maximum(squares + 2 * (a * c * wf - a * wyf - c * wy), 0.0)

    one, zero = np.ones_like(wf), np.zeros_like(wf)
    if curve in ("exponential", "power"):
        return sse(one, zero), one, zero
    floor = _ratio(wy - wf - wyf + wff, w - 2 * wf + wff).clip(0, 1)
    candidates = [(1 - floor, floor)]
    if curve == "scaled_exponential":
        determinant = wff * w - wf**2
        a = _ratio(wyf * w - wy * wf, determinant)
        c = _ratio(wy * wff - wyf * wf, determinant)
        inside = (a >= 0) & (c >= 0) & (a + c <= 1)
        # Outside the triangle the optimum lies on an edge: a + c = 1, c = 0 or a = 0.
        candidates += [
            (np.where(inside, a, 1 - floor), np.where(inside, c, floor)),
            (_ratio(wyf, wff).clip(0, 1), zero),
            (zero, np.broadcast_to(_ratio(wy, w), wf.shape).clip(0, 1)),
        ]
    errors = np.stack([sse(a, c) for a, c in candidates])
    best = errors.argmin(axis=0)[None]
    chosen = [np.stack(part) for part in zip(*candidates, strict=True)]
    picked = [np.take_along_axis(part, best, axis=0)[0] for part in (errors, *chosen)]
    return picked[0], picked[1], picked[2]


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Return the quotient, 0 where the denominator vanishes."""
    safe = np.abs(denominator) > 1e-12
    return np.where(safe, numerator / np.where(safe, denominator, 1.0), 0.0)
