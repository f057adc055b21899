"""Studies of two seeds, of few forgotten samples, of none, and of a run that collapsed: what is said of them."""

import numpy as np
import pandas as pd
import pytest
from audit_rows import row_of, verdict
from planted_runs import OPTIONS, runs_forgetting_at_random
from told import sentences_of

from retention.audits.coherence import CLASSES, OVERLAP, WITHIN, audit
from retention.findings.architecture_overlap import measure as architecture_overlap
from retention.findings.architecture_overlap.draw_architecture_overlap import (
    draw as draw_overlap,
)
from retention.findings.class_forgetting.sentences import sentences as of_classes
from retention.findings.fit_quality.sentences import sentences as of_fits
from retention.findings.seed_stability import measure as seed_stability
from retention.findings.seed_stability.draw_seed_stability import draw as draw_stability
from retention.measuring.few import FewShared, unusual_runs
from retention.measuring.table import COLUMNS, row
from retention.reporting.look import Look
from retention.reporting.words import number, percent
from retention.runs.reading import Run
from retention.statistics.few_events import UNSEEN, worth_among, worth_in_top
from retention.statistics.ranks import spearman_of_pairs
from retention.statistics.resampling import CORRELATION, SHARE, Interval
from retention.statistics.top_fractions import top_probability

FEW = OPTIONS | {"resamples": 199, "tie_breaks": 20}


def two_seeds(share, study):
    """Return the two runs of one architecture of a study in which runs share nothing."""
    runs = runs_forgetting_at_random(share, np.random.default_rng(study))
    return [run for run in runs if run.architecture == runs[0].architecture][:2]


def overlap_of(first, second, fraction):
    one, other = (top_probability(values, fraction) for values in (first, second))
    shared = one @ other
    return shared / (one.sum() + other.sum() - shared)


def test_one_more_shared_sample_is_worth_what_it_adds_to_an_overlap():
    scores = np.zeros((2, 4000))
    scores[0, :20] = scores[1, 15:35] = 1  # five are shared, the rest of the 400 places goes by lot
    more = scores.copy()
    more[1, 34], more[1, 0] = 0, 1
    gained = overlap_of(*more, 0.1) - overlap_of(*scores, 0.1)
    # the slope at where it starts is short of a whole step by a part of 1/k
    assert worth_in_top(scores, scores, [(0, 1)], 0.1) == pytest.approx(gained, rel=0.01)
    twice = worth_in_top(scores, scores, [(0, 1), (1, 0)], 0.1)
    assert twice == pytest.approx(gained / 2, rel=0.01)
    assert np.isnan(worth_in_top(np.full((2, 9), np.nan), scores[:, :9], [(0, 0)], 0.1))


def test_one_more_shared_sample_is_worth_what_it_adds_among_the_ever_forgotten():
    lost = np.zeros((2, 1000))
    lost[0, :200], lost[1, 195:395] = 1, 1
    more = lost.copy()
    more[1, 394], more[1, 0] = 0, 1

    def among(rows):
        kept = rows[:, rows.any(axis=0)]
        return spearman_of_pairs(kept, kept, [(0, 1)], np.ones((1, kept.shape[1])))[0, 0]

    found = worth_among(lost > 0, lost > 0, [(0, 1)])
    assert found == pytest.approx(among(more) - among(lost), rel=0.01)
    assert np.isnan(worth_among(lost > 2, lost > 2, [(0, 1)]))


def test_intervals_about_these_runs_are_widened_and_others_reach_up():
    nobody = np.zeros((2, 90), dtype=bool)
    few = FewShared(nobody, nobody, [(0, 1)], np.arange(90))
    one = 0.02 / UNSEEN
    these = Interval(0.04, 0.001, 50, "these runs", SHARE)
    wide = few.in_estimate(these, one)
    assert these.estimate - wide.low == pytest.approx(0.02, abs=0.003)
    new = Interval(0.04, 0.001, 50, "new runs", SHARE)
    longer = few.in_estimate(new, one)
    assert longer.low == new.low and wide.high == pytest.approx(0.07, abs=0.01)
    assert 0.055 < longer.high < wide.high
    assert few.in_estimate(these, np.nan) == these
    nothing = Interval(-1.0, 0.0, 50, "these runs", CORRELATION)
    assert few.in_estimate(nothing, 0.1) == nothing


