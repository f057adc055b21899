"""Each combination against what a person would compute by hand, by loops that know nothing of the library's statistics."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from by_hand import (
    between,
    both,
    chance_of_top,
    class_values,
    midrank_jaccard,
    partial_rho,
    rate,
    rho,
    sets_jaccard,
    within,
)
from multiverse_study import CLASSES, write_runs
from scipy.stats import friedmanchisquare

from retention.common.options import defaults
from retention.common.parts import load_part
from retention.common.randomness import generator
from retention.findings.class_forgetting.structure import kendalls_w
from retention.multiverse.choices import load_choices, plans_of
from retention.multiverse.combinations import reduced
from retention.multiverse.estimates.class_forgetting import concordances
from retention.multiverse.frame import frame_of
from retention.multiverse.options import complete_options
from retention.multiverse.scores import Scores
from retention.multiverse.study import read_study

CHOICES = load_choices()
STATISTICS = {**defaults("statistics"), "resamples": 99, "tie_breaks": 400}
OPTIONS = complete_options({"resamples": 99, "draws": 99})
RUNS = list(product("ab", (0, 1, 2)))
FREE = {"start": "kept", "curve": "scaled_exponential", "estimator": "curve_fit_free"}
CONFIDENCE = {"trace": "confidence"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def study(files):
    return read_study(*files)


@pytest.fixture(scope="module")
def scores(study):
    return Scores(study)


@pytest.fixture(scope="module")
def evaluate(study, scores):
    """Return a function that evaluates a finding's own combination with some levels changed: estimates by comparison."""
    plans = plans_of(CHOICES, OPTIONS, STATISTICS)
    frames = {name: frame_of(study, name, STATISTICS, OPTIONS) for name in plans}

    def found(finding, **changes):
        levels = reduced(CHOICES, {**plans[finding].own, **changes})
        part = load_part("retention.multiverse.estimates", finding)
        return {one.comparison: one for one in part.estimates(frames[finding], scores, levels)}

    return found


@pytest.fixture(scope="module")
def tables(files):
    """Each run's training samples with its traces, read by pandas: what the loops below stand on."""
    found = {}
    for name, traces, samples in zip(RUNS, *files, strict=True):
        table = pd.read_parquet(samples)
        table = table[table["split"] == "train"].sort_values("sample_index").reset_index(drop=True)
        wide = pd.read_parquet(traces).pivot(index="sample_index", columns="epoch")
        table["correct"] = list(wide["correct"].loc[table["sample_index"]].to_numpy())
        table["known"] = list(wide["confidence"].loc[table["sample_index"]].to_numpy(dtype=float))
        found[name] = table
    return found


def test_scores_stand_as_the_combination_says(scores, tables, study):
    plans = plans_of(CHOICES, OPTIONS, STATISTICS)
    own = plans["architecture_overlap"].own

    def of(**changes):
        return scores.of(reduced(CHOICES, {**own, **changes}))

    never = np.stack([table["never_learned"] for table in tables.values()])
    assert never.any() and not never.all(axis=1).any()
    found, plain = of(never_learned="most_forgotten"), of()
    assert np.isnan(plain[never]).all()
    assert np.array_equal(found[~never], plain[~never], equal_nan=True)
    for row, lost in zip(found, never, strict=True):
        assert np.all(row[lost] > np.nanmax(row[~lost])) and len(set(row[lost])) <= 1
    assert set(of(never_learned="large_number")[never]) == {20.0}
    hazard = np.stack([table["hazard"] for table in tables.values()])
    assert np.array_equal(of(score="hazard")[~never], hazard[~never], equal_nan=True)
    ever = np.stack([table["forgetting_events"] > 0 for table in tables.values()])
    assert np.array_equal(np.isfinite(of(score="hazard", samples="ever_forgotten")), ever)
    positive = np.stack([rate(table)[1] > 1e-9 for table in tables.values()])
    assert positive.any()
    assert np.array_equal(np.isfinite(of(samples="r_squared_positive")), positive)


