"""Overlaps of lists most of which are tied: what the lots alone do must not pass for agreement."""

from itertools import product

import numpy as np
import pytest
from by_hand import every_top
from planted_runs import OPTIONS, N, pick, run_of

from retention.findings.architecture_overlap import measure as architecture_overlap
from retention.statistics import top_fractions

TIES = OPTIONS | {"resamples": 99, "tie_breaks": 10}


def rarely_forgotten(forgotten, draws):
    """Runs of two networks that share nothing, in each of which a few samples are ever forgotten."""
    runs = []
    for name, seed in product("ab", range(3)):
        score = np.zeros(N)
        score[draws.choice(N, forgotten, replace=False)] = 1.0
        runs.append(run_of(name, seed, decay_constant=score))
    return runs


@pytest.mark.parametrize("forgotten", [1, 4])
def test_lots_alone_are_not_more_than_chance(forgotten):
    """At 5 % one or two of 30 studies would be called so; most were when lots did not count as noise."""
    draws = np.random.default_rng(forgotten)
    p = [
        pick(
            architecture_overlap.measure(rarely_forgotten(forgotten, draws), TIES),
            "a vs b",
            "jaccard",
        )["p"]
        for _ in range(30)
    ]
    assert np.sum(np.array(p) < 0.05) <= 5


def test_where_all_is_tied_nothing_is_tested():
    runs = [run_of(name, seed, decay_constant=np.zeros(N)) for name in "ab" for seed in range(3)]
    found = pick(architecture_overlap.measure(runs, TIES), "a vs b", "jaccard")
    assert np.isnan(found[["low", "high", "p"]].to_numpy(dtype=float)).all()


def test_the_variance_of_lots_is_that_of_all_ways_to_break_the_ties():
    x = np.array([5.0, 4, 3, 3, 3, 3, 1, 0, 0, 0])
    y = np.array([1.0, 9, 2, 2, 7, 2, 0, 2, 0, 2])
    shared = np.array([len(a & b) for a, b in product(every_top(x, 4), every_top(y, 4))])
    exact = np.var(shared / (8 - shared)) / 5000
    draws = np.random.default_rng(1)
    assert top_fractions.random_tie_moments(x, y, 0.4, 5000, draws)[1] == pytest.approx(
        exact, rel=0.1
    )
    untied = top_fractions.random_tie_moments(np.arange(10.0), np.arange(10.0), 0.4, 1, draws)
    assert untied == (1.0, 0.0)
    assert np.isnan(top_fractions.random_tie_moments(x, y, 0.4, 1, draws)[1])


def test_the_null_within_class_is_of_the_samples_that_have_a_score():
    """Networks that share which class is forgotten, and which of its samples are never learned."""
    draws = np.random.default_rng(2)
    number = 2000
    never = (np.arange(number) % 4 == 0) & (np.arange(number) < 1200)
    runs = []
    for name, seed in product("ab", range(4)):
        score = (np.arange(number) % 4 == 0) + 0.5 * draws.random(number)
        score[never] = np.nan
        runs.append(run_of(name, seed, decay_constant=score, never_learned=never))
    table = architecture_overlap.measure(runs, TIES)
    found = pick(table, "a vs b", "jaccard")["estimate"]
    null = pick(table, "a vs b", "jaccard_null_within_class")["estimate"]
    assert null == pytest.approx(found, rel=0.05)
    # 170 of the 200 learned ones of that class are in each list at random: 170²/200 are in both
    assert null == pytest.approx(144.5 / (340 - 144.5), rel=1e-6)
    beyond = pick(
        table, "a vs b", "jaccard_beyond_class"
    )  # the same ones never learned are no overlap
    assert beyond["p"] > 0.05 and abs(beyond["estimate"]) < 0.05
