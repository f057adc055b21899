"""What few events leave open: limits of counts, and intervals that reach as far as these."""

import numpy as np
import pytest
from scipy.stats import poisson

from retention.statistics.few_events import UNSEEN, of_unseen, poisson_limits, together
from retention.statistics.resampling import CORRELATION, Interval


@pytest.mark.parametrize("count", [0, 1, 3, 9])
def test_limits_are_the_means_at_which_a_count_is_just_rare(count):
    low, high = poisson_limits(count)
    assert poisson.cdf(count, high) == pytest.approx(0.025)
    assert poisson.sf(count - 1, low) == pytest.approx(0.025) if count else low == 0
    assert poisson_limits(0)[1] == UNSEEN == pytest.approx(3.689, abs=1e-3)


def test_an_unseen_shared_sample_is_worth_what_one_more_adds():
    draws = np.random.default_rng(0)
    rows = draws.random((4, 500)) < 0.02
    pairs = [(0, 1), (0, 2), (2, 3)]

    def mean_phi(matrix):
        return np.mean([np.corrcoef(matrix[i], matrix[j])[0, 1] for i, j in pairs])

    moved = (
        rows.copy()
    )  # one sample that 1 forgot and 0 did not becomes one that both forgot, as many as before
    other, shared = np.flatnonzero(rows[1] & ~rows[0])[:1], np.flatnonzero(rows[0] & ~rows[1])[:1]
    moved[1, other], moved[1, shared] = False, True
    gained = np.zeros(3)
    gained[0] = mean_phi(moved) - mean_phi(rows)
    worth = [of_unseen(rows, rows, [pair]) / UNSEEN / 3 for pair in pairs]
    assert gained[0] == pytest.approx(worth[0])
    assert of_unseen(rows, rows, pairs) == pytest.approx(UNSEEN * np.mean(worth))


def test_rows_in_which_nothing_varies_leave_nothing_to_say():
    rows = np.zeros((2, 10), dtype=bool)
    assert np.isnan(of_unseen(rows, rows, [(0, 1)]))


def test_an_interval_is_widened_and_never_narrowed():
    interval = Interval(0.1, 0.01, 4, "new runs", CORRELATION)
    wide = interval.no_narrower_than(0.5)
    centre = np.arctanh(0.1)
    assert (np.arctanh(wide.low), np.arctanh(wide.high)) == pytest.approx(
        (centre - 0.5, centre + 0.5)
    )
    assert interval.no_narrower_than(0.001) == interval
    assert interval.no_narrower_than(np.nan) == interval


def test_groups_that_have_an_event_together_leave_more_open():
    groups = np.repeat(np.arange(20), 5)
    whole = np.isin(groups, [0, 1])[None].repeat(2, axis=0)
    whole[1] = np.isin(groups, [1, 2])
    one_of_each = np.zeros((2, 100), dtype=bool)
    one_of_each[0, [0, 5]] = one_of_each[1, [5, 10]] = True
    assert (together(whole, groups), together(one_of_each, groups)) == (5, 1)
    assert together(np.zeros((2, 100), dtype=bool), groups) == 1
    alone = of_unseen(whole, whole, [(0, 1)])
    assert of_unseen(whole, whole, [(0, 1)], groups) == pytest.approx(5 * alone)
    assert of_unseen(whole, whole, [(0, 1)], np.arange(100)) == pytest.approx(alone)