@pytest.mark.parametrize(
    "definition", [{}, FREE, CONFIDENCE, {"trace": "survival", "epochs": "first_half"}]
)
def test_runs_are_fitted_together_as_each_on_its_own(scores, tables, definition):
    levels = {"score": "decay_constant", "samples": "all", "trace": "aligned", **definition}
    wanted = np.stack([rate(table, **definition)[0] for table in tables.values()])
    assert np.array_equal(scores.of(levels), wanted, equal_nan=True)
    flat = np.stack([np.stack(t["correct"]).all(axis=1) for t in tables.values()])
    learned = np.isfinite(wanted)
    if definition == FREE:
        assert scores.residue(levels)[flat & learned].all()
    if not definition:
        assert not scores.residue(levels).any()


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("definition", [{}, CONFIDENCE, FREE | CONFIDENCE])
def test_overlap_of_pairs_of_seeds(evaluate, tables, same, definition):
    value_of = {name: rate(table, **definition)[0] for name, table in tables.items()}
    pairs = "same_seed" if same else "other_seeds"
    found = evaluate(
        "architecture_overlap", **definition, pairs=pairs, ties="midranks", top_fraction="0.2"
    )
    wanted = between(value_of, lambda x, y: midrank_jaccard(x, y, 0.2), same)
    assert found["a vs b"].interval.estimate == pytest.approx(wanted, abs=1e-12)
    lots = evaluate("architecture_overlap", **definition, pairs=pairs, top_fraction="0.2")
    if definition.get("trace") == "confidence":  # no ties, no lots
        assert lots["a vs b"].interval.estimate == pytest.approx(wanted, abs=1e-12)
    else:  # the mean of I / (2k − I) over lots is not the ratio at the mean of I: 1/k apart at most
        assert lots["a vs b"].interval.estimate == pytest.approx(wanted, abs=0.05)


def test_overlap_by_lots_is_the_mean_over_random_orders(evaluate, tables):
    value_of = {name: rate(table)[0] for name, table in tables.items()}
    draws = np.random.default_rng(5)

    def by_lot(x, y):
        x, y, _ = both(x, y)
        k, found = round(0.2 * len(x)), []
        for _ in range(400):
            tops = [np.lexsort((draws.random(len(x)), values))[-k:] for values in (x, y)]
            found.append(sets_jaccard(*tops))
        return np.mean(found)

    found = evaluate("architecture_overlap", top_fraction="0.2")["a vs b"].interval.estimate
    assert found == pytest.approx(between(value_of, by_lot), abs=0.01)


@pytest.mark.parametrize("samples", ["all", "ever_forgotten"])
def test_overlap_of_scores_averaged_over_the_seeds(evaluate, tables, samples):
    def mean(name):
        columns = [
            t["hazard"]
            .where(~t["never_learned"])
            .where((t["forgetting_events"] > 0) | (samples == "all"))
            for (one, _), t in tables.items()
            if one == name
        ]
        return pd.concat(columns, axis=1).mean(axis=1).to_numpy()

    wanted = midrank_jaccard(mean("a"), mean("b"), 0.1)
    found = evaluate(
        "architecture_overlap", score="hazard", samples=samples, pairs="averaged", ties="midranks"
    )["a vs b"]
    assert found.interval.estimate == pytest.approx(wanted, abs=1e-12)
    assert found.interval.target == "these runs"


def test_overlap_of_samples_pooled_over_the_seeds(evaluate, tables):
    one, other = (
        np.concatenate([rate(tables[name, seed])[0] for seed in range(3)]) for name in "ab"
    )
    found = evaluate("architecture_overlap", pairs="pooled", ties="midranks")["a vs b"]
    assert found.interval.estimate == pytest.approx(midrank_jaccard(one, other, 0.1), abs=1e-12)
    assert found.interval.target == "these runs" and found.interval.low < found.interval.high


@pytest.mark.parametrize("same", [False, True])
def test_overlap_of_each_classs_top_fraction(evaluate, tables, same):
    value_of = {name: rate(table)[0] for name, table in tables.items()}
    labels = tables["a", 0]["label"].to_numpy()

    def jaccard(x, y):
        shared = places = 0
        for label in range(CLASSES):
            one, other, _ = both(x[labels == label], y[labels == label])
            k = round(0.2 * len(one))
            shared += sum(chance_of_top(one, k) * chance_of_top(other, k))
            places += k
        return shared / (2 * places - shared)

    pairs = "same_seed" if same else "other_seeds"
    found = evaluate(
        "architecture_overlap", pairs=pairs, top_fraction="0.2", **{"class": "adjusted"}
    )
    wanted = between(value_of, jaccard, same)
    assert found["a vs b"].interval.estimate == pytest.approx(wanted, abs=1e-12)