def test_two_seeds_that_share_nothing_are_rarely_told_apart_from_chance(monkeypatch):
    """Of runs that forget one in fifty at random an overlap was below chance in every tenth study."""

    def rejected():
        tables = [architecture_overlap.measure(two_seeds(0.02, study), FEW) for study in range(40)]
        rows = pd.concat(tables)
        return (rows.loc[rows["statistic"] == "jaccard", "p"] < 0.05).mean()

    assert rejected() <= 0.05
    monkeypatch.setattr(architecture_overlap, "worth_in_top", lambda *given: 0.0)
    assert rejected() > 0.05


def test_two_seeds_cover_the_agreement_of_the_ever_forgotten():
    # of two runs that forget shares s at random it is −√((m − I)(m' − I)/(m m')), about −(1 − s)
    rows = pd.concat([seed_stability.measure(two_seeds(0.05, study), FEW) for study in range(30)])
    rows = rows[rows["statistic"] == "spearman_ever_forgotten"]
    truth = rows["estimate"].mean()
    assert ((rows["low"] <= truth) & (truth <= rows["high"])).mean() > 0.9


def test_a_run_that_unusual_runs_is_named_in_both_findings():
    draws = np.random.default_rng(0)
    runs = runs_forgetting_at_random(0.1, draws)
    last = runs[-1]
    lost = draws.random(len(last.samples)) < 0.9
    table = last.samples.assign(forgetting_events=lost.astype(float), decay_constant=1.0 * lost)
    runs[-1] = Run(last.dataset, last.architecture, last.seed, table)
    named = f"seed {last.seed} of {last.architecture} forgot {lost.mean():.0%} of the samples"
    for finding in (seed_stability, architecture_overlap):
        table = finding.measure(runs, FEW)
        rows = table[(table["statistic"] == "spearman") & (table["architecture"] != "")]
        said = rows.set_index("architecture")["note"].fillna("").str.contains(named, regex=False)
        assert said.to_dict() == {name: name == last.architecture for name in rows["architecture"]}
        text = "\n".join(sentences_of(table["finding"].iloc[0])(table))
        assert named.replace("seed", "Seed", 1) in text or named in text


def test_a_data_set_that_every_run_forgets_names_no_run():
    rows = np.ones((3, 20), dtype=bool)
    assert unusual_runs({"a": rows, "b": rows}, {"a": [0, 1, 2], "b": [0, 1, 2]}) == {
        "a": "",
        "b": "",
    }


def test_halves_of_traces_that_lost_each_sample_once_are_said_to_be_unable_to_agree():
    draws = np.random.default_rng(3)
    runs = []
    for seed in range(3):
        lost = draws.integers(0, 3, 300)  # never, at an odd epoch, at an even one
        events = {"forgetting_events": (lost > 0) * 1.0, "decay_constant": (lost > 0) * 1.0}
        runs.append(Run("d", "a", seed, _samples(lost, events)))
    table = seed_stability.measure(runs, FEW)
    half = table[table["statistic"] == "split_half"].iloc[0]
    assert half["note"].startswith("no sample was lost both at odd and at even epochs")
    assert "No sample was lost both at odd and at even epochs" in "\n".join(
        sentences_of("seed_stability")(table)
    )


def _samples(lost, events):
    number_of = len(lost)
    base = {
        "split": "train",
        "sample_index": np.arange(number_of),
        "label": np.arange(number_of) % 3,
        "class_name": (np.arange(number_of) % 3).astype(str),
        "group": np.arange(number_of).astype(str),
        "never_learned": False,
        "hazard_odd": (lost == 1) * 0.1,
        "hazard_even": (lost == 2) * 0.1,
    }
    return pd.DataFrame(base | events)


