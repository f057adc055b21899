"""What one number implies for another, against closed forms, all permutations and simulation."""

from itertools import permutations
from math import erfc

import numpy as np
import pytest
from scipy.special import betainc
from scipy.stats import rankdata, spearmanr

from retention.statistics.implications import (
    implied_stability,
    largest_spearman,
    p_by_fisher,
    p_by_t,
    samples_needed,
    shared_top_correlation,
    stability_of_own_loss,
    untied_needed,
)
from retention.statistics.reliability import spearman_brown

SAMPLES = 100_000


def rho(first, second):
    """Return Spearman's ρ as Pearson's of mid-ranks, naively."""
    return np.corrcoef(rankdata(first), rankdata(second))[0, 1]


def test_p_by_t_is_scipys():
    draws = np.random.default_rng(0)
    x = draws.normal(size=60)
    found = spearmanr(x, x + draws.normal(size=60))
    assert p_by_t(found.statistic, 60) == pytest.approx(found.pvalue, rel=1e-9)


def two_sided(correlation, samples):
    """The p of a correlation by its exact null distribution: the t's as an incomplete beta function."""
    return betainc((samples - 2) / 2, 0.5, 1 - correlation**2)


@pytest.mark.parametrize(
    ("correlation", "needed", "by_fisher"),
    [(0.3, 2139, 2106), (0.305, 2066, None), (0.5, 703, 671)],
)
def test_so_many_samples_are_needed_and_not_one_less(correlation, needed, by_fisher):
    assert samples_needed(correlation, 1e-45) == needed
    assert two_sided(correlation, needed) < 1e-45 <= two_sided(correlation, needed - 1)
    found = samples_needed(correlation, 1e-45, p_by_fisher)
    assert by_fisher in (found, None)
    z = [np.arctanh(correlation) * np.sqrt(n - 3) for n in (found, found - 1)]
    assert erfc(z[0] / 2**0.5) < 1e-45 <= erfc(z[1] / 2**0.5)


@pytest.mark.parametrize(
    "tied", [(), (2,), (4,), (6,), (2, 3), (3, 4), (2, 2, 3)], ids=lambda sizes: str(sizes)
)
def test_ties_in_one_variable_bound_its_correlation_and_the_bound_is_reached(tied):
    """Of all orders of the other variable, 5,040 of 7 samples, the best one meets the bound."""
    values = [number for number, size in enumerate(tied) for _ in range(size)]
    values += [10 + number for number in range(7 - len(values))]
    ranks = rankdata(values) - 4  # their mean
    orders = np.array(list(permutations(range(-3, 4))))
    found = np.abs(orders @ ranks) / np.sqrt(np.sum(ranks**2) * 28)
    assert found.max() == pytest.approx(largest_spearman(tied, 7))


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.8])
def test_large_samples_have_the_two_closed_forms(share):
    number = 20_000
    own = round(share * number)
    order = np.arange(number)
    one_tied = np.where(order < number - own, 0, order)
    assert rho(one_tied, order) == pytest.approx(np.sqrt(1 - (1 - share) ** 3), abs=1e-4)
    assert largest_spearman([number - own], number) == pytest.approx(rho(one_tied, order))
    two_values = order >= number - own
    assert rho(two_values, order) == pytest.approx(np.sqrt(3 * share * (1 - share)), abs=1e-4)
    assert largest_spearman([own, number - own], number) == pytest.approx(rho(two_values, order))
    # neither bounds two variables that both have ties
    assert rho(two_values, two_values) == pytest.approx(1)


def test_the_share_outside_a_tie_is_the_least_that_a_correlation_needs():
    for correlation, least in ((0.3, 0.0309), (0.5, 0.0914)):
        assert untied_needed(correlation) == pytest.approx(least, abs=5e-5)
        order = np.arange(SAMPLES)
        for share, above in ((least - 0.002, False), (least + 0.002, True)):
            tied = np.where(order < SAMPLES * (1 - share), 0, order)
            assert (rho(tied, order) > correlation) == above


def two_runs(draws, shared, own, agreement, of_all=0.0):
    """Losses and decays of two runs: what the sample's and the run's part of the loss tell, and what else all runs share."""
    sample, other = draws.normal(size=(2, SAMPLES))
    runs = []
    for _ in range(2):
        part = draws.normal(size=SAMPLES)
        loss = np.sqrt(agreement) * sample + np.sqrt(1 - agreement) * part
        left = 1 - shared**2 - own**2 - of_all**2
        noise = np.sqrt(left) * draws.normal(size=SAMPLES)
        runs.append((loss, shared * sample + own * part + of_all * other + noise))
    return runs


