"""The interval of a share of grouped samples, held against a simulated truth."""

import numpy as np
import pytest
from scipy.stats import binomtest

from retention.statistics.clustered_shares import (
    effective_groups,
    exact_interval,
    interval_of_draws,
)

SIMULATED = 600


@pytest.mark.parametrize("hits, trials", [(0, 50), (50, 50), (1, 3), (37, 60), (500, 900)])
def test_of_whole_numbers_the_interval_is_the_exact_one(hits, trials):
    known = binomtest(hits, trials).proportion_ci(0.95, "exact")
    assert exact_interval(hits / trials, trials) == pytest.approx((known.low, known.high))


def test_groups_count_as_often_as_they_are_even():
    assert effective_groups(np.arange(7)) == 7
    assert effective_groups(np.repeat(np.arange(7), 4)) == pytest.approx(7)
    assert effective_groups(np.array(["a"] * 9 + ["b"])) == pytest.approx(100 / 82)
    assert effective_groups(np.array([])) == 0


def covers(truth, size, together, spread, draws, groups, seed):
    """Return how often the interval holds the truth.

    size: samples of a group; together: chance that a group stands or falls as one; spread: of the draws' own shares.
    """
    rng, hit = np.random.default_rng(seed), 0
    for _ in range(SIMULATED):
        found, named = [], []
        for number in range(draws):
            share = np.clip(truth + spread * rng.standard_normal(), 0, 1)
            sizes = np.full(groups, size) if size == 1 else rng.integers(1, 2 * size, groups)
            member = np.repeat(np.arange(groups), sizes)
            own, shared = rng.random(len(member)) < share, rng.random(groups) < share
            alike = rng.random(groups) < together
            found.append(np.where(alike[member], shared[member], own).astype(float))
            named.append(member + number * groups)
        low, high = interval_of_draws(found, named)
        hit += low <= truth <= high
    return hit / SIMULATED


@pytest.mark.parametrize(
    "truth, size, together, spread, draws",
    [
        (0.5, 1, 0.0, 0.0, 2),
        (0.97, 1, 0.0, 0.0, 2),
        (0.8, 4, 1.0, 0.0, 2),
        (0.8, 4, 0.5, 0.0, 2),
        (0.95, 4, 1.0, 0.0, 3),
        (0.7, 1, 0.0, 0.08, 3),
        (0.7, 4, 0.5, 0.08, 5),
    ],
)
def test_intervals_hold_the_simulated_truth(truth, size, together, spread, draws):
    assert covers(truth, size, together, spread, draws, groups=40, seed=7) >= 0.93


def test_counting_images_in_place_of_groups_would_not_hold_it():
    """What the groups are for: the exact interval of all samples misses the truth of samples that stand together."""
    rng, hit = np.random.default_rng(3), 0
    for _ in range(SIMULATED):
        found = np.repeat(rng.random(80) < 0.8, 4)
        low, high = exact_interval(found.mean(), len(found))
        hit += low <= 0.8 <= high
    assert hit / SIMULATED < 0.85


def test_two_draws_that_differ_are_not_told_of():
    """Why tables say `samples alone` of fewer than three draws."""
    assert covers(0.7, 1, 0.0, 0.15, 2, groups=40, seed=7) < 0.9
    assert covers(0.7, 1, 0.0, 0.15, 3, groups=40, seed=7) >= 0.93


def test_everything_found_still_has_a_width():
    low, high = interval_of_draws([np.ones(60)] * 3, [np.arange(60)] * 3)
    assert high == 1 and low == pytest.approx(0.025 ** (1 / 60))
