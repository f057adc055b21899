"""What classes explain of an overlap, and a test of what is beyond them: samples exchanged within their class."""

from itertools import permutations, product

import numpy as np
import pytest
from planted_runs import OPTIONS, pick, run_of

from retention.findings.architecture_overlap import measure as architecture_overlap
from retention.findings.architecture_overlap.within_class import alike, beyond_class
from retention.statistics.exchange import Exchange
from retention.statistics.resampling import p_value

FEW = OPTIONS | {"tie_breaks": 5}


def orders(classes, groups, times=2000):
    exchange = Exchange(np.array(classes), np.array(groups))
    return list(exchange.permutations(times, np.random.default_rng(0)))


def test_every_exchange_within_a_class_is_as_likely():
    found = [tuple(order) for order in orders([0, 1, 0, 0, 1], np.arange(5), 6000)]
    allowed = {
        (a, d, b, c, e)
        for (a, b, c), (d, e) in product(permutations([0, 2, 3]), permutations([1, 4]))
    }
    assert set(found) == allowed
    counts = np.array([found.count(order) for order in allowed])
    assert (
        np.sum((counts - 500) ** 2 / 500) < 35
    )  # χ² of 11 degrees of freedom: 1 in 4,000 lies beyond


def test_groups_move_whole_and_only_to_groups_of_the_same_classes():
    classes, groups = [0, 0, 0, 0, 1, 1, 0, 1, 0, 1], [5, 5, 7, 7, 8, 8, 1, 1, 2, 2]
    found = {tuple(order) for order in orders(classes, groups)}
    # 5 and 7 are both of two samples of class 0, 1 and 2 of one of each class; 8 has no other like it
    first, second = ((0, 1, 2, 3), (2, 3, 0, 1)), ((6, 7, 8, 9), (8, 9, 6, 7))
    assert found == {(*a, 4, 5, *b) for a, b in product(first, second)}
    assert Exchange(np.array(classes), np.array(groups)).movable == 8


def test_permuted_overlaps_are_those_of_all_exchanges():
    draws = np.random.default_rng(3)
    first, second = draws.random((2, 6)), draws.random((2, 6))
    pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
    every = [np.array(order) for order in permutations(range(6))]

    def by_hand(order):
        tops = [[set(np.argsort(-row)[:2]) for row in side] for side in (first, second[:, order])]
        return np.mean(
            [len(tops[0][i] & tops[1][j]) / len(tops[0][i] | tops[1][j]) for i, j in pairs]
        )

    found, permuted = beyond_class(first, second, pairs, 2 / 6, every)
    assert found == pytest.approx(by_hand(np.arange(6)))
    np.testing.assert_allclose(permuted, [by_hand(order) for order in every])


def studies(seed, shared, groups=1):
    """Two architectures of three runs: one class of four is forgotten more, and by `shared` the same samples of it."""
    draws, number = np.random.default_rng(seed), 240
    of_class = 2.0 * (np.arange(number) % 4 == 0)
    member = np.arange(number) // (4 * groups) * 4 + np.arange(number) % 4
    own = draws.normal(size=number)[member]
    runs = []
    for name in "ab":
        common = draws.normal(size=number)[member]
        for run in range(3):
            noise = shared * own + common + 0.3 * draws.normal(size=number)
            score = np.round(of_class + noise, 1)
            columns = {"decay_constant": score, "group": member.astype(str)}
            runs.append(run_of(name, run, **columns))
    return runs


def p_beyond(runs):
    """The test alone, 199 exchanges: measuring all of F1 takes ten times as long."""
    values = [
        np.stack([r.samples["decay_constant"] for r in runs if r.architecture == a]) for a in "ab"
    ]
    classes, groups = (runs[0].samples[name].to_numpy() for name in ("label", "group"))
    exchange = Exchange(alike(*values, classes), groups)
    pairs = [(i, j) for i, j in product(range(3), repeat=2) if i != j]
    drawn = exchange.permutations(199, np.random.default_rng(0))
    return p_value(*beyond_class(*values, pairs, 0.1, drawn))


@pytest.mark.parametrize("groups", [1, 3])
def test_runs_that_share_their_classes_alone_are_told_beyond_them_in_5_percent(groups):
    """Runs of an architecture agree on samples, members of a group are alike: neither is a false positive."""
    found = np.array([p_beyond(studies(seed, 0.0, groups)) for seed in range(120)])
    assert np.mean(found < 0.05) < 0.13  # 120 at 5 %: 1 in 3,000 has more
    assert 0.4 < found.mean() < 0.6


def test_runs_that_share_samples_are_told_beyond_their_classes():
    assert np.mean([p_beyond(studies(seed, 1.5)) < 0.05 for seed in range(10)]) > 0.8


def test_shared_classes_alone_are_far_from_the_chance_of_random_subsets():
    table = architecture_overlap.measure(studies(1, 0.0), FEW)
    assert pick(table, "a vs b", "jaccard")["p"] < 0.01
    beyond = pick(table, "a vs b", "jaccard_beyond_class")
    assert beyond["note"] == "240 of 240 samples are in groups that can be exchanged"


def test_groups_that_are_all_unlike_leave_nothing_to_exchange():
    groups = np.repeat(np.arange(20), np.arange(1, 21))
    runs = [
        run_of(
            name,
            seed,
            classes=np.zeros(210, dtype=int),
            group=groups.astype(str),
            decay_constant=np.random.default_rng(seed).random(210),
        )
        for name in "ab"
        for seed in range(2)
    ]
    row = pick(architecture_overlap.measure(runs, FEW), "a vs b", "jaccard_beyond_class")
    assert np.isnan(row["estimate"]) and np.isnan(row["p"])
    assert row["note"] == "0 of 210 samples are in groups that can be exchanged"
