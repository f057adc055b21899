"""The joint test: numbers under exchanges against permuted data, p of tables by hand, what can not be tested."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from multiverse_study import write_runs

from retention.common.multiverse_tables import FAULT
from retention.common.options import defaults
from retention.common.parts import load_part
from retention.multiverse.choices import load_choices, plans_of
from retention.multiverse.combinations import combinations_of
from retention.multiverse.exchanged import WITHIN_CLASS, draws_of, exchange_of, orders_of
from retention.multiverse.frame import frame_of
from retention.multiverse.joint import _corrected, excess, joint_test, mean_of, median_test
from retention.multiverse.nulls import fit_quality
from retention.multiverse.options import complete_options
from retention.multiverse.scores import Scores
from retention.multiverse.study import Study, read_study

CHOICES = load_choices()
STATISTICS = {**defaults("statistics"), "resamples": 99}
OPTIONS = complete_options({"fix": {"estimator": "exact"}, "resamples": 99, "draws": 99})
PLANS = plans_of(CHOICES, OPTIONS, STATISTICS)
TIMES = 3


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return read_study(*write_runs(tmp_path_factory.mktemp("runs"), seeds=range(5)))


@pytest.fixture(scope="module")
def scores(study):
    return Scores(study)


def listed(finding, step=9):
    """Return some combinations of a finding, those that are tried alone and some of the factorial; ties share places."""
    every = combinations_of(CHOICES, PLANS[finding], OPTIONS["most"])
    kept = [one for one in every if one.kind != FAULT]
    crossed = [one for one in kept if one.kind == "crossed"][::step]
    alone = [
        one for one in kept if one.kind == "alone" and one.levels["estimator"] in ("", "exact")
    ]
    return [
        replace(one, levels={**one.levels, "ties": "midranks"}) if one.levels.get("ties") else one
        for one in crossed + alone
    ]


def moved(study, orders):
    """Return the study in which, of run r, at place s stands sample orders[r][s]; names of samples stay where they are."""
    stay = ["sample_index", "sample_id", "label", "class_name", "group"]
    runs = []
    for run, order in zip(study.runs, orders, strict=True):
        table = run.samples.iloc[order].reset_index(drop=True)
        stays = [name for name in stay if name in table]
        table[stays] = run.samples[stays].reset_index(drop=True)
        runs.append(replace(run, samples=table))
    correct = [one[order] for one, order in zip(study.correct, orders, strict=True)]
    confidence = [one[order] for one, order in zip(study.confidence, orders, strict=True)]
    return Study(runs, correct, confidence)


def with_column(study, name, values):
    """Return the study with a column of each run replaced."""
    runs = [
        replace(run, samples=run.samples.assign(**{name: value}))
        for run, value in zip(study.runs, values, strict=True)
    ]
    return replace(study, runs=runs)


def ordinary(study, finding, combinations):
    """Return estimates by combination and comparison, as the multiverse makes them."""
    frame, scores = frame_of(study, finding, STATISTICS, OPTIONS), Scores(study)
    part = load_part("retention.multiverse.estimates", finding)
    found = {}
    for one in combinations:
        with np.errstate(divide="ignore", invalid="ignore"):
            for estimate in part.estimates(frame, scores, one.levels):
                if estimate.statistic != "mean_r_squared":
                    found[one.number, estimate.comparison] = estimate.interval.estimate
    return found


def permuted(study, scores, finding, combinations, version):
    frame = frame_of(study, finding, STATISTICS, OPTIONS)
    part = load_part("retention.multiverse.nulls", finding)
    with np.errstate(divide="ignore", invalid="ignore"):
        return frame, part.permuted(frame, scores, combinations, version, TIMES)


def require_same(numbers, draw, wanted):
    assert set(wanted) == set(numbers) and len(wanted) > 15
    for target, value in wanted.items():
        assert numbers[target][draw] == pytest.approx(value, abs=1e-9, nan_ok=True), target


def exchanges(frame, finding, version, units):
    whole = orders_of(frame, finding, exchange_of(frame, version), units, version, TIMES)
    return np.concatenate(list(whole))


@pytest.mark.parametrize("version", ["", WITHIN_CLASS])
def test_overlaps_are_those_of_architectures_in_other_orders(study, scores, version):
    combinations = listed("architecture_overlap")
    frame, numbers = permuted(study, scores, "architecture_overlap", combinations, version)
    for draw, (order,) in enumerate(exchanges(frame, "architecture_overlap", version, 1)[:3]):
        still = np.arange(len(order))
        orders = [still if run.architecture == "a" else order for run in study.runs]
        wanted = ordinary(moved(study, orders), "architecture_overlap", combinations)
        require_same(numbers, draw, wanted)


@pytest.mark.parametrize("version", ["", WITHIN_CLASS])
def test_agreement_is_that_of_seeds_in_other_orders(study, scores, version):
    combinations = listed("seed_stability")
    frame, numbers = permuted(study, scores, "seed_stability", combinations, version)
    for draw, of_seeds in enumerate(exchanges(frame, "seed_stability", version, 5)[:3]):
        orders = [of_seeds[run.seed] for run in study.runs]
        wanted = ordinary(moved(study, orders), "seed_stability", combinations)
        require_same(numbers, draw, wanted)


def test_predictions_are_those_of_losses_in_another_order(study, scores):
    combinations = listed("early_loss", step=13)
    frame, numbers = permuted(study, scores, "early_loss", combinations, WITHIN_CLASS)
    for draw, (order,) in enumerate(exchanges(frame, "early_loss", WITHIN_CLASS, 1)[:3]):
        losses = [run.samples["loss_0"].to_numpy()[order] for run in study.runs]
        wanted = ordinary(with_column(study, "loss_0", losses), "early_loss", combinations)
        require_same(numbers, draw, wanted)


def test_concordances_are_those_of_other_labels(study, scores):
    combinations = listed("class_forgetting", step=5)
    frame, numbers = permuted(study, scores, "class_forgetting", combinations, "")
    labels = frame.labellings.over(lambda block: block)[:2]
    for draw, found in enumerate([frame.setting.classes, *labels]):
        other = with_column(study, "label", [found] * len(study.runs))
        require_same(numbers, draw, ordinary(other, "class_forgetting", combinations))


def test_differences_are_those_of_runs_that_change_places(study, scores):
    combinations = listed("fit_quality", step=11)
    frame = frame_of(study, "fit_quality", STATISTICS, OPTIONS)
    numbers = fit_quality.permuted(frame, scores, combinations, "", 99)
    assert all(len(values) == 32 for values in numbers.values())  # all ways to exchange 5 pairs
    ways = fit_quality.exchanges(range(5), range(5), 99, np.random.default_rng(0))
    for draw in (0, 1, 11, 31):
        swapped = {seed for seed in range(5) if ways[draw, seed] < 0}
        names = [
            ("b" if run.architecture == "a" else "a") if run.seed in swapped else run.architecture
            for run in study.runs
        ]
        runs = [
            replace(run, architecture=name) for run, name in zip(study.runs, names, strict=True)
        ]
        order = sorted(range(len(runs)), key=lambda r: (runs[r].architecture, runs[r].seed))
        other = Study(
            *([part[r] for r in order] for part in (runs, study.correct, study.confidence))
        )
        require_same(numbers, draw, ordinary(other, "fit_quality", combinations))


@pytest.mark.parametrize("version", ["", WITHIN_CLASS])
def test_whole_groups_change_places_with_their_like(study, version):
    frame = frame_of(study, "seed_stability", STATISTICS, OPTIONS)
    groups, classes = frame.setting.groups, frame.setting.classes
    whole = exchanges(frame, "seed_stability", version, 5)
    assert whole.shape == (TIMES + 1, 5, len(groups)) and (whole[0] == np.arange(len(groups))).all()
    across = 0
    for order in whole[1:].reshape(-1, len(groups)):
        assert sorted(order) == list(range(len(groups)))
        came = pd.Series(groups[order]).groupby(groups)
        assert came.nunique().eq(1).all()  # a place of a group holds one group, whole
        assert (came.size() == pd.Series(groups).value_counts()[came.first()].to_numpy()).all()
        across += sum(classes[order] != classes)
    assert (across == 0) == (version == WITHIN_CLASS)
    assert len({order.tobytes() for order in whole[1:].reshape(-1, len(groups))}) == 5 * TIMES
    again = draws_of(frame, "seed_stability", version).random()
    assert again != draws_of(frame, "early_loss", version).random()


def test_p_of_a_table_by_hand():
    """Means 3 and 0: excesses 2, −2, −1, 0, 1 and 0, 0, 2, −2, 0; medians 1, −1, ½, −1, ½."""
    excesses = excess(pd.DataFrame({1: [5.0, 1, 2, 3, 4], 2: [0.0, 0, 2, -2, 0]}))
    found = median_test(excesses, two_sided=False)
    assert (found["estimate"], found["combinations"], found["draws"]) == (1.0, 2, 4)
    assert found["p"] == 1 / 5
    assert median_test(excesses, two_sided=True)["p"] == 3 / 5
    assert found["null_low"] == np.percentile([-1, 0.5, -1, 0.5], 2.5)
    assert found["null_high"] == 0.5


def test_an_exchange_without_a_number_counts_against_the_finding():
    excesses = excess(pd.DataFrame({1: [4.0, np.nan, 0, -1]}))
    assert excesses[1].tolist()[0] == 3.0
    assert median_test(excesses, two_sided=False)["p"] == 2 / 4


def test_the_mean_over_comparisons_is_of_those_that_have_a_number():
    first, second = pd.DataFrame({1: [1.0, 3], 2: [5.0, 7]}), pd.DataFrame({1: [3.0, np.nan]})
    assert mean_of([first, second]).to_numpy().tolist() == [[2.0, 5.0], [3.0, 7.0]]


def test_holm_takes_a_second_version_in_the_place_of_its_findings_first():
    rows = [("one", "", 0.01), ("one", WITHIN_CLASS, 0.04), ("two", "", 0.03)]
    rows += [("three", WITHIN_CLASS, 0.02), ("four", "", np.nan)]
    joint = pd.DataFrame(rows, columns=["finding", "version", "p"])
    joint = joint.assign(comparison="", p_least=0.01)
    found = _corrected(joint)["p_corrected"].tolist()
    # one, three, two: 3 · 0.01, 2 · 0.02, 0.03 → 0.04; with one within class: three 3 · 0.02, then 2 · 0.03, 0.04
    assert found[:4] == pytest.approx([0.03, 0.06, 0.04, 0.06])
    assert np.isnan(found[4])


def test_a_test_that_can_reject_nothing_costs_the_others_nothing():
    """F2 of 5 + 5 runs has 32 exchanges, whose signs are two-sided: no p below 2/32."""
    rows = [("one", 0.02, 0.01), ("two", 0.0625, 0.0625), ("three", 0.04, 0.01)]
    joint = pd.DataFrame(rows, columns=["finding", "p", "p_least"])
    found = _corrected(joint.assign(comparison="", version=""))["p_corrected"].tolist()
    assert found == pytest.approx([0.04, 0.0625, 0.04])
    rows = pd.DataFrame([[9.0, 1.0], *[[float(n), 1.0] for n in range(19)]])
    least = median_test(excess(rows), two_sided=False)["p_least"]
    assert least == pytest.approx(1 / 20)


def test_runs_are_exchanged_in_all_ways_or_at_random():
    draws = np.random.default_rng(1)
    paired = fit_quality.exchanges(range(5), range(5), 99, draws)
    assert len({tuple(way) for way in paired}) == len(paired) == 32
    assert (paired[:, :5] == -paired[:, 5:]).all()
    assert paired[0].tolist() == [1] * 5 + [-1] * 5
    unpaired = fit_quality.exchanges(range(5), range(10, 15), 499, draws)
    assert len({tuple(way) for way in unpaired}) == len(unpaired) == 252
    assert (unpaired.sum(axis=1) == 0).all() and unpaired[0].tolist() == paired[0].tolist()
    for seeds, times in ((range(12), 99), (range(20, 32), 99)):
        drawn = fit_quality.exchanges(range(12), seeds, times, draws)
        assert drawn.shape == (100, 24) and (drawn.sum(axis=1) == 0).all()
        assert drawn[0].tolist() == [1] * 12 + [-1] * 12


def table_of(scores, findings):
    """Return rows as multiverse.csv has them, of a few combinations."""
    rows = []
    for name in findings:
        combinations = [one for one in listed(name, step=25) if one.kind == "crossed"]
        estimates = ordinary(scores.study, name, combinations)
        levels = {one.number: one.levels for one in combinations}
        for (number, comparison), estimate in estimates.items():
            known = {"finding": name, "combination": number, "kind": "crossed", "note": ""}
            known |= {"comparison": comparison, "statistic": "", "estimate": estimate}
            rows.append(known | dict(levels[number]))
    columns = ["finding", "comparison", "statistic", "combination", "kind", *CHOICES.dimensions]
    return pd.DataFrame(rows).reindex(columns=[*columns, "estimate", "note"])


def test_the_table_of_tests(study, scores):
    names = ["seed_stability", "fit_quality"]
    dimensions = {name: PLANS[name].dimensions for name in PLANS}
    table = table_of(scores, ["architecture_overlap", *names])
    options = {**OPTIONS, "draws": 99}
    joint, whole = joint_test(scores, table, dimensions, STATISTICS, options, lambda _: None)
    assert joint["finding"].unique().tolist() == ["architecture_overlap", *names]
    rows = joint.set_index(["finding", "version", "comparison"])
    assert len(rows) == 2 + 2 * 3 + 1
    own = rows.loc[("seed_stability", "", "")]
    assert own["p"] == 0.01 and own["draws"] == 99 and own["p_corrected"] == pytest.approx(0.02)
    assert rows.loc[("seed_stability", "", "a"), "p_corrected"] != own["p_corrected"]
    few = rows.loc[("fit_quality", "", "")]
    assert few["draws"] == 31 and few["note"] == "no p below 0.0625 is possible"
    assert few["p_corrected"] == few["p"]  # it is in no family, which is of two
    row = whole[whole["finding"] == "seed_stability"].iloc[0]
    assert -0.3 < row["null_low"] < 0 < row["null_high"] < row["estimate"]
    assert list(whole)[-3:] == ["null_low", "null_high", "note"]


def test_a_test_whose_time_is_over_draws_no_more_and_says_so(study, scores):
    """A clock that jumps by a minute whenever it is read: the first block of 100 orders is all that a share allows."""
    dimensions = {name: PLANS[name].dimensions for name in PLANS}
    table = table_of(scores, ["seed_stability", "fit_quality"])
    options = {**OPTIONS, "draws": 250, "joint_minutes": 1}
    lines, minutes = [], iter(range(10**6))
    timed, _ = joint_test(
        scores, table, dimensions, STATISTICS, options, lines.append, lambda: 60.0 * next(minutes)
    )
    rows = timed[timed["comparison"] == ""].set_index(["finding", "version"])
    told = "99 of 250 exchanges, as its share of joint_minutes was over"
    for version in ("", WITHIN_CLASS):
        row = rows.loc[("seed_stability", version)]
        assert row["draws"] == 99 and row["note"].endswith(told)
    assert f"seed_stability: {told}" in lines
    few = rows.loc[("fit_quality", "")]
    assert few["draws"] == 31 and "joint_minutes" not in few["note"]  # these are all that there are
    options = {**OPTIONS, "draws": 99}
    whole, _ = joint_test(scores, table, dimensions, STATISTICS, options, lambda _: None)
    own = whole[(whole["comparison"] == "") & (whole["finding"] == "seed_stability")]
    assert own["p"].tolist() == rows.loc["seed_stability"]["p"].tolist()  # the same exchanges


def test_too_few_runs_are_not_tested(study):
    rows = [row for row, run in enumerate(study.runs) if run.seed < 4]
    few = Study(
        *([part[r] for r in rows] for part in (study.runs, study.correct, study.confidence))
    )
    scores = Scores(few)
    dimensions = {"fit_quality": PLANS["fit_quality"].dimensions}
    table = table_of(Scores(study), ["fit_quality", "architecture_overlap"])
    table = table[table["finding"] == "fit_quality"]
    joint, whole = joint_test(scores, table, dimensions, STATISTICS, OPTIONS, lambda _: None)
    (row,) = joint.to_dict("records")
    assert row["note"] == "not testable: fewer than 5 + 5 runs (4 of a and 4 of b)"
    assert np.isnan(row["p"]) and np.isnan(row["p_corrected"])
    assert whole["null_low"].isna().all()


def test_groups_without_their_like_are_not_tested(study):
    sizes = np.repeat(np.arange(8), np.arange(1, 9))  # no two groups have one size
    groups = np.r_[sizes, np.full(len(study.runs[0].samples) - len(sizes), 9)]
    alone = with_column(study, "group", [groups.astype(str)] * len(study.runs))
    dimensions = {"seed_stability": PLANS["seed_stability"].dimensions}
    table = table_of(Scores(study), ["seed_stability", "architecture_overlap"])
    table = table[table["finding"] == "seed_stability"]
    joint, _ = joint_test(Scores(alone), table, dimensions, STATISTICS, OPTIONS, lambda _: None)
    like = {"": "its size", WITHIN_CLASS: "as many samples of each class"}
    for version, row in zip(like, joint.to_dict("records"), strict=True):
        note = f"not testable: no group has another one of {like[version]} to change places with"
        assert (row["version"], row["note"]) == (version, note)
