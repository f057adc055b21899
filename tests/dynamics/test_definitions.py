"""Definitions of a decay constant and R²: each level against one sample's loop, and what is refused."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from naive_definitions import naive, series
from scipy.stats import spearmanr
from simulated_traces import correctness
from sources import ROOT

from retention.common.errors import UserError
from retention.common.parts import part_names
from retention.dynamics import fitted as module
from retention.dynamics.defined_points import defined_points
from retention.dynamics.definition import DIMENSIONS, Definition, problems, schema
from retention.dynamics.description import describe
from retention.dynamics.fitted import Fits
from retention.dynamics.goodness import goodness, r_squared
from retention.dynamics.trace_table import Traces

EPOCHS = 12
LEVELS = {name: option.get("enum", []) for name, option in schema()["properties"].items()}
UNBOUNDED = Definition.of(
    {"start": "kept", "curve": "scaled_exponential", "estimator": "curve_fit_free"}
    | {"r_squared": "clipped", "flat": "one"}
)


@pytest.fixture(scope="module")
def samples():
    """Return correct, bool [N, E], with every odd trace there is, and confidences."""
    draws = np.random.default_rng(21)
    correct = correctness(90, EPOCHS, draws)
    odd = np.zeros((6, EPOCHS), dtype=bool)
    odd[1], odd[2, -1], odd[3, 0], odd[4, -2], odd[5, ::2] = True, True, True, True, True
    correct = np.concatenate([correct, odd, correct[:9]])
    noise = draws.random(correct.shape)
    return correct, np.where(correct, 0.5 + noise / 2, noise / 2)


def points_as_lists(correct, confidence, definition):
    times, values, weights = defined_points(correct, confidence, definition)
    for y, w in zip(values, weights, strict=True):
        kept = w > 0
        yield times[kept].tolist(), y[kept], w[kept].tolist()


@pytest.mark.parametrize("trace", part_names("retention.dynamics.retention"))
def test_points_are_those_of_one_sample_after_another(samples, trace):
    compared = 0
    for levels in itertools.product(
        *(LEVELS[n] for n in ("start", "epoch_0", "epochs", "smoothing"))
    ):
        definition = Definition(trace, *levels)
        if problems(definition):
            continue
        for row, found in enumerate(points_as_lists(*samples, definition)):
            times, values, weights = series(samples[0][row], samples[1][row], definition)
            assert (found[0], found[2]) == (times, weights), (definition, row)
            np.testing.assert_allclose(found[1], values, atol=1e-14)
            compared += len(times) > 0
    assert compared > 200


def test_means_are_those_of_pandas(samples):
    for level, mean in (
        ("rolling_3", lambda column: column.rolling(3, min_periods=1).mean()),
        ("rolling_5", lambda column: column.rolling(5, min_periods=1).mean()),
        ("running_mean", lambda column: column.expanding().mean()),
    ):
        plain = points_as_lists(*samples, Definition("confidence"))
        means = points_as_lists(*samples, Definition("confidence", smoothing=level))
        for (_, values, _), (_, found, _) in zip(plain, means, strict=True):
            np.testing.assert_allclose(found, mean(pd.Series(values)), atol=1e-12)


def test_traces_written_out():
    correct = np.array([[0, 1, 1, 0, 1, 0, 0]], dtype=bool)
    for trace, times, expected in (
        ("aligned", [1, 2, 3, 4, 5], [1, 0, 1, 0, 0]),
        ("survival", [1, 2, 3, 4, 5], [1, 0, 0, 0, 0]),
        ("cumulative_events", [1, 2, 3, 4, 5], [1, 0.8, 0.8, 0.6, 0.6]),
        ("from_first_loss", [0, 1, 2, 3], [0, 1, 0, 0]),
    ):
        ((found, values, _),) = points_as_lists(correct, None, Definition(trace))
        assert (found, values.tolist()) == (times, expected), trace


def by_lot(number, draws):
    """Yield definitions by curve_fit, each dimension by lot, that there are."""
    chosen = {**LEVELS, "estimator": ["curve_fit_free", "curve_fit_free", "curve_fit_ones"]}
    while number:
        definition = Definition(*(str(draws.choice(chosen[name])) for name in DIMENSIONS))
        if not problems(definition):
            number -= 1
            yield definition


def held_against_one_after_another(definitions, samples):
    fits, compared = Fits(*samples), 0
    for definition in definitions:
        found = fits.of(definition)
        for row in range(len(samples[0])):
            rate, explained = naive(samples[0][row], samples[1][row], definition)
            np.testing.assert_array_equal(found.decay_constant[row], rate)
            np.testing.assert_allclose(found.r_squared[row], explained, rtol=1e-6, atol=1e-9)
            compared += np.isfinite(explained)
        np.testing.assert_array_equal(found.score, found.decay_constant)
    return compared


def test_definitions_by_lot_are_those_of_one_sample_after_another(samples):
    some = tuple(array[40:] for array in samples)
    definitions = [UNBOUNDED, *by_lot(14, np.random.default_rng(1))]
    assert held_against_one_after_another(definitions, some) > 400


@pytest.mark.slow
def test_many_definitions_by_lot_are_those_of_one_sample_after_another(samples):
    definitions = by_lot(120, np.random.default_rng(2))
    assert held_against_one_after_another(definitions, samples) > 5000


def test_ours_is_what_samples_are_described_by(samples):
    correct, _ = samples
    keys = pd.DataFrame({"sample_index": range(len(correct))})
    traces = Traces(keys, np.arange(EPOCHS), correct)
    every = [
        {"retention": trace, "curve": curve}
        for trace in ("aligned", "lag", "cumulative", "raw", "survival")
        for curve in part_names("retention.dynamics.curves")
    ]
    table, fits = describe(traces, every, 0), Fits(correct)
    ours = fits.of(Definition())
    np.testing.assert_array_equal(ours.decay_constant, table["decay_constant"])
    np.testing.assert_array_equal(ours.r_squared, table["r_squared"])
    known = ~table["never_learned"].to_numpy()
    assert ours.status[known].tolist() == table["fit_status"][known].tolist()
    from_1 = fits.of(Definition(epoch_0="out")).decay_constant
    np.testing.assert_array_equal(from_1, table["decay_constant_from_1"])
    for fit in every:
        found = fits.of(Definition(fit["retention"], curve=fit["curve"]))
        for name in ("decay_constant", "score", "r_squared", "status"):
            expected = table[f"{fit['retention']}_{fit['curve']}_{name}"]
            np.testing.assert_array_equal(getattr(found, name), expected, strict=False)


def test_what_the_choices_after_a_fit_mean(samples):
    fits = Fits(*samples)
    raw = fits.of(replace(UNBOUNDED, r_squared="raw", flat="dropped"))
    assert raw.flat.sum() > 10 and raw.failed.sum() > 0 and (raw.r_squared < 0.01).any()
    assert (
        np.isnan(raw.r_squared[raw.flat]).all()
        and np.isfinite(raw.decay_constant[raw.residue]).all()
    )
    assert not (raw.residue & raw.failed).any() and (raw.flat | ~raw.residue).all()
    for level, counted in (("one", 1.0), ("zero", 0.0)):
        found = fits.of(replace(UNBOUNDED, flat=level))
        assert (found.r_squared[raw.flat & ~raw.failed] == counted).all()
        kept = ~raw.flat & ~raw.failed & np.isfinite(raw.r_squared)
        np.testing.assert_array_equal(found.r_squared[kept], np.maximum(raw.r_squared[kept], 0))
    zero = fits.of(replace(UNBOUNDED, failed="zero"))
    start = fits.of(replace(UNBOUNDED, failed="start"))
    assert (zero.decay_constant[raw.failed] == 0).all() and (zero.r_squared[raw.failed] == 0).all()
    assert (start.decay_constant[raw.failed] == 0.1).all()
    assert not fits.of(
        Definition(r_squared="clipped")
    ).residue.any()  # the exact estimator has none


def test_the_exact_estimator_keeps_its_one_step_loss(samples):
    found = Fits(*samples).of(Definition(curve="exponential_floor"))
    lost = found.score < found.decay_constant
    assert lost.any() and (found.score <= 1).all() | np.isnan(found.score).any()


def test_each_distinct_trace_is_fitted_once(samples, monkeypatch):
    calls = []
    estimator_of = module.estimator_of

    def counted(name):
        part = estimator_of(name)

        class Counted:
            ITERATIVE, start = part.ITERATIVE, staticmethod(part.start)

            @staticmethod
            def estimate(times, values, weights, curve):
                calls.append(len(values))
                return part.estimate(times, values, weights, curve)

        return Counted

    monkeypatch.setattr(module, "estimator_of", counted)
    correct = np.concatenate([samples[0]] * 20)
    fits = Fits(correct)
    for form, failed in itertools.product(LEVELS["r_squared"], LEVELS["failed"]):
        flat = "dropped" if form == "r2_score" else "one"
        fits.of(replace(UNBOUNDED, r_squared=form, failed=failed, flat=flat))
    rows = {tuple(series(row, row, UNBOUNDED)[1]) for row in samples[0]}
    assert calls == [len(rows)]


@pytest.mark.parametrize("form", LEVELS["r_squared"])
def test_forms_of_r_squared(form):
    metrics = pytest.importorskip("sklearn.metrics")
    draws = np.random.default_rng(4)
    values, curves = draws.random((40, 8)).round(1), draws.random((40, 8))
    values[0], values[1], values[2], curves[1], curves[3] = 1.0, 1.0, 0.0, 1.0, 0.5
    weights = np.where(draws.random((40, 8)) < 0.7, draws.integers(1, 5, (40, 8)), 0).astype(float)
    weights[:4] = 1.0
    weights[4], weights[4, 3] = 0.0, 2.0  # a single point
    found = r_squared(goodness(values, weights, curves), form)
    for row, (y, w, f) in enumerate(zip(values, weights, curves, strict=True)):
        kept = w > 0
        y, w, f = y[kept], w[kept], f[kept]
        score = metrics.r2_score(y, f, sample_weight=w) if len(y) > 1 else np.nan
        flat = np.ptp(y) == 0
        with np.errstate(all="ignore"):
            correlation = np.corrcoef(np.repeat(y, w.astype(int)), np.repeat(f, w.astype(int)))
        expected = {
            "raw": np.nan if flat else score,
            "clipped": np.nan if flat else max(score, 0),
            "squared_correlation": np.nan if flat else correlation[0, 1] ** 2,
            "r2_score": score,
        }[form]
        np.testing.assert_allclose(found[row], expected, rtol=1e-9, err_msg=str(row))
    assert np.isnan(found[4])
    if form == "r2_score":
        assert found[:3].tolist() == [0.0, 1.0, 0.0]


def test_a_signature_of_optimisers_on_traces_that_are_mostly_flat():
    """Two thirds never lost: high mean R², and λ of two seeds that agree on nothing, where ours does."""
    draws = np.random.default_rng(7)
    hardness = np.where(draws.random(600) < 0.67, 0.0, draws.gamma(2, 0.06, 600))
    runs = []
    for _ in range(2):
        begins = draws.geometric(0.5, 600) - 1
        state, columns = np.zeros(600, dtype=bool), []
        for epoch in range(13):
            chance = draws.random(600)
            state = np.where(state, chance >= hardness, chance < 0.3)
            columns.append(state := np.where(epoch <= begins, epoch == begins, state))
        runs.append(np.stack(columns, axis=1))
    fits = Fits(np.concatenate(runs))
    theirs, ours = fits.of(UNBOUNDED), fits.of(Definition())
    assert theirs.flat.mean() > 0.6
    assert 0.65 < np.nanmean(theirs.r_squared) < 0.95
    assert np.nanmean(ours.r_squared) < 0.2
    assert abs(agreement(theirs.decay_constant)) < 0.12
    assert agreement(ours.decay_constant) > 0.3
    # what ranks the flat ones is their length alone
    first = np.concatenate(runs).argmax(axis=1)[theirs.residue]
    by_length = {
        int(n): np.unique(theirs.decay_constant[theirs.residue][first == n])
        for n in np.unique(first)
    }
    assert all(len(found) == 1 for found in by_length.values()) and len(by_length) > 4


def test_the_signature_on_traces_that_were_trained():
    """The vit of the embedded study, seeds 0 and 1: a line is a sample's nine epochs, seed 1 after seed 0."""
    lines = (ROOT / "tests/files/mostly_flat_traces.txt").read_text().split()
    correct = np.array([list(line) for line in lines]) == "1"
    fits = Fits(correct)
    theirs, ours = fits.of(UNBOUNDED), fits.of(Definition())
    assert np.nanmean(theirs.r_squared) > 0.6 and np.nanmean(ours.r_squared) < 0
    assert agreement(theirs.decay_constant) < 0.25 < 0.6 < agreement(ours.decay_constant)
    # of traces that were never lost the optimiser's answer is its own: one number for each length, in no order
    lengths = correct.shape[1] - correct.argmax(axis=1)[theirs.residue]
    answers = {n: set(theirs.decay_constant[theirs.residue][lengths == n]) for n in {*lengths}}
    assert len(answers) >= 5 and all(len(found) == 1 for found in answers.values())
    (ordered,) = zip(*(answers[n] for n in sorted(answers)), strict=True)
    assert sorted(ordered) not in (list(ordered), list(reversed(ordered)))
    finite = np.isfinite(ours.decay_constant)
    assert set(ours.decay_constant[theirs.residue & finite]) == {0.0}