def test_figures_say_where_too_few_were_forgotten():
    few = runs_forgetting_at_random(0.01, np.random.default_rng(0))
    enough = runs_forgetting_at_random(0.2, np.random.default_rng(0))
    for finding, draw in ((architecture_overlap, draw_overlap), (seed_stability, draw_stability)):
        for runs, said in ((few, True), (enough, False)):
            figure = draw(finding.measure(runs, FEW), Look())
            labels = "\n".join(label.get_text() for label in figure.axes[0].get_yticklabels())
            assert ("†" in labels) == said
            assert (
                "† too few forgotten to tell" in " ".join(figure.get_supxlabel().split())
            ) == said


@pytest.mark.parametrize("expected, found", [(2.9, "undecided"), (3.1, "coherent")])
def test_findings_that_tell_too_little_imply_nothing(expected, found):
    few = {"expected_in_both": expected, "forgotten_in_both": 0.0}
    seeds = [row_of("seed_stability", "spearman", 0.5, 0.4, 0.6, name, **few) for name in "ab"]
    share = row_of("seed_stability", "variance_of_ranks_class", 0.1, 0.05, 0.2, "all runs")
    overlaps = [
        row_of("architecture_overlap", "jaccard", 0.1, 0.05, 0.15, f"{x} vs {y}", **few)
        | {"ceiling": 0.3}
        for x, y in ("aa", "bb", "ab")
    ]
    rows = [*seeds, share, *overlaps]
    table = audit(pd.DataFrame(rows), top_fraction=0.1)
    table = table[table["source"] == "ours"].set_index("check")
    for check in (CLASSES, OVERLAP, WITHIN):
        ours = table.loc[[check]]
        assert set(ours["verdict"]) == {found}
        assert ours["explanation"].str.contains("too few").all() == (found == "undecided")


def test_what_is_small_is_not_called_nothing():
    assert [number(x) for x in (0.0007, -0.004, 0.005, 0.0, -1e-17, 3e-7)] == [
        "0.0007",
        "−0.004",
        "0.01",
        "0.00",
        "0.00",
        "3 × 10⁻⁷",
    ]
    assert (percent(0.002), percent(0.006), percent(0.0)) == ("0.2 %", "1 %", "0 %")


def test_a_rare_hazard_is_said_with_the_groups_it_rests_on():
    shared = {"architecture": "a", "target": "new runs", "n": 50.0}
    ends = {"low": 0.0001, "high": 0.0026}
    rows = [
        row(
            "class_hazard",
            0.0007,
            comparison="a: x",
            note="2 groups ever forgotten",
            **ends,
            **shared,
        ),
        row("class_hazard", 0.05, comparison="a: y", low=0.04, high=0.06, **shared),
    ]
    text = "\n".join(of_classes(pd.DataFrame(rows).reindex(columns=COLUMNS)))
    assert (
        "x, n = 50 (0.0007 (95 % interval 0.0001 to 0.0026, new runs); 2 groups ever forgotten)."
        in text
    )
    assert "hazard 0.050 (95 % interval 0.040 to 0.060, new runs))" in text


def test_constant_traces_are_what_leaves_no_curve_to_judge():
    shared = {"architecture": "a", "comparison": "a"}
    names = ("mean_r_squared", "excess_r_squared", "constant_fraction")
    rows = [row(name, np.nan, **shared) for name in names[:2]] + [row(names[2], 1.0, **shared)]
    text = "\n".join(of_fits(pd.DataFrame(rows).reindex(columns=COLUMNS)))
    assert "every trace is constant" in text and "shuffled" not in text


def test_a_verdict_of_rows_without_counts_is_as_ever():
    assert (
        verdict(
            CLASSES,
            row_of("seed_stability", "spearman", 0.5, 0.4, 0.6),
            row_of("seed_stability", "variance_of_ranks_class", 0.1, 0.05, 0.2, "all runs"),
        )
        == "coherent"
    )


def test_a_run_that_forgot_nothing_is_named_where_others_forgot():
    rows = np.zeros((2, 20), dtype=bool)
    rows[1, :3] = True
    said = unusual_runs({"a": rows, "b": rows[1:]}, {"a": [4, 7], "b": [4]})
    assert said["a"].startswith("seed 4 of a forgot nothing") and "seed 7" not in said["a"]
    assert said["b"] == "" == unusual_runs({"a": rows[:1]}, {"a": [4]})["a"]
