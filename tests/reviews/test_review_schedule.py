"""Schedules of reviews: what other runs' scores make of them, and that nothing else gets in."""

import math

import numpy as np
import pandas as pd
import pytest
from review_runs import EPOCHS, LABELS, N, presentations, run_of

from retention.common.errors import UserError
from retention.reviews.pruning import kept_samples
from retention.reviews.schedule import schedule_reviews, shuffled_within_class
from retention.runs.reading import Run
from retention.samplers.spaced_repetition import below_hazard, review_weights
from retention.sampling.treatments import complete_treatment

SAMPLES = run_of(0).samples[["sample_index", "label", "class_name"]]


def schedule_of(definition: dict, runs: list[Run], seed: int = 0) -> tuple[pd.DataFrame, dict]:
    draws = np.random.default_rng(seed)
    return schedule_reviews(complete_treatment(definition), SAMPLES, runs, EPOCHS, draws)


def scheduled(definition: dict, runs: list[Run], seed: int = 0) -> pd.DataFrame:
    return schedule_of(definition, runs, seed)[0]


@pytest.mark.parametrize(
    "definition",
    [
        {"sampler": "spaced_repetition"},
        {"sampler": "spaced_repetition", "source": "other_seeds"},
        {"sampler": "spaced_repetition", "shuffle": "within_class"},
        {"sampler": "forgetting_weighted"},
        {"keep_fraction": 0.5, "prune_by": "random"},
        {"keep_fraction": 0.25},
        {"keep_fraction": 0.75, "prune_by": "hazard", "keep": "least_forgotten"},
    ],
)
def test_every_schedule_presents_n_samples_in_every_epoch(definition):
    runs = [run_of(1), run_of(2)] if definition.get("source") == "other_seeds" else [run_of(1)]
    if definition.get("prune_by") == "random":
        runs = []
    for seed in range(10):
        counts = presentations(scheduled(definition, runs, seed))
        assert (counts.sum(axis=1) == N).all()
        assert counts.min() >= 0


def test_rates_follow_the_larger_of_the_decay_constant_and_the_smoothed_hazard():
    # Never forgotten in 1 and 9 epochs at risk; then λ above, and below, −ln(1 − 1.5 / 10).
    decay, hazards = np.array([0.0, 0.0, 0.5, 0.001, np.nan]), [0.25, 0.05, 0.15, 0.15, 0.25]
    weights = review_weights(decay, np.array(hazards))
    np.testing.assert_allclose(
        weights, [math.log(4 / 3), -math.log(0.95), 0.5, -math.log(0.85), np.nan]
    )


def test_a_forgotten_sample_outranks_one_that_never_was():
    """By hand: n = 20; lost once or never. λ of a sample lost once and regained is nearly 0."""
    events, risk = np.arange(N) % 2, np.full(N, 20)
    columns = {"forgetting_events": events, "epochs_at_risk": risk, "never_learned": False}
    columns |= {"hazard": (events + 0.5) / 21, "decay_constant": 1e-4 * events}
    table = scheduled({"sampler": "spaced_repetition"}, [run_of(1, **columns)])
    weights = -np.log(1 - np.array([0.5, 1.5]) / 21)
    np.testing.assert_allclose(table["review_weight"], weights[events])
    np.testing.assert_allclose(table["rate"], (weights / weights.mean())[events])
    # Half of the samples give up 1 − r of their presentations.
    _, facts = schedule_of({"sampler": "spaced_repetition"}, [run_of(1, **columns)])
    assert float(facts["moved"]) == pytest.approx((1 - weights[0] / weights.mean()) / 2, abs=1e-4)
    # Learned late, held for 10 epochs: below what was lost once in 20.
    columns["hazard"] = np.where(events, 1.5 / 21, 0.5 / 11)
    table = scheduled({"sampler": "spaced_repetition"}, [run_of(1, **columns)])
    assert table["rate"][events == 1].min() > table["rate"][events == 0].max()


def test_the_share_whose_decay_constant_says_less_than_the_hazard():
    # −ln(1 − 0.5) = 0.69: of three forgotten samples with a λ two lie below; never forgotten: none.
    decay = np.array([[0.1, 0.7, 0.6, 0.1, np.nan]])
    events, hazards = np.array([[1, 1, 2, 0, 1]]), np.full((1, 5), 0.5)
    assert below_hazard(decay, hazards, events) == pytest.approx(2 / 3)
    assert math.isnan(below_hazard(decay, hazards, np.zeros((1, 5))))