@pytest.mark.parametrize(
    ("shared", "own", "of_all"), [(0.4, 0, 0), (0.4, 0.5, 0), (0.1, 0.6, 0.5), (0, 0.7, 0.2)]
)
def test_a_prediction_across_seeds_bounds_their_agreement_whichever_part_of_the_loss_tells(
    shared, own, of_all
):
    runs = two_runs(np.random.default_rng(1), shared, own, 0.6, of_all)
    (loss, decay), (other_loss, other_decay) = runs
    across = (rho(loss, other_decay) + rho(other_loss, decay)) / 2
    agreement, stability = rho(loss, other_loss), rho(decay, other_decay)
    floor = implied_stability(across, agreement)
    assert floor >= implied_stability(across)  # losses that agree fully
    assert stability >= floor - 0.01
    if not of_all:  # the floor is met where the shared part of the loss is all that decays share
        assert stability == pytest.approx(floor, abs=0.01)
    # the bound is that of the decays' own shared part, of Pearson's correlations
    assert floor == pytest.approx(shared**2, abs=0.01)


def test_that_bound_is_a_theorem_and_asks_for_no_normal_scores():
    """Most decays are tied at 0, and the loss tells of the others in jumps: still ρ² ≤ q r."""
    runs = two_runs(np.random.default_rng(6), 0.5, 0.4, 0.6, 0.3)
    (loss, decay), (other_loss, other_decay) = [
        (np.round(np.exp(loss)), np.where(decay < 0.8, 0.0, decay)) for loss, decay in runs
    ]
    across, agreement = rho(loss, other_decay), rho(loss, other_loss)
    assert across > 0.2
    assert rho(decay, other_decay) > implied_stability(across, agreement)


def test_an_agreement_that_can_not_be_implies_no_more_than_a_full_one():
    for agreement in (np.nan, -0.2, 0.0, 0.15, 1.3):
        assert implied_stability(0.4, agreement) == pytest.approx(0.16)
    assert implied_stability(0.4, 0.5) == pytest.approx(0.32)


def test_the_floor_of_a_loss_that_tells_as_one_number():
    agreement, within = 0.62, 0.5
    parts = within * np.sqrt(agreement), within * np.sqrt(1 - agreement)
    runs = two_runs(np.random.default_rng(2), *parts, agreement)
    (loss, decay), (other_loss, other_decay) = runs
    measured = rho(loss, decay), rho(loss, other_loss)
    assert rho(decay, other_decay) == pytest.approx(stability_of_own_loss(*measured), abs=0.01)
    assert rho(loss, other_decay) == pytest.approx(measured[0] * measured[1], abs=0.01)


def test_that_floor_is_no_theorem():
    """The run's own part of the loss alone tells: 0.3 within a run, and seeds do not agree at all."""
    runs = two_runs(np.random.default_rng(3), 0.0, 0.5, 0.62)
    (loss, decay), (_, other_decay) = runs
    assert rho(loss, decay) > 0.29
    assert abs(rho(decay, other_decay)) < 0.01 < stability_of_own_loss(0.29, 0.62)


def test_a_mean_of_three_seeds_correlates_with_nothing_else_above_its_reliability():
    draws = np.random.default_rng(4)
    truth = draws.normal(size=SAMPLES)
    agreement = 0.05
    runs = np.sqrt(agreement) * truth + np.sqrt(1 - agreement) * draws.normal(size=(6, SAMPLES))
    means = runs[:3].mean(axis=0), runs[3:].mean(axis=0)
    reliability = spearman_brown(agreement, 3)
    assert np.corrcoef(means)[0, 1] == pytest.approx(reliability, abs=0.01)
    assert np.corrcoef(means[0], truth)[0, 1] == pytest.approx(np.sqrt(reliability), abs=0.01)


@pytest.mark.parametrize(("overlap", "fraction"), [(0.34, 0.1), (0.15, 0.1), (0.5, 0.2)])
def test_rankings_that_share_their_first_alone_overlap_so(overlap, fraction):
    first, correlation = shared_top_correlation(overlap, fraction)
    draws = np.random.default_rng(5)
    number, top = round(first * SAMPLES), round(fraction * SAMPLES)
    rankings = draws.random((2, SAMPLES))
    rankings[:, :number] += 1
    members = [set(np.argsort(-ranking)[:top]) for ranking in rankings]
    found = len(members[0] & members[1]) / len(members[0] | members[1])
    assert found == pytest.approx(overlap, abs=0.01)
    assert rho(*rankings) == pytest.approx(correlation, abs=0.01)