def test_an_overlap_by_the_order_of_the_file_takes_what_stands_later(evaluate, tables):
    value_of = {name: rate(table)[0] for name, table in tables.items()}

    def jaccard(x, y):
        x, y, _ = both(x, y)
        k = round(0.1 * len(x))
        return sets_jaccard(*(np.argsort(values, kind="stable")[-k:] for values in (x, y)))

    found = evaluate("architecture_overlap", ties="file_order")["a vs b"].interval.estimate
    assert found == pytest.approx(between(value_of, jaccard), abs=1e-12)


def test_an_overlap_of_samples_sorted_last_is_that_of_numpys_sort(evaluate, tables):
    value_of = {name: rate(table)[0] for name, table in tables.items()}
    assert min(np.isnan(values).sum() for values in value_of.values()) >= 2  # so that no tie is cut

    def jaccard(x, y):
        return sets_jaccard(*(np.argsort(values, kind="stable")[-2:] for values in (x, y)))

    found = evaluate("architecture_overlap", never_learned="sorted_last", top_fraction="0.05")
    assert found["a vs b"].interval.estimate == pytest.approx(between(value_of, jaccard), abs=1e-12)


def permuted(tables):
    """Return the tables with each seed's samples in an order of its own."""
    order = {
        seed: generator("made_up", STATISTICS["seed"], "multiverse", "split", seed)
        for seed in range(3)
    }
    order = {seed: draws.permutation(len(tables["a", 0])) for seed, draws in order.items()}
    return {name: table.iloc[order[name[1]]] for name, table in tables.items()}


def test_a_split_drawn_anew_leaves_what_is_within_a_run_and_takes_what_is_between(evaluate, tables):
    value_of = {name: rate(table)[0] for name, table in permuted(tables).items()}
    for name in "ab":
        found = evaluate("seed_stability", split="by_position")[name].interval.estimate
        assert found == pytest.approx(within(value_of, rho, name), abs=1e-12)
        own = evaluate("seed_stability")[name].interval.estimate
        assert own > 0.3 > found
        inside = [
            evaluate("early_loss", split=level)[name] for level in ("by_sample", "by_position")
        ]
        assert inside[0].interval.estimate == pytest.approx(inside[1].interval.estimate, abs=1e-12)
    mixed = evaluate(
        "architecture_overlap", split="by_position", ties="midranks", pairs="same_seed"
    )
    plain = evaluate("architecture_overlap", ties="midranks", pairs="same_seed")
    assert mixed["a vs b"].interval.estimate == pytest.approx(plain["a vs b"].interval.estimate)


@pytest.mark.parametrize("definition", [{}, FREE, {"trace": "cumulative", "curve": "power"}])
@pytest.mark.parametrize("never", ["left_out", "most_forgotten", "large_number"])
def test_agreement_of_seeds(evaluate, tables, definition, never):
    value_of = {}
    for name, table in tables.items():
        values, _ = rate(table, **definition)
        place = {"left_out": np.nan, "most_forgotten": 1e9, "large_number": 20.0}[never]
        value_of[name] = np.where(table["never_learned"], place, values)
    labels = tables["a", 0]["label"]
    for name in "ab":
        found = evaluate("seed_stability", **definition, never_learned=never)[name]
        assert found.interval.estimate == pytest.approx(within(value_of, rho, name), abs=1e-12)
        found = evaluate(
            "seed_stability", **definition, never_learned=never, **{"class": "adjusted"}
        )[name]
        wanted = within(value_of, lambda x, y: partial_rho(x, y, labels), name)
        assert found.interval.estimate == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("samples", ["ever_forgotten", "r_squared_positive"])
def test_agreement_of_seeds_among_some_samples(evaluate, tables, samples):
    value_of = {}
    for name, table in tables.items():
        values, r_squared = rate(table, **FREE)
        kept = table["forgetting_events"] > 0 if samples == "ever_forgotten" else r_squared > 1e-9
        value_of[name] = np.where(kept, values, np.nan)
    found = evaluate("seed_stability", **FREE, samples=samples)
    for name in "ab":
        wanted = within(value_of, rho, name)
        assert found[name].interval.estimate == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("epoch_0", ["in", "out"])