def test_rates_are_in_proportion_to_decay_constants_above_the_hazard():
    decay = np.linspace(0.2, 0.3, N)
    run = run_of(1, decay_constant=decay, hazard=0.5 / 21, never_learned=False)
    rates = scheduled({"sampler": "spaced_repetition"}, [run])["rate"]
    np.testing.assert_allclose(rates, decay * N / decay.sum())
    unknown = run.samples.assign(decay_constant=np.where(np.arange(N) < 7, np.nan, decay))
    rates = scheduled({"sampler": "spaced_repetition"}, [Run("d", "a", 1, unknown)])["rate"]
    assert (rates[:7] == 1).all()
    np.testing.assert_allclose(rates[7:], decay[7:] * (N - 7) / decay[7:].sum())


def test_forgetting_weighted_rates_follow_the_events():
    events = np.arange(N) % 2
    run = run_of(1, forgetting_events=events, never_learned=False)
    rates = scheduled({"sampler": "forgetting_weighted"}, [run])["rate"]
    np.testing.assert_allclose(rates, (events + 1) / 1.5)


def test_other_seeds_are_averaged_over_those_that_have_a_score():
    """λ* of each run first, then the mean: 0.2 and −ln 0.5; and λ = 0.3 in one run alone."""
    decay = np.array([[0.2, np.nan, np.nan], [0.4, 0.3, np.nan]])
    runs = [
        run_of(
            seed,
            decay_constant=np.resize(row, N),
            hazard=np.resize([[0.05, 0.05, 0.05], [0.5, 0.1, 0.1]][seed], N),
            never_learned=False,
        )
        for seed, row in enumerate(decay)
    ]
    table = scheduled({"sampler": "spaced_repetition", "source": "other_seeds"}, runs)
    np.testing.assert_allclose(table["decay_constant"][:3], [0.3, 0.3, np.nan])
    np.testing.assert_allclose(table["hazard"][:3], [0.275, 0.1, np.nan])
    expected = [(0.2 + math.log(2)) / 2, 0.3, np.nan]
    np.testing.assert_allclose(table["review_weight"][:3], expected)
    assert table["rate"][2] == 1


def test_shuffling_within_class_keeps_the_exposures_of_every_class():
    for seed in range(20):
        order = shuffled_within_class(LABELS, np.random.default_rng(seed))
        assert sorted(order) == list(range(N))
        assert (LABELS[order] == LABELS).all()
    moved = (order != np.arange(N)).mean()
    assert moved > 0.8
    plain = scheduled({"sampler": "spaced_repetition"}, [run_of(1)])
    mixed = scheduled({"sampler": "spaced_repetition", "shuffle": "within_class"}, [run_of(1)])
    for label in range(4):
        of_class = label == LABELS
        np.testing.assert_array_equal(
            np.sort(plain["rate"][of_class]), np.sort(mixed["rate"][of_class])
        )
    # λ and the hazard of a sample move together.
    columns = ["decay_constant", "hazard", "rate"]
    rows = [sorted(map(tuple, table[columns].fillna(-1).to_numpy())) for table in (plain, mixed)]
    np.testing.assert_array_equal(*rows)
    assert np.corrcoef(plain["rate"], mixed["rate"])[0, 1] < 0.5


def test_pruning_keeps_the_most_forgotten_of_every_class():
    score = np.arange(N, dtype=float)
    kept = kept_samples(score, LABELS, 0.5, np.random.default_rng(0))
    # The only one of its class, and 49 of the 99 others: 19.8, 19.8 and 9.4 → 20, 20 and 9
    assert [kept[label == LABELS].sum() for label in range(4)] == [20, 20, 9, 1]
    for label in range(4):
        of_class = score[label == LABELS]
        assert of_class[kept[label == LABELS]].min() > of_class[~kept[label == LABELS]].max(
            initial=-1
        )
    table = scheduled({"keep_fraction": 0.5}, [run_of(1)])
    counts = presentations(table)
    trained = counts.sum(axis=0) > 0
    assert trained.sum() == 50 and (counts[:, trained] == 2).all()
    least = scheduled({"keep_fraction": 0.5, "keep": "least_forgotten"}, [run_of(1)])
    both = (
        np.nanmean(table["decay_constant"][trained]),
        np.nanmean(least["decay_constant"][least["rate"] > 0]),
    )
    assert both[0] > 2 * both[1]


