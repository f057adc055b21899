"""Each finding on runs whose truth is planted: closed forms, hand-worked cases, nothing at all."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import yaml
from planted_runs import OPTIONS, N, class_runs, normal_runs, pick, run_of
from sources import ROOT

from retention.audits.coherence import OVERLAP, audit
from retention.common.errors import UserError
from retention.common.options import defaults, read_options
from retention.common.parquet_tables import write_parquet
from retention.findings.architecture_overlap import measure as architecture_overlap
from retention.findings.class_forgetting import measure as class_forgetting
from retention.findings.early_loss import measure as early_loss
from retention.findings.fit_quality import measure as fit_quality
from retention.findings.seed_stability import measure as seed_stability
from retention.runs.reading import read_runs

STATISTICS = defaults("statistics")
read_statistics = partial(read_options, "statistics", "--statistics")


def test_runs_with_one_ranking_overlap_wholly():
    score = np.arange(float(N))
    runs = [run_of(name, seed, decay_constant=score) for name in "ab" for seed in range(3)]
    table = architecture_overlap.measure(runs, OPTIONS)
    for statistic in ("jaccard", "jaccard_same_seed", "spearman", "rank_biased_overlap"):
        assert pick(table, "a vs b", statistic)["estimate"] == pytest.approx(1)
    assert np.isnan(pick(table, "a vs b", "jaccard")["low"])  # nothing varies: no interval


def test_runs_that_share_nothing_are_not_told_from_chance():
    table = architecture_overlap.measure(normal_runs(0.0), OPTIONS)
    found = pick(table, "a vs b", "jaccard")
    assert found["low"] < found["chance"] < found["high"]
    assert found["p_corrected"] > 0.05
    assert found["target"] == "new runs"


def test_agreement_of_seeds_is_that_of_the_bivariate_normal():
    table = seed_stability.measure(normal_runs(0.5, number=2000), OPTIONS)
    found = pick(table, "a", "spearman")
    exact = 6 / np.pi * np.arcsin(0.25)
    assert found["estimate"] == pytest.approx(exact, abs=0.03)
    assert found["low"] < exact < found["high"]
    assert found["p_corrected"] < 0.01
    assert pick(table, "a", "kendall")["estimate"] == pytest.approx(
        2 / np.pi * np.arcsin(0.5), abs=0.03
    )
    assert pick(table, "a", "seeds_needed")["estimate"] == pytest.approx(
        (1 - found["estimate"]) / found["estimate"] * 4
    )
    share = pick(table, "all runs", "variance_of_ranks_sample")
    assert share["low"] < exact < share["high"]


def test_the_chance_level_among_the_ever_forgotten_is_below_zero():
    draws = np.random.default_rng(6)
    runs = []
    for seed in range(3):
        forgotten = draws.random(N) < 0.1
        score = np.where(forgotten, draws.random(N), 0.0)
        events = forgotten.astype(float)
        runs.append(run_of("a", seed, decay_constant=score, forgetting_events=events))
    found = pick(seed_stability.measure(runs, OPTIONS), "a", "spearman_ever_forgotten")
    assert found["chance"] < -0.5
    assert found["estimate"] == pytest.approx(found["chance"], abs=0.15)
    assert found["n"] < 0.3 * N


def test_never_learned_samples_are_a_stratum_of_their_own():
    runs = []
    for name, unlearned in (("a", range(20)), ("b", range(10, 30))):
        never = np.isin(np.arange(N), unlearned)
        for seed in range(2):
            score = np.where(never, np.nan, np.arange(float(N)))
            runs.append(run_of(name, seed, decay_constant=score, never_learned=never))
    table = architecture_overlap.measure(runs, OPTIONS)
    assert pick(table, "a vs b", "never_learned_jaccard")["estimate"] == pytest.approx(10 / 30)
    jaccard = pick(table, "a vs b", "jaccard")
    assert jaccard["estimate"] == pytest.approx(1)
    assert jaccard["n"] == N - 30


def test_lots_and_places_are_of_the_samples_that_both_runs_have():
    """Of 400 and 40 scores, all tied, 40 are common: 4 places, not 22 on average of which 40 by lot."""
    rare = np.where(np.arange(N) < 40, 1.0, np.nan)
    runs = [run_of("a", 0, decay_constant=np.ones(N)), run_of("b", 1, decay_constant=rare)]
    note = pick(architecture_overlap.measure(runs, OPTIONS), "a vs b", "jaccard")["note"]
    assert note == "degenerate: up to 4 of 4 places given by lot"


def test_places_given_by_lot_are_called_degenerate():
    score = np.zeros(N)
    score[:5] = 1.0
    runs = [run_of(name, seed, decay_constant=score) for name in "ab" for seed in range(2)]
    note = pick(architecture_overlap.measure(runs, OPTIONS), "a vs b", "jaccard")["note"]
    assert note == "degenerate: up to 35 of 40 places given by lot"


def test_runs_that_share_classes_alone_reach_the_null_within_class():
    draws = np.random.default_rng(7)
    runs = [
        run_of(name, seed, decay_constant=(np.arange(2000) % 4 == 0) + 0.5 * draws.random(2000))
        for name in "ab"
        for seed in range(4)
    ]
    table = architecture_overlap.measure(runs, OPTIONS)
    found = pick(table, "a vs b", "jaccard")
    null = pick(table, "a vs b", "jaccard_null_within_class")["estimate"]
    assert null > 4 * found["chance"]
    assert found["estimate"] == pytest.approx(null, rel=0.1)


def test_differences_of_fit_are_matched_on_forgetting_events():
    # R² depends on the number of events alone; a has more of them: no difference once matched.
    draws = np.random.default_rng(8)
    runs = []
    for name, most in (("a", 6), ("b", 3)):
        for seed in range(3):
            events = draws.integers(1, most, 2000).astype(float)
            noise = 0.01 * draws.normal(size=2000)
            columns = {"forgetting_events": events, "r_squared": 0.9 - 0.1 * events + noise}
            runs.append(run_of(name, seed, decay_constant=draws.random(2000), **columns))
    table = fit_quality.measure(runs, OPTIONS)
    plain = pick(table, "a minus b", "difference_r_squared")
    matched = pick(table, "a minus b", "difference_matched_events")
    assert plain["estimate"] == pytest.approx(-0.15, abs=0.02)
    assert plain["high"] < 0
    assert matched["estimate"] == pytest.approx(0, abs=0.002)


def test_fit_quality_worked_by_hand():
    columns = {
        "r_squared": np.array([0.2, 0.6, np.nan, np.nan]),
        "r_squared_null": np.array([0.1, 0.3, np.nan, np.nan]),
        "fit_status": np.array(["ok", "ok", "constant", "never_learned"]),
        "aligned_exponential_aicc": np.array([1.0, 5.0, np.nan, np.nan]),
        "aligned_power_aicc": np.array([2.0, 4.0, np.nan, np.nan]),
    }
    runs = [run_of("a", seed, decay_constant=np.arange(4.0), **columns) for seed in range(2)]
    table = fit_quality.measure(runs, OPTIONS)
    for statistic, expected in {
        "mean_r_squared": 0.4,
        "mean_r_squared_one": 0.6,
        "constant_fraction": 1 / 3,
        "excess_r_squared": 0.2,
        "r_squared_50": 0.4,
        "aicc_preferred_exponential": 0.5,
        "aicc_preferred_power": 0.5,
    }.items():
        assert pick(table, "a", statistic)["estimate"] == pytest.approx(expected), statistic


def test_loss_that_tells_within_a_run_alone_does_not_tell_across_seeds():
    draws = np.random.default_rng(9)
    runs = []
    for seed in range(4):
        loss = draws.normal(size=N)
        decay = loss + draws.normal(size=N)
        runs.append(run_of("a", seed, loss_0=loss, decay_constant_from_1=decay))
    table = early_loss.measure(runs, OPTIONS)
    within = pick(table, "a", "spearman")
    exact = 6 / np.pi * np.arcsin(np.sqrt(0.5) / 2)
    assert within["low"] < exact < within["high"]
    assert within["p_corrected"] < 0.01
    across = pick(table, "a", "spearman_across_seeds")
    assert across["low"] < 0 < across["high"]


def test_a_relation_of_classes_alone_is_gone_when_the_class_is_taken_off():
    draws = np.random.default_rng(10)
    of_class = np.arange(N) % 4
    runs = [
        run_of(
            "a",
            seed,
            loss_0=of_class + 0.3 * draws.normal(size=N),
            decay_constant_from_1=of_class + 0.3 * draws.normal(size=N),
        )
        for seed in range(4)
    ]
    table = early_loss.measure(runs, OPTIONS)
    assert pick(table, "a", "spearman")["estimate"] > 0.8
    partial = pick(table, "a", "spearman_partial_class")
    assert partial["low"] < 0 < partial["high"]


def test_classes_that_are_forgotten_in_every_run_are_found_and_ranked():
    table = class_forgetting.measure(class_runs(1.0), OPTIONS, {}, {})
    found = pick(table, "all runs", "kendalls_w")
    assert found["estimate"] > 0.9
    assert found["p"] == pytest.approx(1 / 200)
    assert (
        pick(table, "a: c7", "class_hazard")["low"] > pick(table, "a: c0", "class_hazard")["high"]
    )


def test_classes_that_differ_by_chance_are_not_called_consistent():
    table = class_forgetting.measure(class_runs(0.0), OPTIONS, {}, {})
    assert pick(table, "all runs", "kendalls_w")["p_corrected"] > 0.05


def test_confusions_within_families_are_found_by_permuting_the_families():
    families = {f"c{c}": f"family {c // 2}" for c in range(8)}
    rows = []
    for label in range(8):
        for predicted in range(8):
            if label != predicted:
                same = label // 2 == predicted // 2
                rows.append(("forgetting", label, predicted, 60 if same else 2))
                rows.append(("other_error", label, predicted, 10))
    table = pd.DataFrame(rows, columns=["occasion", "label", "predicted", "count"])
    found = class_forgetting.measure(class_runs(0.0), OPTIONS, {"a": table}, {}, families)
    share = pick(found, "a", "family_share_forgetting")
    assert share["estimate"] == pytest.approx(60 / 72)
    assert share["p"] < 0.05
    other = pick(found, "a", "family_share_other_error")
    assert other["estimate"] == pytest.approx(1 / 7)
    assert other["p"] > 0.5
    gap = pick(found, "a", "family_share_difference")
    assert gap["estimate"] == pytest.approx(60 / 72 - 1 / 7)


def test_look_alikes_are_forgotten_where_that_is_planted():
    angle = np.linspace(0, 1.5, 8) ** 2  # neighbours on a circle, ever further apart
    centroids = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    draws = np.random.default_rng(12)
    classes = np.arange(N) % 8
    runs = [
        run_of("a", seed, classes, hazard=0.5 - 0.05 * classes + 0.01 * draws.random(N))
        for seed in range(3)
    ]
    table = class_forgetting.measure(runs, OPTIONS, {}, {"a": centroids})
    found = pick(table, "a", "similarity_spearman")
    similarity = class_forgetting.nearest_similarity(centroids)
    assert found["estimate"] == pytest.approx(
        pd.Series(similarity).corr(-pd.Series(range(8)), method="spearman")
    )


def test_tables_are_the_same_for_the_same_runs_and_options():
    first, second = (seed_stability.measure(normal_runs(0.3), OPTIONS) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_an_overlap_that_seeds_can_not_explain_is_called_incoherent():
    same_seed_alone = pd.concat(
        [
            architecture_overlap.measure(normal_runs(0.8), OPTIONS),
            seed_stability.measure(normal_runs(0.0), OPTIONS),
        ]
    )
    table = audit(same_seed_alone, top_fraction=0.1)
    found = table[table["check"] == OVERLAP].set_index("source")
    assert found.loc["ours", "verdict"] == "incoherent"
    coherent = pd.concat(
        [f.measure(normal_runs(0.5), OPTIONS) for f in (architecture_overlap, seed_stability)]
    )
    table = audit(coherent, top_fraction=0.1)
    found = table[(table["check"] == OVERLAP) & (table["source"] == "ours")]
    assert found["verdict"].item() in ("coherent", "undecided")


def test_the_commands_options_are_those_of_the_configuration():
    of_config = yaml.safe_load((ROOT / "config.yaml").read_text())["statistics"]
    assert of_config == STATISTICS
    assert read_statistics('{"score": "hazard"}') == STATISTICS | {"score": "hazard"}
    with pytest.raises(UserError, match="no JSON object"):
        read_statistics("score: hazard")
    with pytest.raises(
        UserError, match=r"unknown key\(s\) sore; known are .*; did you mean score\?"
    ):
        read_statistics('{"sore": "hazard"}')


@pytest.mark.parametrize(
    "given, told",
    [
        (
            '{"treatment": {"margn": 0.02}}',
            r"treatment: unknown key\(s\) margn; known are margin, metric; did",
        ),
        ('{"treatment": {"margin": -0.1}}', r"treatment\.margin: is -0\.1, expected more than 0"),
        (
            '{"treatment": {"metric": "forgetting_events"}}',
            r"treatment\.metric: is 'forgetting_events', expected one of balanced_",
        ),
        ('{"treatment": {"metric": "acuracy"}}', r"did you mean accuracy\?"),
        ('{"treatment": 3}', r"treatment: is 3 \(int\), expected a map"),
        (
            '{"correction": "hom"}',
            "correction: is 'hom', expected one of holm, .*; did you mean holm",
        ),
        (
            '{"top_fraction": "0.1"}',
            r"top_fraction: is '0.1' \(str\), expected number; write it without quotes",
        ),
    ],
)
def test_options_are_checked_as_the_configuration_is(given, told):
    with pytest.raises(UserError, match=told) as raised:
        read_statistics(given)
    assert "\n" not in str(raised.value)


def test_samples_without_what_a_finding_needs_are_named(tmp_path):
    identity = {"dataset": "d", "architecture": "a", "seed": "0"}
    path = tmp_path / "samples.parquet"
    samples = run_of("a", 0).samples.assign(split="train")
    write_parquet(path, samples.drop(columns="group"), identity)
    with pytest.raises(UserError, match=r"lacks the column\(s\) group"):
        read_runs([path])
    write_parquet(path, samples.drop(columns="loss_0"), identity)
    with pytest.raises(UserError, match=r"a, seed 0: samples\.parquet lacks the column loss_0"):
        early_loss.measure(read_runs([path]), OPTIONS)
