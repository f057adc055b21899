"""Decay constant and R² of one sample by any definition, written as one writes them for one trace."""

import warnings
from itertools import pairwise

import numpy as np
from scipy.optimize import curve_fit

# a, λ, c in the order that a user's function has them, and where a fit begins
CURVES = {
    "exponential": (lambda t, lam: np.exp(-lam * t), [0.1]),
    "power": (lambda t, lam: (1 + t) ** (-lam), [0.1]),
    "exponential_floor": (lambda t, lam, c: c + (1 - c) * np.exp(-lam * t), [0.1, 0.0]),
    "scaled_exponential": (lambda t, a, lam, c: a * np.exp(-lam * t) + c, [1.0, 0.1, 0.0]),
}
RATE = {"exponential": 0, "power": 0, "exponential_floor": 0, "scaled_exponential": 1}
HIGHEST = {1: [np.inf], 2: [np.inf, 1.0], 3: [1.0, np.inf, 1.0]}


def series(correct, confidence, definition):
    """Return times, values and weights of a sample's points; nothing where it has no trace."""
    correct, confidence = list(map(int, correct)), list(confidence)
    if definition.epochs == "first_half":
        half = len(correct) // 2 + len(correct) % 2
        correct, confidence = correct[:half], confidence[:half]
    if definition.epoch_0 == "out":
        correct, confidence = correct[1:], confidence[1:]
    if definition.trace == "lag":
        return lag(correct)
    if definition.trace == "raw":
        return smooth(list(range(len(correct))), correct, definition)
    if definition.trace == "from_first_loss":
        for t in range(1, len(correct)):
            if correct[t - 1] == 1 and correct[t] == 0:
                rest = correct[t:]
                return smooth(list(range(len(rest))), rest, definition)
        return [], [], []
    if 1 not in correct:
        return [], [], []
    first = correct.index(1)
    after = {
        "aligned": lambda: correct[first:],
        "confidence": lambda: confidence[first:],
        "cumulative": lambda: [
            sum(correct[first : t + 1]) / (t + 1 - first) for t in range(first, len(correct))
        ],
        "survival": lambda: [int(all(correct[first : t + 1])) for t in range(first, len(correct))],
        "cumulative_events": lambda: [
            1 - lost(correct[first : t + 1]) / max(len(correct) - first - 1, 1)
            for t in range(first, len(correct))
        ],
    }[definition.trace]()
    begin = 0 if definition.start == "kept" else 1
    return smooth(list(range(len(after)))[begin:], after[begin:], definition)


def lost(marks):
    return sum(before == 1 and now == 0 for before, now in pairwise(marks))


def lag(correct):
    times, values, weights = [], [], []
    for step in range(1, (len(correct) - 1) // 2 + 1):
        anchors = [t for t in range(len(correct) - step) if correct[t]]
        if len(anchors) >= 3:
            times.append(step)
            values.append(sum(correct[t + step] for t in anchors) / len(anchors))
            weights.append(len(anchors))
    return times, values, weights


def smooth(times, values, definition):
    window = {"none": 1, "rolling_3": 3, "rolling_5": 5, "running_mean": len(values)}
    last = [
        values[max(k + 1 - window[definition.smoothing], 0) : k + 1] for k in range(len(values))
    ]
    return times, [sum(part) / len(part) for part in last], [1] * len(times)


def user_fit(times, values, weights, curve, estimator):
    """Return the parameters that a user's curve_fit finds, None where it raises or is not finite."""
    function, start = CURVES[curve]
    options = {"p0": None if estimator == "curve_fit_ones" else start}
    if estimator == "curve_fit_bounded":
        options["bounds"] = ([0.0] * len(start), HIGHEST[len(start)])
    if set(weights) != {1}:
        options["sigma"] = [1 / np.sqrt(weight) for weight in weights]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found, _ = curve_fit(
                function, np.array(times, float), np.array(values, float), **options
            )
        except (RuntimeError, TypeError):  # too many evaluations; fewer points than parameters
            return None
    return found if np.isfinite(found).all() else None


def naive(correct, confidence, definition):
    """Return λ and R² of a sample by curve_fit."""
    times, values, weights = series(correct, confidence, definition)
    if not times:
        return np.nan, np.nan
    found = user_fit(times, values, weights, definition.curve, definition.estimator)
    function, start = CURVES[definition.curve]
    if found is None:
        if definition.failed == "missing":
            return np.nan, np.nan
        if definition.failed == "zero":
            return 0.0, 0.0
        ones = definition.estimator == "curve_fit_ones"
        found = np.ones(len(start)) if ones else np.array(start)
    with np.errstate(all="ignore"):
        curve = function(np.array(times, float), *found)
    return found[RATE[definition.curve]], judge(
        np.array(values), np.array(weights), curve, definition
    )


def judge(y, w, curve, definition):
    """Return R² of a trace and its curve."""
    mean = np.average(y, weights=w)
    sse, sst = np.sum(w * (y - curve) ** 2), np.sum(w * (y - mean) ** 2)
    if definition.r_squared == "r2_score":
        if len(y) < 2:
            return np.nan
        return 1 - sse / sst if sst > 1e-12 else float(sse == 0)
    if sst <= 1e-12:
        return {"dropped": np.nan, "one": 1.0, "zero": 0.0}[definition.flat]
    if definition.r_squared == "squared_correlation":
        if np.ptp(curve) == 0:
            return np.nan
        covariance = np.cov(y, curve, aweights=w)
        return covariance[0, 1] ** 2 / (covariance[0, 0] * covariance[1, 1])
    raw = 1 - sse / sst
    return max(raw, 0.0) if definition.r_squared == "clipped" else raw