def test_ties_and_samples_without_a_score_are_kept_by_lot():
    score = np.zeros(N)
    score[:10] = np.nan
    times = np.zeros(N)
    for seed in range(600):
        times += kept_samples(score, LABELS, 0.5, np.random.default_rng(seed))
    # 0.5 ± five standard errors in the two large classes, whatever the place in the file
    assert np.abs(times[:80] / 600 - 0.5).max() < 0.1
    assert np.abs(times[:10].mean() / 600 - 0.5) < 0.04


@pytest.mark.parametrize(
    ("sizes", "fraction", "quotas"),
    [
        ([3] * 20 + [100], 0.25, [1] * 20 + [20]),  # 40 of 160: the large class gives 5 of its 25
        ([1, 1, 6, 12], 0.3, [1, 1, 1, 3]),  # 6 of 20: 4 are left for 18
        ([3] * 100, 0.25, [1] * 100),  # more classes than samples asked for
        ([1], 0.1, [1]),
        ([2, 2], 0.99, [2, 2]),
    ],
)
def test_as_many_are_kept_as_asked_for_and_one_of_every_class(sizes, fraction, quotas):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    for seed in range(5):
        draws = np.random.default_rng(seed)
        kept = kept_samples(draws.random(len(labels)), labels, fraction, draws)
        assert np.bincount(labels[kept]).tolist() == quotas


@pytest.mark.parametrize(
    ("size", "unscored", "fraction"), [(4, 1, 0.25), (4, 3, 0.5), (7, 2, 3 / 7), (5, 5, 0.4)]
)
def test_samples_without_a_score_are_kept_as_often_as_by_random_in_any_class(
    size, unscored, fraction
):
    score = np.arange(size, dtype=float)
    score[:unscored] = np.nan
    draws, times, number = np.random.default_rng(0), np.zeros(size), 4000
    for _ in range(number):
        kept = kept_samples(score, np.zeros(size, dtype=int), fraction, draws)
        assert kept.sum() == round(fraction * size)
        ranks = np.flatnonzero(kept[unscored:])
        assert ranks.tolist() == list(range(size - unscored - len(ranks), size - unscored))
        times += kept
    error = math.sqrt(fraction * (1 - fraction) / number)
    assert np.abs(times[:unscored] / number - fraction).max() < 5 * error


@pytest.mark.parametrize(
    ("score", "forgotten_have"),
    [
        ("decay_constant", "large"),
        ("half_life", "small"),
        ("confidence", "small"),
        ("aligned_power_score", "large"),
        ("aligned_power_half_life", "small"),
    ],
)
def test_most_forgotten_is_the_right_end_of_every_score(score, forgotten_have):
    """In a class of 40, 20 are kept: numbers 0 to 39 say which; the never learned have none."""
    values = np.where(np.arange(N) < 40, np.arange(N), 0.0)
    run = run_of(1, **{score: values, "never_learned": False})
    for keep, end in (("most_forgotten", "large"), ("least_forgotten", "small")):
        rates = scheduled({"keep_fraction": 0.5, "prune_by": score, "keep": keep}, [run])["rate"]
        kept = np.flatnonzero(rates[:40] > 0)
        expected = range(20, 40) if (end == forgotten_have) else range(20)
        assert kept.tolist() == list(expected)


def test_never_learned_samples_have_no_score_to_be_pruned_by():
    values = {"unforgettable": np.arange(N) % 2 == 0, "never_learned": np.arange(N) < 5}
    table = scheduled({"keep_fraction": 0.5, "prune_by": "unforgettable"}, [run_of(1, **values)])
    assert table["unforgettable"][:5].isna().all() and table["unforgettable"][5:].notna().all()


def test_scores_that_are_not_there_are_named():
    with pytest.raises(UserError, match=r"seed 1: samples.parquet lacks the column loss_0"):
        scheduled({"keep_fraction": 0.5, "prune_by": "loss_0"}, [run_of(1)])
    with pytest.raises(UserError, match=r"give no sample a score .review_weight, decay"):
        scheduled({"sampler": "spaced_repetition"}, [run_of(1, decay_constant=np.nan)])
