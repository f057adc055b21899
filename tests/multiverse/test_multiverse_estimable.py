"""Which combinations are told: a number of a handful of samples is none, and what has none says why."""

from dataclasses import replace

import numpy as np
import pytest
from multiverse_study import write_runs

from retention.common.options import defaults
from retention.multiverse.choices import load_choices, plans_of
from retention.multiverse.estimable import CLASSES, PLACES, SAMPLES, why_not
from retention.multiverse.frame import NO_PAIR, Estimate, nothing
from retention.multiverse.joint import joint_test
from retention.multiverse.options import complete_options
from retention.multiverse.scores import Scores
from retention.multiverse.study import read_study
from retention.multiverse.table import multiverse_table
from retention.statistics.resampling import Interval

CHOICES = load_choices()
STATISTICS = {**defaults("statistics"), "resamples": 99, "tie_breaks": 5}
# the definition alone is fixed, so that few combinations are left
FIX = {"curve": "exponential", "estimator": "exact", "start": "left_out", "smoothing": "none"}
FIX |= {"trace": "aligned", "epochs": "all", "epoch_0": "in", "failed": "missing"}
FINDINGS = ["architecture_overlap", "seed_stability", "fit_quality", "class_forgetting"]


def table_of(study, tell=print, findings=FINDINGS):
    options = complete_options({"findings": findings, "fix": FIX, "resamples": 99, "draws": 99})
    plans = plans_of(CHOICES, options, STATISTICS)
    scores = Scores(study)
    table = multiverse_table(
        study, CHOICES, plans, STATISTICS, options, lambda line: None, scores=scores
    )
    dimensions = {name: plan.dimensions for name, plan in plans.items()}
    joint, _ = joint_test(scores, table, dimensions, STATISTICS, options, lambda line: None)
    return table, joint


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return a study of 20 training samples, of which fewer were ever forgotten."""
    return read_study(*write_runs(tmp_path_factory.mktemp("small"), samples=24))


@pytest.fixture(scope="module")
def tables(small):
    return table_of(small)


def test_a_number_of_a_handful_of_samples_is_told_nowhere(tables):
    table, _ = tables
    of_samples = table[(table["finding"] != "class_forgetting") & ~table["own"]]
    few = of_samples[of_samples["n"] < SAMPLES]
    assert len(few) > 3 and few[["estimate", "low", "high", "p"]].isna().all(axis=None)
    for row in few[few["n"] > 1].itertuples():
        assert row.note == f"no estimate: {row.n} samples, fewer than 10"
    places = of_samples[(of_samples["finding"] == FINDINGS[0]) & (of_samples["n"] >= SAMPLES)]
    tops = (places["top_fraction"].astype(float) * places["n"]).round()
    assert 0 < (tops < PLACES).sum() < len(places)
    assert places.loc[tops < PLACES, "estimate"].isna().all()
    assert places.loc[tops >= PLACES, "estimate"].notna().all()


def test_the_studys_own_is_told_as_its_finding_has_it(tables):
    own = tables[0][tables[0]["own"] & (tables[0]["finding"] == "architecture_overlap")]
    assert own["estimate"].notna().all()
    assert own["note"].str.contains("fewer than 3").all()
    assert not own["note"].str.startswith("no estimate").any()


def test_what_is_not_told_is_tested_nowhere(tables):
    table, joint = tables
    for row in joint[joint["draws"] > 0].itertuples():
        told = table[(table["finding"] == row.finding) & table["estimate"].notna()]
        of_it = told[told["comparison"] == row.comparison] if row.comparison else told
        of_it = of_it[of_it["kind"] != "fault"]
        assert row.combinations <= of_it["combination"].nunique()
    (single,) = joint[joint["finding"] == "architecture_overlap"]["combinations"].unique()
    told = table[table["finding"].eq("architecture_overlap") & table["kind"].ne("fault")]
    assert single == told["estimate"].dropna().round(9).nunique()


def test_equal_values_have_no_order_and_that_is_what_is_said(small):
    """All traces are the same ones: n is large, and there is nothing to rank by."""
    alike = [np.tile([True, False, True, True], (small.forgotten.shape[1], 1)) for _ in small.runs]
    study = replace(small, correct=alike, confidence=None)
    table, _ = table_of(study, findings=["seed_stability"])
    fitted = table[table["score"].eq("decay_constant") & table["samples"].eq("all")]
    fitted = fitted[~fitted["own"] & fitted["kind"].eq("crossed")]
    fitted = fitted[fitted["never_learned"].eq("left_out")]
    assert len(fitted) and fitted["estimate"].isna().all() and (fitted["n"] >= SAMPLES).all()
    assert set(fitted["note"].str.replace(r"\d+", "N", regex=True)) == {
        "no estimate: the N samples of a class have equal values in a run, and equal values have no order"
    }


def one(n, estimate, note=""):
    interval = Interval(estimate, 0.1, 1.0, "new runs")
    return Estimate("a", "a", "s", [0], interval, n, 0.0, 0.01, note)


@pytest.mark.parametrize(
    ("n", "estimate", "levels", "told"),
    [
        (1, 0.5, {}, "1 sample, fewer than 10"),
        (SAMPLES, 0.5, {}, ""),
        (29, 0.5, {"top_fraction": "0.1"}, ""),
        (
            24,
            0.5,
            {"top_fraction": "0.05"},
            "1 place in the top fraction of 24 samples, fewer than 3",
        ),
        (
            CLASSES - 1,
            0.5,
            {"class_value": "mean_score"},
            "2 classes with a value in every run, fewer than 3",
        ),
        (CLASSES, 0.5, {"class_value": "mean_score"}, ""),
        (8, np.nan, {"class_value": "mean_score"}, "the 8 classes have equal values in a run"),
        (13, np.nan, {}, "the 13 samples have equal values in a run"),
        (40, np.nan, {"top_fraction": "0.1", "class": "adjusted"}, "no class has a place"),
    ],
)
def test_the_reason_is_what_is_lacking(n, estimate, levels, told):
    found = why_not(one(n, estimate), levels)
    assert found.startswith(told) and bool(found) == bool(told)


def test_what_is_not_compared_keeps_its_reason():
    assert why_not(nothing("a", "a", "s", [0], NO_PAIR), {}) == NO_PAIR