def agreement(rates):
    one, other = rates.reshape(2, -1)
    return spearmanr(one, other, nan_policy="omit").statistic


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], r"definition: is \[\] \(list\), expected a map"),
        ({"traces": "raw"}, r"definition: unknown key\(s\) traces; .*did you mean trace\?"),
        ({"curve": "powr"}, "definition: curve: is 'powr', expected one of exponential, .*power"),
        (
            {"start": "kept", "trace": "lag"},
            "start kept: the trace lag does not begin at first learned",
        ),
        (
            {"start": "kept", "trace": "raw"},
            "has no point t = 0 that was left out; leave start out",
        ),
        ({"smoothing": "rolling_3", "trace": "survival"}, "survival is no series of single eval"),
        (
            {"estimator": "log_linear", "curve": "exponential_floor"},
            "the logarithm of a curve with a free floor is no line; take another",
        ),
        ({"failed": "zero"}, "failed zero: the estimator exact is no optimiser that can give up"),
        ({"flat": "one", "r_squared": "r2_score"}, "r2_score has a rule of its own for flat"),
    ],
)
def test_what_there_is_not_is_refused_in_one_line(given, said):
    with pytest.raises(UserError, match=said) as error:
        Definition.of(given)
    assert "\n" not in str(error.value)


def test_a_definition_says_what_differs():
    assert Definition.of({}) == Definition()
    assert Definition.of({"trace": "aligned", "flat": "one"}).differences() == {"flat": "one"}
    assert tuple(LEVELS) == DIMENSIONS
    assert not problems(Definition())


def test_confidences_and_epochs_that_lack_are_told(samples):
    with pytest.raises(
        UserError, match="retention trace confidence: needs the confidence at every"
    ):
        Fits(samples[0]).of(Definition("confidence"))
    short = Fits(samples[0][:, :3])
    assert np.isnan(short.of(Definition("lag", epochs="first_half")).decay_constant).all()
    with pytest.raises(UserError, match="epochs first_half and epoch_0 out leave 1 of 3 epochs"):
        short.of(Definition(epochs="first_half", epoch_0="out"))
