"""What few events leave open: limits of counts, and intervals that reach as far as these."""

import numpy as np
import pytest
from scipy.stats import poisson

from retention.statistics.few_events import (
    UNSEEN,
    as_many_events,
    more_than,
    poisson_limits,
    together,
    unseen,
    unseen_beyond,
    worth,
)
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
    each = [worth(rows, rows, [pair]) / 3 for pair in pairs]
    assert gained[0] == pytest.approx(each[0])
    assert worth(rows, rows, pairs) == pytest.approx(np.mean(each))


def test_rows_in_which_nothing_varies_leave_nothing_to_say():
    rows = np.zeros((2, 10), dtype=bool)
    assert np.isnan(worth(rows, rows, [(0, 1)]))


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
    assert unseen(whole, groups) == pytest.approx(5 * UNSEEN)
    assert unseen(whole, np.arange(100)) == pytest.approx(UNSEEN)


def test_a_count_that_is_not_whole_lies_between_its_neighbours():
    for count in (0, 1, 7):
        assert more_than(count) == pytest.approx(poisson_limits(count)[1] - count)
        assert more_than(count) < more_than(count + 0.5) < more_than(count + 1)


def test_equal_weights_are_as_many_events_and_one_heavy_one_is_one():
    assert as_many_events(np.full(6, 0.3)) == pytest.approx(6)
    assert as_many_events(np.array([0, 45.0, 0])) == pytest.approx(1)
    assert as_many_events(np.zeros(3)) == 0


def test_a_sample_that_all_pairs_share_is_one_event_and_not_as_many_as_pairs():
    runs, samples = 10, 1000
    pairs = [(i, j) for i in range(runs) for j in range(i)]
    groups = np.arange(samples)
    hard = np.zeros((runs, samples), dtype=bool)
    hard[:, 0] = True
    alone = np.zeros((runs, samples), dtype=bool)
    for place, (i, j) in enumerate(pairs):
        alone[[i, j], place] = True  # one sample for each pair, and no other shares it
    rest = [(1 - rows.mean(axis=1)).mean() ** 2 for rows in (hard, alone)]
    assert unseen_beyond(hard, hard, pairs, groups) == pytest.approx(45 * more_than(1) * rest[0])
    assert unseen_beyond(alone, alone, pairs, groups) == pytest.approx(more_than(45) * rest[1])
    nothing = np.zeros((2, samples), dtype=bool)
    assert unseen_beyond(nothing, nothing, [(0, 1)], groups) == UNSEEN


def test_an_interval_that_reaches_up_keeps_its_low_end_and_what_lies_below():
    interval = Interval(0.1, 0.02, 9, "new runs", CORRELATION)
    wide = interval.reaching_up(0.5)
    assert wide.low == interval.low and wide.p_of(0.0) == interval.p_of(0.0)
    seen = np.arctanh(interval.high) - np.arctanh(0.1)
    assert np.arctanh(wide.high) == pytest.approx(np.arctanh(0.1) + np.sqrt(seen**2 + 0.5**2))
    assert wide.p_of(wide.high) == pytest.approx(0.05) and interval.p_of(wide.high) < 0.001
    assert interval.reaching_up(0.0) == interval == interval.reaching_up(np.nan)


def test_a_mean_of_few_groups_is_no_surer_than_they_are():
    interval = Interval(0.1, 0.02, 400, "these runs")
    assert interval.of_few(5).degrees == 4 and interval.of_few(1).degrees == 1
    assert interval.of_few(900) == interval
