"""Ranks, resampling, intervals and variance components against scipy, statsmodels and closed forms."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.api as sm
from by_hand import every_top
from scipy.stats import kendalltau, spearmanr

from retention.findings.class_forgetting import structure as class_structure
from retention.findings.seed_stability.measure import spearman_brown
from retention.statistics import ranks, top_fractions
from retention.statistics.implications import implied_rank_correlation
from retention.statistics.resampling import (
    CORRELATION,
    PLAIN,
    RATE,
    SHARE,
    Interval,
    bootstrap_weights,
    new_runs,
    p_value,
)
from retention.statistics.variance_components import components, shares


def test_spearman_is_scipys_on_the_repeated_sample():
    draws = np.random.default_rng(1)
    values = np.stack([draws.integers(0, 6, 80), draws.normal(size=80), draws.integers(0, 2, 80)])
    counts = draws.multinomial(80, np.full(80, 1 / 80), size=5).astype(float)
    pairs = list(combinations(range(3), 2))
    found = ranks.spearman_of_pairs(values, values, pairs, counts)
    for b, row in enumerate(counts.astype(int)):
        for place, (i, j) in enumerate(pairs):
            repeated = (np.repeat(values[k], row) for k in (i, j))
            assert found[b, place] == pytest.approx(spearmanr(*repeated).statistic)


def test_spearman_drops_missing_values_pair_by_pair_as_scipy_does():
    draws = np.random.default_rng(2)
    values = draws.normal(size=(3, 60))
    values[draws.random((3, 60)) < 0.2] = np.nan
    pairs = list(combinations(range(3), 2))
    found = ranks.spearman_of_pairs(values, values, pairs, ranks.once(60))[0]
    expected = [spearmanr(values[i], values[j], nan_policy="omit").statistic for i, j in pairs]
    np.testing.assert_allclose(found, expected)


def test_partial_spearman_is_the_correlation_of_residuals_on_class_dummies():
    draws = np.random.default_rng(3)
    classes = draws.integers(0, 4, 90)
    x, y = (draws.normal(size=90) + classes for _ in range(2))
    dummies = np.eye(4)[classes]
    residuals = []
    for values in (x, y):
        rank = scipy.stats.rankdata(values)
        residuals.append(rank - dummies @ np.linalg.lstsq(dummies, rank, rcond=None)[0])
    found = ranks.spearman_of_pairs(x[None], y[None], [(0, 0)], ranks.once(90), classes)[0, 0]
    assert found == pytest.approx(np.corrcoef(*residuals)[0, 1])


def test_a_constant_side_has_no_correlation():
    values = np.stack([np.ones(10), np.arange(10.0)])
    assert np.isnan(ranks.spearman_of_pairs(values, values, [(0, 1)], ranks.once(10))).all()


def test_overlap_of_tied_lists_is_the_mean_over_all_ways_to_break_the_ties():
    x = np.array([5.0, 4, 3, 3, 3, 3, 1, 0, 0, 0])
    y = np.array([1.0, 9, 2, 2, 7, 2, 0, 2, 0, 2])
    lots = list(product(every_top(x, 4), every_top(y, 4)))
    shared = np.array([len(a & b) for a, b in lots])
    exact = np.mean(shared / (8 - shared))
    draws = np.random.default_rng(4)
    found = top_fractions.random_tie_jaccard(x, y, 0.4, 20_000, draws)
    assert found == pytest.approx(exact, abs=4 * np.std(shared / (8 - shared)) / np.sqrt(20_000))
    expected = ranks.overlap_of_pairs(x[None], y[None], [(0, 0)], ranks.once(10), 0.4)[0, 0]
    assert expected == pytest.approx(shared.mean() / (8 - shared.mean()))


def test_overlap_in_a_resample_is_that_of_the_repeated_sample():
    draws = np.random.default_rng(5)
    values = draws.normal(size=(2, 50))  # no ties but those of repetition
    counts = draws.multinomial(50, np.full(50, 1 / 50), size=4).astype(float)
    found = ranks.overlap_of_pairs(values, values, [(0, 1)], counts, 0.2)
    for b, row in enumerate(counts.astype(int)):
        repeated = [np.repeat(one, row) for one in values]
        tops = [top_fractions.top_probability(one, 0.2) for one in repeated]
        shared = (tops[0] * tops[1]).sum()
        assert found[b, 0] == pytest.approx(shared / (20 - shared))


@pytest.mark.parametrize("tied", [0.0, 0.95])
def test_random_scores_overlap_by_chance_tied_or_not(tied):
    draws = np.random.default_rng(6)
    found = []
    for _ in range(400):
        x, y = draws.random((2, 529))
        x, y = np.maximum(x, tied), np.maximum(y, tied)
        found.append(top_fractions.random_tie_jaccard(x, y, 0.1, 1, draws))
    chance = top_fractions.chance_jaccard(529, 53)
    assert chance == pytest.approx(0.0532, abs=2e-4)
    assert np.mean(found) == pytest.approx(chance, abs=4 * np.std(found) / 20)


def test_ties_in_file_order_overlap_far_beyond_chance():
    # why ties are broken at random: two lists that share nothing, 5 % ever forgotten
    draws = np.random.default_rng(7)
    x, y = (draws.random((2, 5994)) < 0.05).astype(float)
    tops = [set(np.argsort(-one, kind="stable")[:599]) for one in (x, y)]
    assert len(tops[0] & tops[1]) / len(tops[0] | tops[1]) > 0.3
    assert top_fractions.random_tie_jaccard(x, y, 0.1, 50, draws) < 0.07


def test_top_probability_shares_the_last_places_among_the_tied():
    values = np.array([3.0, 1, 1, 1, np.nan])
    np.testing.assert_allclose(
        top_fractions.top_probability(values, 0.5), [1, 1 / 3, 1 / 3, 1 / 3, 0]
    )
    assert top_fractions.tied_at_cut(values, 0.5) == 1
    assert top_fractions.tied_at_cut(np.arange(10.0), 0.5) == 0


def test_rank_biased_overlap_worked_by_hand():
    draws = np.random.default_rng(8)
    x = np.array([4.0, 3, 2, 1])
    y = np.array([3.0, 4, 2, 1])  # overlaps of the first 1, 2, 3, 4: 0, 2, 3, 4
    weight = 0.5 ** np.arange(4)  # k = 2, p = 1/2
    expected = (weight * [0, 1, 1, 1]).sum() / weight.sum()
    assert top_fractions.rank_biased_overlap(x, y, 0.5, 1, draws) == pytest.approx(expected)
    assert top_fractions.rank_biased_overlap(x, x, 0.5, 1, draws) == pytest.approx(1)
    random = [
        top_fractions.rank_biased_overlap(*draws.random((2, 300)), 0.1, 1, draws)
        for _ in range(300)
    ]
    assert np.mean(random) == pytest.approx(0.1, abs=4 * np.std(random) / np.sqrt(300) + 1e-3)


def test_bootstrap_draws_whole_groups_within_classes():
    groups, classes = np.array(list("aabbcd")), np.array([0, 0, 0, 0, 1, 1])
    weights = bootstrap_weights(groups, classes, 200, np.random.default_rng(0))
    assert (weights[:, 0] == weights[:, 1]).all()
    np.testing.assert_allclose(weights[:, :4].sum(axis=1), 4)
    np.testing.assert_allclose(weights[:, 4:].sum(axis=1), 2)
    lone = bootstrap_weights(
        np.array(list("abc")), np.array([0, 0, 1]), 50, np.random.default_rng(1)
    )
    assert (lone[:, 2] == 1).all()


def test_bootstrap_variance_of_a_stratified_mean_is_the_textbooks():
    draws = np.random.default_rng(9)
    classes = np.repeat([0, 1, 2], [4, 10, 40])
    values = draws.normal(size=54) + classes
    weights = bootstrap_weights(np.arange(54), classes, 40_000, draws)
    found = np.var(weights @ values / 54)
    strata = [values[classes == c] for c in range(3)]
    exact = sum(len(s) * s.var(ddof=1) for s in strata) / 54**2  # Σ (n_h/n)² s_h²/n_h
    assert found == pytest.approx(exact, rel=4 * np.sqrt(2 / 40_000))


def test_bootstrap_endpoints_are_scipys_within_four_monte_carlo_errors():
    draws = np.random.default_rng(10)
    x = draws.normal(size=400)
    y = np.round(0.4 * x + draws.normal(size=400), 1)
    resamples = 9999
    theirs = scipy.stats.bootstrap(
        (x, y),
        lambda a, b: spearmanr(a, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=2000,
        method="percentile",
        rng=draws,
    )
    weights = bootstrap_weights(np.arange(400), np.zeros(400), resamples, draws)
    ours = ranks.spearman_of_pairs(x[None], y[None], [(0, 0)], weights)[:, 0]
    for level, end in zip((2.5, 97.5), theirs.confidence_interval, strict=True):
        own = np.percentile(ours, level)
        p = level / 100
        density = scipy.stats.gaussian_kde(ours)(own)[0]
        error = np.sqrt(p * (1 - p) * (1 / 2000 + 1 / resamples)) / density
        assert abs(own - end) < 4 * error
    assert ours.std() == pytest.approx(theirs.standard_error, rel=4 / np.sqrt(2 * 2000))


def test_permutation_p_is_scipys():
    draws = np.random.default_rng(11)
    x, y = draws.normal(size=(2, 12))
    y += 0.6 * x
    observed = float(class_structure.rank_correlation(x, y))
    assert observed == pytest.approx(spearmanr(x, y).statistic)
    shuffled = draws.permuted(np.broadcast_to(y, (9999, 12)), axis=1)
    ours = p_value(abs(observed), np.abs(class_structure.rank_correlation(x, shuffled)))
    theirs = scipy.stats.permutation_test(
        (x,),
        lambda one: spearmanr(one, y).statistic,
        permutation_type="pairings",
        n_resamples=2000,
        rng=draws,
    ).pvalue
    assert ours == pytest.approx(theirs, abs=4 * np.sqrt(theirs * (1 - theirs) / 2000))


def test_partial_rank_correlation_is_the_textbooks():
    draws = np.random.default_rng(12)
    x, y, z = draws.normal(size=(3, 30))
    xy, xz, yz = (spearmanr(a, b).statistic for a, b in ((x, y), (x, z), (y, z)))
    exact = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert class_structure.rank_correlation(x, y, z) == pytest.approx(exact)


def test_an_interval_and_its_p_value_say_the_same_on_every_scale():
    for scale, estimate in ((PLAIN, 0.3), (CORRELATION, 0.9), (SHARE, 0.05), (RATE, 0.05)):
        interval = Interval(estimate, 0.08, 5.0, "new runs", scale)
        assert interval.low < estimate < interval.high
        assert interval.p_of(interval.high) == pytest.approx(0.05)
    assert Interval(0.97, 0.2, 3.0, "new runs", CORRELATION).high < 1
    for scale in (SHARE, RATE):
        wide = Interval(0.01, 0.2, 3.0, "new runs", scale)
        assert 0 <= wide.low < wide.high <= 1


def test_what_does_not_vary_has_no_interval():
    interval = new_runs(np.zeros(3), np.zeros((50, 3)), np.eye(3, dtype=bool), 10)
    assert np.isnan([interval.low, interval.high, interval.p_of(0.1)]).all()


def test_two_seeds_give_an_interval_about_these_runs_alone():
    draws = np.random.default_rng(16)
    interval = new_runs(np.array([0.1, 0.5]), draws.normal(size=(99, 2)), np.eye(2, dtype=bool), 20)
    assert interval.target == "these runs"


def test_kendalls_w_is_one_in_full_agreement_and_matches_mean_spearman():
    found = class_structure.kendalls_w(np.array([[1.0, 2, 3], [10, 20, 30]]))
    assert found == pytest.approx(1)
    values = np.random.default_rng(17).normal(size=(4, 9))
    rho = np.mean([spearmanr(values[i], values[j])[0] for i in range(4) for j in range(i)])
    assert class_structure.kendalls_w(values) == pytest.approx(
        (rho * 3 + 1) / 4
    )  # textbook identity


def test_kendalls_w_corrects_for_ties_as_the_textbook_does():
    values = np.array([[1.0, 2, 2, 4, 5], [2.0, 2, 2, 3, 9], [5.0, 1, 4, 4, 6]])
    rank = scipy.stats.rankdata(values, axis=1)
    spread = np.sum((rank.sum(axis=0) - 9) ** 2)
    ties = (2**3 - 2) + (3**3 - 3) + (2**3 - 2)
    exact = 12 * spread / (9 * (5**3 - 5) - 3 * ties)
    assert class_structure.kendalls_w(values) == pytest.approx(exact)
    with_gap = np.column_stack([values, [np.nan, 1.0, 2.0]])
    assert class_structure.kendalls_w(with_gap) == pytest.approx(exact)


def test_labels_are_permuted_with_groups_whole():
    classes, groups = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 3])
    labels = class_structure.permuted_labels(classes, groups, 100, np.random.default_rng(18))
    assert (labels[:, 0] == labels[:, 1]).all()
    assert (labels[:, 2] == labels[:, 3]).all()
    assert len(np.unique(labels, axis=0)) > 5


def test_families_and_their_share_of_confusions_worked_by_hand():
    names = np.array(["001.Brewer_Blackbird", "002.Rusty_Blackbird", "003.Crow"])
    families = class_structure.families_of(names, "last_word")
    assert families.tolist() == ["Blackbird", "Blackbird", "003.Crow"]
    counts = np.array([[9.0, 3, 1], [2, 9, 0], [1, 1, 9]])
    assert class_structure.within_family_share(counts, families) == pytest.approx(5 / 8)
    named = class_structure.families_of(np.array(["a", "b"]), {"a": "x"})
    assert named.tolist() == ["x", "b"]
    assert class_structure.families_of(names, "") is None


def sequential_mean_squares(values, classes):
    """Mean squares of terms added one after another, each a set of dummies, by ordinary regression."""
    seeds = values.shape[1]
    a, s, i = np.indices(values.shape).reshape(3, -1)
    terms = {
        "a": a,
        "c": classes[i],
        "c:i": i,
        "a:c": a * 100 + classes[i],
        "a:c:i": a * 100 + i,
        "a:s": a * seeds + s,
        "a:s:c": (a * seeds + s) * 100 + classes[i],
    }
    design, before = np.ones((values.size, 1)), sm.OLS(values.ravel(), np.ones(values.size)).fit()
    squares = {}
    for term, labels in terms.items():
        design = np.hstack([design, pd.get_dummies(labels).to_numpy(dtype=float)])
        fitted = sm.OLS(values.ravel(), design).fit()
        squares[term] = (before.ssr - fitted.ssr) / (before.df_resid - fitted.df_resid)
        before = fitted
    return squares | {"Residual": before.mse_resid}


@pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")
def test_mean_squares_are_those_of_regression():
    draws = np.random.default_rng(19)
    classes = np.repeat([0, 1, 2], [3, 4, 5])
    values = draws.normal(size=(2, 3, 12)) + 0.5 * classes
    squares = sequential_mean_squares(values, classes)
    n0 = (12 - (9 + 16 + 25) / 12) / 2
    residual = squares["Residual"]
    found = components(values, classes)
    assert found["residual"] == pytest.approx(residual)
    assert found["sample"] == pytest.approx((squares["c:i"] - residual) / 6)
    assert found["sample_x_architecture"] == pytest.approx((squares["a:c:i"] - residual) / 3)
    assert found["class_x_seed"] == pytest.approx((squares["a:s:c"] - residual) / n0)
    of_class = squares["c"] - squares["c:i"] - squares["a:s:c"] + residual
    assert found["class"] == pytest.approx(of_class / (6 * n0))


def test_variance_components_are_unbiased():
    draws = np.random.default_rng(20)
    classes = np.repeat(np.arange(6), [2, 3, 5, 8, 10, 12])
    truth = {"class": 2.0, "sample": 1.0, "seed": 0.5, "class_x_seed": 0.3, "residual": 1.5}
    found = []
    for _ in range(1500):
        y = np.sqrt(2.0) * draws.normal(size=6)[classes] + draws.normal(size=40)
        y = y + np.sqrt(0.5) * draws.normal(size=(2, 4, 1))
        y = y + np.sqrt(0.3) * draws.normal(size=(2, 4, 6))[..., classes]
        found.append(components(y + np.sqrt(1.5) * draws.normal(size=(2, 4, 40)), classes))
    table = pd.DataFrame(found)
    for source in table:
        error = table[source].std() / np.sqrt(len(table))
        assert table[source].mean() == pytest.approx(truth.get(source, 0.0), abs=4 * error), source


def test_shares_of_variance_add_up_and_say_what_they_are_about():
    draws = np.random.default_rng(21)
    classes, groups = np.repeat([0, 1], 30), np.arange(60) // 2
    values = draws.normal(size=60) + draws.normal(size=(2, 3, 60))
    found = shares(values, classes, groups)
    assert sum(interval.estimate for interval in found.values()) == pytest.approx(1)
    assert {interval.target for interval in found.values()} == {"new runs"}
    assert found["sample"].low < 0.5 < found["sample"].high
    two = shares(values[:1, :2], classes, groups)
    assert {interval.target for interval in two.values()} == {"these runs"}
    assert "sample_x_architecture" not in two


def test_the_rank_correlation_of_an_overlap_is_that_of_normal_scores():
    draws = np.random.default_rng(22)
    x = draws.normal(size=400_000)
    y = 0.6 * x + 0.8 * draws.normal(size=400_000)
    jaccard = top_fractions.random_tie_jaccard(x, y, 0.1, 1, draws)
    exact = 6 / np.pi * np.arcsin(0.3)
    assert implied_rank_correlation(jaccard, 0.1) == pytest.approx(exact, abs=0.01)
    assert implied_rank_correlation(0.1 / 1.9, 0.1) == pytest.approx(0, abs=1e-3)  # independence
    assert np.isnan(implied_rank_correlation(np.nan, 0.1))


def test_kendalls_tau_of_the_findings_is_scipys_with_missing_values():
    x, y = np.array([1.0, 2, np.nan, 4]), np.array([1.0, 3, 2, np.nan])
    assert kendalltau(x, y, nan_policy="omit").statistic == pytest.approx(1)


def test_a_pair_with_missing_values_is_of_the_samples_that_both_have():
    draws = np.random.default_rng(2)
    first, second = draws.integers(0, 6, (2, 3, 40)).astype(float)
    first[draws.random(first.shape) < 0.3] = np.nan
    first[2, 2:] = np.nan  # fewer than three in common
    weights, classes = draws.integers(0, 3, (5, 40)).astype(np.float32), draws.integers(0, 3, 40)
    pairs = [(0, 0), (1, 2), (2, 1)]
    partial = ranks.spearman_over_pairs(first, second, pairs, classes)(weights)
    overlap = ranks.overlap_over_pairs(first, second, pairs, 0.2)(weights)
    assert np.isnan(partial[:, 2]).all() and np.isnan(overlap[:, 2]).all()
    for column, (i, j) in enumerate(pairs[:2]):
        kept = np.isfinite(first[i]) & np.isfinite(second[j])
        alone = first[None, i, kept], second[None, j, kept], [(0, 0)], weights[:, kept]
        expected = ranks.spearman_of_pairs(*alone, classes[kept])[:, 0]
        assert np.allclose(partial[:, column], expected, atol=1e-12)
        assert np.array_equal(overlap[:, column], ranks.overlap_of_pairs(*alone, 0.2)[:, 0])


def test_small_formulas():
    assert spearman_brown(0.5, 2) == pytest.approx(2 / 3)
    assert p_value(5.0, np.arange(9.0)) == pytest.approx(0.5)  # 4 of 9 reach 5: (4 + 1) / 10
    assert np.isnan(p_value(float("nan"), np.arange(9.0)))
