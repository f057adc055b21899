"""The parts of benchmarks/label_errors.py against what is known without them: what is planted, trained and counted."""

import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sources import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import label_errors
import label_scores
import label_sets
import label_training


@pytest.mark.parametrize("kind", label_sets.KINDS)
def test_labels_are_wrong_in_the_share_and_the_way_that_the_kind_says(kind):
    found = label_sets.drawn("digits_400", kind, 0.06, [0])
    assert len(found.true) == 800 and found.training == 400
    assert found.wrong.sum() == 24 and (found.label != found.true)[400:].sum() == 24
    changed = found.label != found.true
    steps = (found.label - found.true)[changed] % 10
    assert (set(steps) == {1}) == (kind == label_sets.SYSTEMATIC)


def test_a_set_without_planted_labels_has_none_and_other_draws_other_images():
    one, other = (label_sets.drawn("mnist_400_imbalanced", "none", 0.0, [seed]) for seed in (0, 1))
    assert not one.wrong.any() and not np.array_equal(one.images, other.images)
    sizes = np.bincount(one.true[:400])
    assert sizes.max() / sizes.min() > 8


def test_models_that_train_side_by_side_are_those_that_train_alone():
    """The same weights, images and orders, in a network that torch builds from its own layers."""
    draws = np.random.default_rng(0)
    images = draws.random((6, 8, 8), dtype=np.float32)
    weights = label_training._weights(3, 8, 4, draws)
    side_by_side = label_training._forward(
        torch.from_numpy(images)[:, None].expand(-1, 3, -1, -1), weights
    )
    first, second, last, *_ = weights
    for model in range(3):
        alone = torch.nn.Sequential(
            torch.nn.Conv2d(1, 8, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(8, 16, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Flatten(),
            torch.nn.Linear(64, 4),
        )
        with torch.no_grad():
            for layer, values in (
                (0, first[8 * model :][:8]),
                (3, second[16 * model :][:16]),
                (7, last[model].T),
            ):
                alone[layer].weight.copy_(values)
                alone[layer].bias.zero_()
        expected = alone(torch.from_numpy(images)[:, None])
        torch.testing.assert_close(side_by_side[model], expected)


def test_a_training_learns_what_it_is_trained_on_and_margins_are_of_its_own_part():
    images = np.zeros((40, 8, 8), dtype=np.float32)
    images[20:] = 1.0
    label = np.repeat([0, 1], 20)
    parts = [np.arange(10, 30), np.arange(0, 20)]
    found = label_training.trained(images, np.tile(label, (2, 1)), parts, 2, 8, [0])
    assert found.logits.shape == (8, 2, 40, 2)
    assert (found.logits[-1, 0].argmax(axis=-1) == label).all()
    assert (found.logits[-1, 1].argmax(axis=-1) == 0).all()  # it saw no other class
    assert (
        np.isnan(found.margins[:, 0, :10]).all() and np.isfinite(found.margins[:, 0, 10:30]).all()
    )


def test_reviewing_counts_ties_by_their_share():
    wrong = np.arange(200) < 20
    assert label_errors.reviewed(np.zeros(200), wrong)["in_first_100"] == pytest.approx(10)
    best = label_errors.reviewed(wrong.astype(float), wrong)
    assert best["average_precision"] == 1 and best["in_first_100"] == 20
    assert best["found_in_first_4_percent"] == pytest.approx(8 / 20)
    assert np.isnan(label_errors.reviewed(np.zeros(200), np.zeros(200, bool))["average_precision"])


def test_cells_pair_scores_of_a_draw_and_choose_by_held_out_accuracy():
    rows = []
    for draw in range(3):
        for epochs, held_out in ((5, 0.8), (10, 0.9), (20, 0.9)):
            for score, value in (("error_norm", 0.9), ("other", 0.5 + 0.1 * draw)):
                row = {name: 0.0 for name in label_errors.MEANS}
                row |= {"set": "s", "kind": "random", "share": 0.1, "draw": draw, "epochs": epochs}
                rows.append(
                    row
                    | {"score": score, "held_out_accuracy": held_out, "average_precision": value}
                )
    table = label_errors.cells(label_errors.with_chosen(pd.DataFrame(rows)))
    chosen = table[(table["epochs"] == "chosen") & (table["score"] == "other")]
    assert (
        len(chosen) == 1
        and chosen["held_out_accuracy"].item() == 0.9
        and chosen["draws"].item() == 3
    )
    assert chosen["error_norm_above"].item() == pytest.approx(0.3)
    assert chosen["above_low"].item() == pytest.approx(0.3 - 4.302653 * 0.1 / np.sqrt(3))
    assert label_errors.counted(table) == {"cells": 1.0, "above other": 1.0, "below other": 0.0}


def test_out_of_fold_probabilities_are_of_trainings_that_left_the_image_out():
    labelled = label_sets.drawn("digits_400", "random", 0.06, [2])
    trainings = label_scores.train(labelled, 3, [2])
    assert np.array_equal(np.sort(np.concatenate(trainings.left_out)), np.arange(400))
    for fold, places in enumerate(trainings.left_out):
        trained_on = np.isfinite(trainings.folds.margins[0, fold])
        assert trained_on.sum() == 320 and not trained_on[places].any()
    names = [name for name, _ in label_scores.scores(trainings, 3)]
    assert len(set(names)) == len(names) == 14
