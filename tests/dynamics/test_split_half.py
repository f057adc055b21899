"""What odd and even epochs agree on by chance: a run whose samples are equally forgettable, simulated."""

import sys

import numpy as np
import pytest
from sources import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

from simulated_training import EPOCHS, PILOT, Cell, correctness, draw_study

from retention.dynamics.events import half_hazard
from retention.dynamics.split_half import (
    CHANCE,
    CHANCE_WITHIN_CLASS,
    chances,
    loss_rates,
    relearning_rates,
    simulated_halves,
)
from retention.statistics.ranks import once, spearman_of_pairs
from retention.statistics.reliability import spearman_brown


def alike(samples: int, draws: np.random.Generator, lost: float, back: float) -> np.ndarray:
    """Return traces of samples that are all learned at epoch 0, and all lost and regained alike."""
    state, columns = np.ones(samples, dtype=bool), []
    for _ in range(EPOCHS + 1):
        columns.append(state)
        chance = draws.random(samples)
        state = np.where(state, chance >= lost, chance < back)
    return np.stack(columns, axis=1)


def split_half(correct: np.ndarray) -> float:
    odd, even = half_hazard(correct, 1), half_hazard(correct, 0)
    rho = spearman_of_pairs(odd[None], even[None], [(0, 0)], once(len(odd)))[0, 0]
    return float(spearman_brown(rho, 2))


def test_rates_are_pooled_by_epoch_and_by_the_time_since_the_loss():
    correct = np.array([[1, 0, 1, 1], [1, 0, 0, 1], [1, 1, 1, 0], [0, 1, 1, 1]], dtype=bool)
    np.testing.assert_allclose(loss_rates(correct), [2 / 3, 0, 1 / 3])
    # lost at epoch 1: one is back after one epoch, the other after two; one was never lost before it was learned
    np.testing.assert_allclose(relearning_rates(correct), [0, 1 / 2, 1, 0])


@pytest.mark.parametrize(("lost", "back"), [(0.05, 0.6), (0.3, 0.5)])
def test_samples_that_are_equally_forgettable_agree_by_chance_alone(lost, back):
    draws = np.random.default_rng(1)
    correct = alike(20_000, draws, lost, back)
    observed, chance = split_half(correct), chances(correct, draws)[CHANCE]
    assert abs(observed) > 0.03  # halves of one trace are not independent: chance is not 0
    assert chance == pytest.approx(observed, abs=0.03)


def test_samples_that_differ_agree_by_more_than_chance():
    draws = np.random.default_rng(2)
    correct = correctness(Cell(ever=0.25), draws, 5000)
    assert split_half(correct) > 0.2
    assert chances(correct, draws)[CHANCE] < 0


def test_classes_that_differ_agree_by_the_chance_within_class():
    """Half of the samples are lost eight times as often: within a class they are all alike."""
    draws = np.random.default_rng(3)
    correct = np.concatenate([alike(10_000, draws, lost, 0.6) for lost in (0.02, 0.16)])
    found = chances(correct, draws, np.repeat([0, 1], 10_000))
    assert found[CHANCE_WITHIN_CLASS] == pytest.approx(split_half(correct), abs=0.04)
    assert found[CHANCE] < found[CHANCE_WITHIN_CLASS] - 0.2


def test_a_simulated_run_keeps_when_samples_were_learned_and_what_never_was():
    correct = np.zeros((50, 6), dtype=bool)
    correct[:40, 2:] = True
    correct[:9, 3] = False
    for odd, even in simulated_halves(correct, np.random.default_rng(0))[:3]:
        assert np.isnan(odd[40:]).all() and np.isnan(even[40:]).all()
        assert np.isfinite(even[:40]).all()


def test_a_run_in_which_nothing_is_lost_has_no_chance():
    assert np.isnan(chances(np.ones((30, 8), dtype=bool), np.random.default_rng(0))[CHANCE])


@pytest.mark.parametrize("ever", [0.01, 0.25, 0.9])
def test_simulated_training_forgets_the_share_that_its_cell_says(ever):
    samples = 20_000
    correct = correctness(Cell(ever=ever), np.random.default_rng(4), samples)
    forgotten = (correct[:, :-1] & ~correct[:, 1:]).any(axis=1).mean()
    error = np.sqrt(ever * (1 - ever) * (1 / samples + 1 / PILOT))
    assert forgotten == pytest.approx(ever, abs=4 * error)


def test_simulated_runs_share_their_samples_only_with_signal():
    found = {}
    for sample in (0.0, 0.9):
        runs = draw_study(Cell(ever=0.25, sample=sample), np.random.default_rng(5)).runs
        values = np.stack([run.samples["forgetting_events"].to_numpy(float) for run in runs])
        found[sample] = spearman_of_pairs(values, values, [(0, 1), (0, 3)], once(800))[0]
    np.testing.assert_allclose(found[0.0], 0, atol=4 / np.sqrt(800))
    assert (found[0.9] > 4 / np.sqrt(800)).all()
