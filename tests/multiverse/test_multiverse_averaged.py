"""Scores averaged over seeds: over every set of so many, so that the number is that of a study of so many seeds."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from by_hand import midrank_jaccard, rho
from multiverse_study import write_runs

from retention.common.options import defaults
from retention.common.parts import load_part
from retention.measuring.table import Setting
from retention.multiverse.averaged import MOST, sets_of
from retention.multiverse.choices import load_choices, plans_of
from retention.multiverse.combinations import reduced
from retention.multiverse.frame import Side, compared, frame_of
from retention.multiverse.grids import NewStudy
from retention.multiverse.options import complete_options
from retention.multiverse.scores import Scores
from retention.multiverse.study import read_study
from retention.statistics.ranks import spearman_over_pairs
from retention.statistics.redrawn import Redrawn
from retention.statistics.resampling import CORRELATION, bootstrap_weights

CHOICES = load_choices()
STATISTICS = {**defaults("statistics"), "resamples": 99, "tie_breaks": 20}


@pytest.mark.parametrize("seeds", [1, 2, 3, 4, 8, 9, 20, 100])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_each_seed_is_in_equally_many_sets(seeds, size):
    found = sets_of(seeds, size)
    number = min(size, seeds)
    assert len(set(found)) == len(found)
    assert all(len(set(one)) == number and set(one) <= set(range(seeds)) for one in found)
    assert len(set(np.bincount(np.ravel(found), minlength=seeds))) == 1
    assert len(found) <= max(MOST, seeds)
    if seeds == 8:
        assert found == list(combinations(range(8), size))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return read_study(*write_runs(tmp_path_factory.mktemp("runs"), seeds=range(4)))


@pytest.mark.parametrize("over", [2, 3, 4, 7])
def test_the_number_is_the_mean_over_the_sets(study, over):
    options = complete_options({"resamples": 99, "averaged_over": over})
    plans = plans_of(CHOICES, options, STATISTICS)
    scores = Scores(study)
    sets = list(combinations(range(4), min(over, 4)))

    def evaluated(finding, **changes):
        levels = reduced(CHOICES, {**plans[finding].own, **changes, "pairs": "averaged"})
        part = load_part("retention.multiverse.estimates", finding)
        frame = frame_of(study, finding, STATISTICS, options)
        return {one.comparison: one.interval for one in part.estimates(frame, scores, levels)}

    def mean(rows, which):
        return np.nanmean(rows[list(which)], axis=0)

    hazard = np.stack([run.samples["hazard"] for run in study.runs])
    loss = np.stack([run.samples["loss_0"] for run in study.runs])
    one, other = hazard[:4], hazard[4:]
    found = evaluated("architecture_overlap", score="hazard", ties="midranks", top_fraction="0.2")
    wanted = [midrank_jaccard(mean(one, which), mean(other, which), 0.2) for which in sets]
    assert found["a vs b"].estimate == pytest.approx(np.mean(wanted), abs=1e-12)
    found = evaluated("early_loss", score="hazard", epoch_0="in")
    wanted = [rho(mean(loss[:4], which), mean(one, which)) for which in sets]
    assert found["a"].estimate == pytest.approx(np.mean(wanted), abs=1e-12)
    assert found["a"].target == ("new runs" if over < 4 else "these runs")
    assert found["a"].low < found["a"].estimate < found["a"].high


SAMPLES, OURS, THEIRS = 150, 8, 3


def simulated(seeds, draws):
    """Return losses and scores of so many seeds, float [R, N] each: what a sample is, and what a run makes of it."""
    sample = draws.normal(size=SAMPLES)
    return (sample + spread * draws.normal(size=(seeds, SAMPLES)) for spread in (1.5, 2.0))


def interval_of(loss, score, over, draws):
    number = np.arange(SAMPLES)
    classes = np.zeros(SAMPLES, dtype=int)

    def weights(generator, rows):
        return bootstrap_weights(number, classes, rows, generator)

    resamples = Redrawn(weights, 99, draws)
    setting = Setting(STATISTICS, resamples, number, classes, np.array(["x"]), draws)
    frame = SimpleNamespace(setting=setting, averaged_over=over)
    seeds = range(len(loss))
    sides = [Side(one, np.ones(one.shape, dtype=bool), seeds) for one in (loss, score)]
    pair = compared(frame, *sides, "averaged")
    rho_of = spearman_over_pairs(pair.first.values, pair.second.values, pair.pairs)
    return pair.interval(rho_of, CORRELATION)


@pytest.mark.slow
def test_a_new_study_of_fewer_seeds_lies_in_the_interval_of_means_over_as_many():
    """A mean over all of ours is another quantity, and rules out the truth."""
    draws = np.random.default_rng(3)
    inside = {THEIRS: [], OURS: []}
    times = NewStudy(OURS, THEIRS, THEIRS).halves(0.95, np.array(True))
    for _ in range(150):
        loss, score = simulated(OURS, draws)
        other_loss, other_score = simulated(THEIRS, draws)
        reported = np.arctanh(round(rho(other_loss.mean(axis=0), other_score.mean(axis=0)), 2))
        for over, found in inside.items():
            one = interval_of(loss, score, over, draws)
            low, centre, high = np.arctanh([one.low, one.estimate, one.high])
            found.append(
                centre - times * (centre - low) <= reported <= centre + times * (high - centre)
            )
    assert np.mean(inside[THEIRS]) >= 0.9
    assert np.mean(inside[OURS]) < 0.75
