"""F2: architectures change places between runs.

With the same seeds on both sides the two runs of a seed change places or do not; else all runs are dealt out anew. Where
there are fewer ways than `times` each is taken once.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import comb

import numpy as np

from retention.multiverse.combinations import Combination
from retention.multiverse.estimates.fit_quality import DIFFERENCE as STATISTIC
from retention.multiverse.estimates.fit_quality import means_of_runs
from retention.multiverse.exchanged import PLAIN, NotTestable, Permuted, draws_of
from retention.multiverse.frame import Frame
from retention.multiverse.scores import Scores

VERSIONS, TWO_SIDED, AVERAGED = (PLAIN,), True, False
EXHAUSTIVE = True
__all__ = ["AVERAGED", "EXHAUSTIVE", "STATISTIC", "TWO_SIDED", "VERSIONS", "permuted", "said"]
NAME = "fit_quality"
LEAST = 5  # runs on each side


def permuted(
    frame: Frame, scores: Scores, listed: Sequence[Combination], version: str, times: int
) -> Permuted:
    """Return the differences in the data and under each exchange; raise `NotTestable` of too few runs."""
    sides = frame.study.architectures
    large = [name for name, rows in sides.items() if len(rows) >= LEAST]
    if len(large) < 2:
        counts = " and ".join(f"{len(rows)} of {name}" for name, rows in sides.items())
        raise NotTestable(f"fewer than {LEAST} + {LEAST} runs ({counts})")
    means = {
        one.number: means_of_runs(frame.setting.once, scores.r_squared(one.levels))[0]
        for one in listed
    }
    found: Permuted = {}
    for one, other in combinations(large, 2):
        name = f"{one} minus {other}"
        seeds = frame.study.seeds(sides[one]), frame.study.seeds(sides[other])
        weights = exchanges(seeds[0], seeds[1], times, draws_of(frame, NAME, name))
        for number, of_runs in means.items():
            first, second = of_runs[sides[one]], of_runs[sides[other]]
            if (
                seeds[0] == seeds[1]
            ):  # a seed whose other run has no R² tells nothing of the difference
                first, second = first + 0 * second, second + 0 * first
            found[number, name] = _differences(np.concatenate([first, second]), weights)
    return found


def said(frame: Frame, version: str) -> str:
    """Return what to say of the exchanges themselves."""
    return ""


def exchanges(
    first: Sequence[int], second: Sequence[int], times: int, draws: np.random.Generator
) -> np.ndarray:
    """Return on which side each run stands, int [1 + exchanges, A + B] of 1 and −1; the first row is the data's.

    first, second: the seeds of both sides, in the order of the runs.
    """
    observed = np.r_[np.ones(len(first), dtype=int), -np.ones(len(second), dtype=int)]
    if list(first) == list(second):
        ways = 2 ** len(first)
        if ways - 1 <= times:
            signs = np.array(list(product((1, -1), repeat=len(first))))
        else:
            drawn = draws.choice((1, -1), size=(times, len(first)))
            signs = np.concatenate([np.ones((1, len(first)), dtype=int), drawn])
        return np.concatenate([signs, -signs], axis=1)
    whole = len(observed)
    if comb(whole, len(first)) - 1 <= times:
        return np.array(list(_allocations(whole, len(first))))
    drawn = draws.permuted(np.broadcast_to(observed, (times, whole)), axis=1)
    return np.concatenate([observed[None], drawn])


def _allocations(runs: int, first: int) -> Iterator[np.ndarray]:
    """Yield every way to put so many runs on the first side, that of the data before all others."""
    for chosen in combinations(range(runs), first):
        sides = -np.ones(runs, dtype=int)
        sides[list(chosen)] = 1
        yield sides


def _differences(of_runs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean of the runs on the first side minus that on the second, [1 + exchanges]."""
    finite = np.isfinite(of_runs)
    values = np.where(finite, of_runs, 0.0)
    means = []
    for side in (1, -1):
        on_side = (weights == side).astype(float)
        with np.errstate(invalid="ignore"):
            means.append((on_side @ values) / (on_side @ finite.astype(float)))
    return means[0] - means[1]
