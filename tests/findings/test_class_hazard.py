"""The hazard of a class is of its forgetting events, whenever its samples were learned."""

from dataclasses import replace

import numpy as np
import pytest
from planted_runs import OPTIONS, N, pick, run_of
from told import sentences_of

from retention.findings.class_forgetting import measure as class_forgetting
from retention.runs.reading import events_at_risk

EPOCHS = 30


def run_with(seed, classes, events, at_risk):
    hazard = np.where(at_risk > 0, (events + 0.5) / (at_risk + 1), np.nan)
    columns = {"forgetting_events": events, "hazard": hazard, "epochs_at_risk": at_risk}
    return run_of("a", seed, classes, decay_constant=hazard, **columns)


def test_classes_learned_late_are_not_called_forgotten():
    """Four classes, learned ever later, of which not one sample is lost: W was 1, p 0.005."""
    draws = np.random.default_rng(1)
    classes = np.arange(N) % 4
    runs = [
        run_with(seed, classes, np.zeros(N), EPOCHS - 6 * classes - draws.integers(0, 6, N))
        for seed in range(3)
    ]
    table = class_forgetting.measure(runs, OPTIONS, {}, {})
    assert pick(table, "a: c3", "class_hazard")["estimate"] == 0
    concordance = pick(table, "a", "kendalls_w")
    assert np.isnan(concordance["estimate"])
    assert np.isnan(concordance["p"])
    text = "\n".join(sentences_of("class_forgetting")(table))
    assert "**a**: no sample of 4 classes was ever forgotten." in text


def test_a_classs_hazard_is_the_rate_its_samples_are_lost_at():
    """One rate, 5 % an epoch, whatever the epochs at risk: every class's interval is about it."""
    draws = np.random.default_rng(2)
    classes = np.arange(4000) % 4
    at_risk = EPOCHS - 8 * classes
    runs = [
        run_with(seed, classes, draws.binomial(at_risk, 0.05).astype(float), at_risk)
        for seed in range(4)
    ]
    table = class_forgetting.measure(runs, OPTIONS, {}, {})
    for label in range(4):
        found = pick(table, f"a: c{label}", "class_hazard")
        assert found["estimate"] == pytest.approx(0.05, abs=0.005)
        assert found["low"] < found["estimate"] < found["high"]
    assert pick(table, "a", "kendalls_w")["p_corrected"] > 0.05


def test_a_class_hazard_worked_by_hand():
    classes = np.array([0, 0, 1, 1])
    runs = [
        run_with(0, classes, np.array([1.0, 3, 0, 2]), np.array([4, 16, 10, 10])),
        run_with(1, classes, np.array([0.0, 1, 0, 4]), np.array([0, 10, 10, 10])),
    ]
    table = class_forgetting.measure(runs, OPTIONS, {}, {})
    assert pick(table, "a: c0", "class_hazard")["estimate"] == pytest.approx((4 / 20 + 1 / 10) / 2)
    assert pick(table, "a: c0", "class_hazard")["n"] == round(1.5)
    assert pick(table, "a: c1", "class_hazard")["estimate"] == pytest.approx((2 / 20 + 4 / 20) / 2)
    assert pick(table, "a: c1", "class_hazard")["chance"] == pytest.approx(11 / 70)


def test_a_class_of_which_few_are_ever_forgotten_says_what_that_leaves_open():
    """By counts: of none lost 3.69 might be, each in both runs, in 2 × 1,000 epochs; 2 samples are 0.24 to 7.2."""
    classes, at_risk = np.repeat([0, 1], 100), np.full(200, 10)
    lost = np.zeros((2, 200))
    lost[0, [100, 101]], lost[1, 101] = 1.0, 1.0
    runs = [run_with(seed, classes, events, at_risk) for seed, events in enumerate(lost)]
    table = class_forgetting.measure(runs, OPTIONS, {}, {})
    none, two = (pick(table, f"a: c{label}", "class_hazard") for label in range(2))
    assert (none["estimate"], none["low"]) == (0, 0)
    assert none["high"] == pytest.approx(2 * 3.689 / 2000, rel=1e-3)
    assert none["note"] == "0 groups ever forgotten"
    assert two["estimate"] == pytest.approx(3 / 2000)
    assert two["low"] <= 0.2422 / 2 * two["estimate"] * 1.001
    assert two["high"] >= 7.2247 / 2 * two["estimate"] * 0.999
    often = [replace(run, samples=run.samples.assign(epochs_at_risk=1)) for run in runs]
    hazard = pick(class_forgetting.measure(often, OPTIONS, {}, {}), "a: c1", "class_hazard")
    assert hazard["low"] < hazard["estimate"] < hazard["high"] <= 1


def test_groups_that_may_be_forgotten_whole_are_what_a_class_without_an_event_is_counted_by():
    """Of 10 groups of 10 none was lost; 3.69 of them might be, with all their samples, in each of 2 runs."""
    classes, at_risk = np.repeat([0, 1], 100), np.full(200, 10)
    lost = np.zeros((2, 200))
    lost[0, 100] = 1.0
    runs = [run_with(seed, classes, events, at_risk) for seed, events in enumerate(lost)]
    grouped = [
        replace(run, samples=run.samples.assign(group=(np.arange(200) // 10).astype(str)))
        for run in runs
    ]
    none = pick(class_forgetting.measure(grouped, OPTIONS, {}, {}), "a: c0", "class_hazard")
    assert none["high"] == pytest.approx(3.689 * 10 * 2 / 2000, rel=1e-3)


def test_epochs_at_risk_follow_from_the_hazard():
    at_risk = np.array([0, 5, 12, 1] * (N // 4))
    events = np.array([0.0, 2, 0, 1] * (N // 4))
    run = run_with(0, np.arange(N) % 4, events, at_risk)
    lacking = replace(run, samples=run.samples.drop(columns="epochs_at_risk"))
    np.testing.assert_allclose(events_at_risk([lacking])[1][0], at_risk, atol=1e-9)
