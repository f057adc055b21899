"""Scores of a combination where rounding, or the epochs that count, decide."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from multiverse_study import write_runs

from retention.multiverse.scores import Scores
from retention.multiverse.study import read_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return read_study(*write_runs(tmp_path_factory.mktemp("runs")))


def test_where_a_constant_fits_best_rounding_gives_no_sample_a_positive_r_squared(study):
    """A confidence that only rises has no decay: its R² is 0, and 1e-16 of either sign in floats."""
    draws = np.random.default_rng(8)
    rising = [np.sort(draws.uniform(0.05, 0.9, one.shape), axis=1) for one in study.confidence]
    known = [np.ones(one.shape, dtype=bool) for one in study.correct]  # learned from the start
    found = Scores(replace(study, correct=known, confidence=rising))
    levels = {"score": "decay_constant", "trace": "confidence", "start": "kept"}
    levels |= {"curve": "scaled_exponential", "estimator": "exact", "samples": "all"}
    r_squared = found.r_squared(levels)
    assert np.abs(r_squared).max() < 1e-9 and (r_squared > 0).any()
    assert not found.counted({**levels, "samples": "r_squared_positive"}).any()


@pytest.mark.parametrize("epochs", ["all", "first_half"])
@pytest.mark.parametrize("epoch_0", ["in", "out"])
def test_scores_without_a_fit_are_of_the_epochs_that_count(study, epochs, epoch_0):
    """By loops over the epochs of each sample; F5 leaves epoch 0 out of every score."""
    wanted = {"hazard": [], "forgetting_events": [], "one_minus_retention": []}
    for of_run in study.correct:
        for correct in of_run:
            kept = correct[: (len(correct) + 1) // 2] if epochs == "first_half" else correct
            kept = [bool(one) for one in kept[1 if epoch_0 == "out" else 0 :]]
            lost = sum(a and not b for a, b in pairwise(kept))
            risk, after = sum(kept[:-1]), kept[kept.index(True) + 1 :] if True in kept else []
            wanted["hazard"].append((lost + 0.5) / (risk + 1) if risk else np.nan)
            wanted["forgetting_events"].append(lost if True in kept else np.nan)
            wanted["one_minus_retention"].append(1 - np.mean(after) if after else np.nan)
    never = study.never_learned
    for name, values in wanted.items():
        levels = {"score": name, "samples": "all", "epochs": epochs, "epoch_0": epoch_0}
        found, values = Scores(study).of(levels), np.reshape(values, never.shape)
        assert np.allclose(found, np.where(never, np.nan, values), equal_nan=True, atol=1e-12)