@pytest.mark.parametrize("adjusted", ["ignored", "adjusted"])
@pytest.mark.parametrize("pairs", ["same_seed", "other_seeds", "averaged", "pooled"])
def test_loss_and_later_decay(evaluate, tables, epoch_0, adjusted, pairs):
    labels = tables["a", 0]["label"].to_numpy()
    found = evaluate("early_loss", epoch_0=epoch_0, pairs=pairs, **{"class": adjusted})
    for name in "ab":
        loss = [tables[name, seed]["loss_0"].to_numpy() for seed in range(3)]
        decay = [rate(tables[name, seed], epoch_0=epoch_0)[0] for seed in range(3)]
        classes = labels
        if pairs == "averaged":
            loss, decay = [np.mean(loss, axis=0)], [pd.DataFrame(decay).mean().to_numpy()]
        elif pairs == "pooled":
            loss, decay, classes = (
                [np.concatenate(loss)],
                [np.concatenate(decay)],
                np.tile(labels, 3),
            )
        other = pairs == "other_seeds"
        one = [
            partial_rho(x, y, classes) if adjusted == "adjusted" else rho(x, y)
            for i, x in enumerate(loss)
            for j, y in enumerate(decay)
            if (i == j) != other
        ]
        assert found[name].interval.estimate == pytest.approx(np.mean(one), abs=1e-12)


@pytest.mark.parametrize(
    "definition", [{}, FREE, {"trace": "confidence", "smoothing": "rolling_3"}]
)
@pytest.mark.parametrize(
    "form", [{}, {"r_squared": "clipped", "flat": "one"}, {"r_squared": "r2_score"}]
)
@pytest.mark.parametrize("samples", ["all", "ever_forgotten"])
def test_mean_r_squared(evaluate, tables, definition, form, samples):
    found = evaluate("fit_quality", **definition, **form, samples=samples)
    means = {}
    for name, table in tables.items():
        values = pd.Series(rate(table, **definition, **form)[1])
        means[name] = values[(table["forgetting_events"] > 0) | (samples == "all")].mean()
    of = {name: np.mean([means[name, seed] for seed in range(3)]) for name in "ab"}
    for name in "ab":
        assert found[name].interval.estimate == pytest.approx(of[name], abs=1e-12)
    assert found["a minus b"].interval.estimate == pytest.approx(of["a"] - of["b"], abs=1e-12)


@pytest.mark.parametrize(
    "changes",
    [
        {"class_value": "pooled_hazard"},
        {"class_value": "pooled_hazard", "samples": "ever_forgotten"},
        {"class_value": "share_forgotten"},
        {"class_value": "share_forgotten", "never_learned": "most_forgotten"},
        {"class_value": "mean_score"},
        {"class_value": "mean_score", "samples": "ever_forgotten"},
        {"class_value": "mean_score", **FREE},
    ],
)
def test_concordance_of_classes(evaluate, tables, changes):
    words = {"class_value": "value", "never_learned": "never"}
    given = {words.get(name, name): level for name, level in changes.items()}
    values = {name: class_values(table, **given) for name, table in tables.items()}
    found = evaluate("class_forgetting", **changes)
    for name in ("a", "b", "all runs"):
        raters = [value for (one, _), value in values.items() if name in (one, "all runs")]
        # Friedman's χ² is W · R (C − 1)
        wanted = friedmanchisquare(*np.transpose(raters)).statistic / (len(raters) * (CLASSES - 1))
        assert found[name].interval.estimate == pytest.approx(wanted, abs=1e-10)
        assert 0 < found[name].p <= 1


def test_concordances_are_those_of_each_table_on_its_own():
    draws = np.random.default_rng(1)
    values = draws.integers(0, 4, (50, 3, 9)).astype(float)
    values[draws.random(values.shape) < 0.15] = np.nan
    values[0] = np.nan
    assert np.allclose(concordances(values), kendalls_w(values), equal_nan=True, atol=1e-12)
    assert np.isnan(concordances(values)[0])
