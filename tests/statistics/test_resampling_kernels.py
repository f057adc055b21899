"""What kernels compute for all resamples at once is what one would compute for each on its own."""

import numpy as np
import pytest

from retention.findings.class_forgetting.structure import class_rates
from retention.statistics import ranks, top_fractions
from retention.statistics.resampling import bootstrap_weights
from retention.statistics.variance_components import components, components_without_blocks


@pytest.mark.parametrize("classes_of", [6, 8, 50])
def test_weights_of_resamples_add_up_exactly(classes_of):
    """Were there rounding in the sums, what does not vary at all would seem to."""
    classes = np.arange(40 * classes_of) // classes_of  # each draw counts 6/5, 8/7 or 50/49
    weights = bootstrap_weights(np.arange(len(classes)), classes, 500, np.random.default_rng(0))
    assert weights.dtype == np.float32
    assert len(np.unique(weights.sum(axis=1, dtype=float))) == 1
    assert weights.mean() == pytest.approx(1, abs=2e-5)


@pytest.mark.parametrize("fraction", [0.05, 0.3])
@pytest.mark.parametrize("decimals", [12, 1, 0])
def test_overlaps_of_short_and_of_long_tied_lists_are_those_of_the_repeated_sample(
    fraction, decimals
):
    draws = np.random.default_rng(1)
    values = np.round(draws.normal(size=(3, 200)), decimals)
    counts = draws.multinomial(200, np.full(200, 1 / 200), size=5).astype(float)
    pairs, k = [(0, 1), (1, 2), (0, 2)], round(fraction * 200)
    found = ranks.overlap_of_pairs(values, values, pairs, counts, fraction)
    for b, row in enumerate(counts.astype(int)):
        tops = [top_fractions.top_probability(np.repeat(one, row), fraction) for one in values]
        shared = np.array([tops[i] @ tops[j] for i, j in pairs])
        np.testing.assert_allclose(found[b], shared / (2 * k - shared))


def test_half_a_place_is_rounded_in_resamples_as_in_the_data():
    """0.05 · 50 = 2.5 places: 2, though weights of 16 bits add up to a little more than 50."""
    draws = np.random.default_rng(4)
    values = draws.normal(size=(2, 50))
    weights = bootstrap_weights(np.arange(50), np.zeros(50, dtype=int), 20, draws)
    found = ranks.overlap_of_pairs(values, values, [(0, 1)], weights, 0.05)
    for b, row in enumerate(weights.astype(float)):
        tops = []
        for order in np.argsort(-values, axis=1):
            above = np.cumsum(row[order]) - row[order]
            share = np.zeros(50)
            share[order] = np.clip((2 - above) / np.maximum(row[order], 1e-9), 0, 1)
            tops.append(share)
        shared = np.sum(row * tops[0] * tops[1])
        assert found[b, 0] == pytest.approx(shared / (4 - shared))


def test_class_rates_of_resamples_are_those_of_the_repeated_samples():
    draws = np.random.default_rng(2)
    classes = draws.integers(0, 4, size=60)
    at_risk = draws.integers(0, 20, size=(3, 60)).astype(float)
    events = np.floor(at_risk * draws.random((3, 60)) / 2)
    at_risk[1, classes == 2] = events[1, classes == 2] = 0  # never learned by one run
    counts = draws.multinomial(60, np.full(60, 1 / 60), size=6).astype(float)
    found = class_rates(events, at_risk, classes[None, :], counts, 4)
    for b, row in enumerate(counts.astype(int)):
        labels = np.repeat(classes, row)
        for r in range(3):
            lost, exposed = np.repeat(events[r], row), np.repeat(at_risk[r], row)
            for c in range(4):
                total = exposed[labels == c].sum()
                exact = lost[labels == c].sum() / total if total else np.nan
                assert found[b, r, c] == pytest.approx(exact, nan_ok=True)


def test_class_rates_of_labellings_are_those_of_each_on_its_own():
    draws = np.random.default_rng(5)
    events, at_risk = draws.random((2, 30)), 1 + draws.random((2, 30))
    labels = draws.integers(0, 3, size=(4, 30))
    found = class_rates(events, at_risk, labels, ranks.once(30), 3)
    for p, label in enumerate(labels):
        exact = [
            [e[label == c].sum() / a[label == c].sum() for c in range(3)]
            for e, a in zip(events, at_risk, strict=True)
        ]
        np.testing.assert_allclose(found[p], exact)


@pytest.mark.parametrize("in_third", [-1, 3])
def test_components_without_a_block_are_those_of_the_samples_that_are_left(in_third):
    draws = np.random.default_rng(3)
    classes = draws.permutation(np.repeat([0, 1, 2], [30, 12, 5]))
    block = np.where(classes == 2, in_third, np.arange(47) % 4)  # always in, or in one block whole
    values = 1e3 + draws.normal(size=(2, 3, 47)) + draws.normal(size=3)[classes]
    found = components_without_blocks(values, classes, block)
    for place in range(5):
        kept = block != place - 1 if place else np.ones(47, dtype=bool)
        exact = components(values[..., kept], classes[kept])
        assert {source: of_sets[place] for source, of_sets in found.items()} == pytest.approx(exact)
