"""Samplers: exactly N presentations in every epoch, at the rates asked for, knowing nothing to come."""

import re
import subprocess
import sys

import numpy as np
import pytest
from sources import ROOT

from retention.common.errors import UserError
from retention.common.hazard import rate_of, smoothed_hazard
from retention.common.parts import load_part, part_names
from retention.dynamics.events import dynamics
from retention.sampling.declaration import EpochOrder, Known
from retention.sampling.exposures import HIGHEST, LOWEST, Exposures, rates_of
from retention.sampling.orders import RandomSampler, ScheduledSampler, batches_of, spread
from retention.sampling.treatments import needs_schedule
from retention.training.sampling import make_sampler

PURPOSE = ("study", "digits", "resnet", 0, "order")
LABELS = np.array([0] * 60 + [1] * 30 + [2] * 9 + [3])
EPOCHS = 12


def correctness(seed: int, count: int = len(LABELS)) -> np.ndarray:
    """Return a simulated run's correctness, bool [EPOCHS + 1, N], each sample with a rate of its own."""
    draws = np.random.default_rng(seed)
    return draws.random((EPOCHS + 1, count)) < draws.beta(3, 1, count)


def sampler_of(definition: dict, schedule=None, correct=None, labels=LABELS) -> EpochOrder:
    """Return the sampler of a definition; correct: bool [EPOCHS + 1, N], for those that look at it."""
    correct_at = None if correct is None else correct.__getitem__
    return make_sampler(Known(definition, labels, PURPOSE, correct_at), schedule)


def adaptive(correct_at, count: int = len(LABELS)) -> EpochOrder:
    """Return the adaptive sampler of a run whose correctness a function tells."""
    definition = {"sampler": "adaptive_spaced_repetition"}
    return make_sampler(Known(definition, np.zeros(count, dtype=int), PURPOSE, correct_at))


def every_sampler(seed: int) -> dict:
    correct = correctness(seed)
    rates = rates_of(np.random.default_rng(seed).lognormal(0, 2, len(LABELS)))[0]
    exposures = Exposures(np.random.default_rng(seed).random(len(LABELS)))
    schedule = np.stack([exposures.next_epoch(rates) for _ in range(EPOCHS)])
    made = {"pruning": sampler_of({"keep_fraction": 0.5}, schedule)}
    for name in part_names("retention.samplers"):
        if name == "elsewhere":  # of runs that this workflow can not train
            continue
        definition = {"sampler": name}
        of_one = schedule if needs_schedule(definition) else None
        made[name] = sampler_of(definition, of_one, correct)
    return made


@pytest.mark.parametrize("seed", range(5))
def test_every_sampler_presents_the_same_number_in_every_epoch(seed):
    for name, sampler in every_sampler(seed).items():
        orders = [sampler.order(epoch) for epoch in range(1, EPOCHS + 1)]
        assert {len(order) for order in orders} == {len(LABELS)}, name
        assert {order.dtype.kind for order in orders} == {"i"}
        assert min(order.min() for order in orders) >= 0
        assert max(order.max() for order in orders) < len(LABELS)


@pytest.mark.parametrize("weights", ["lognormal", "heavy", "tied", "with NaN"])
def test_rates_add_up_within_their_bounds_in_proportion_to_the_weights(weights):
    for seed in range(50):
        draws = np.random.default_rng(seed)
        count = int(draws.integers(2, 300))
        values = {
            "lognormal": draws.lognormal(-3, 1, count),
            "heavy": draws.pareto(0.3, count) + 1e-9,
            "tied": draws.choice([0.01, 0.02, 20.0], count),
            "with NaN": np.where(draws.random(count) < 0.3, np.nan, draws.random(count)),
        }[weights]
        rates, scale = rates_of(values)
        known = ~np.isnan(values)
        assert rates.sum() == pytest.approx(count, abs=1e-9 * count)
        assert (rates[~known] == 1).all()
        assert rates.min() >= LOWEST and rates.max() <= HIGHEST
        inside = known & (rates > LOWEST) & (rates < HIGHEST)
        np.testing.assert_allclose(rates[inside] * scale, values[inside])
        assert (values[known & (rates == LOWEST)] <= scale * LOWEST * (1 + 1e-9)).all()
        assert (values[known & (rates == HIGHEST)] >= scale * HIGHEST * (1 - 1e-9)).all()


def test_rates_worked_by_hand():
    # Eight have a weight. At their bounds two stand at 3 and four at ¼, 7 of 8; so (1 + 0.6) / κ = 1.
    weights = np.array([8, 6, 1, 0.6, 0.1, 0.1, 0.1, 0.1])
    rates, scale = rates_of(np.append(weights, [np.nan, np.nan]))
    assert scale == pytest.approx(1.6)
    np.testing.assert_allclose(rates, [3, 3, 0.625, 0.375, 0.25, 0.25, 0.25, 0.25, 1, 1])


def test_weights_that_no_scale_makes_add_up_are_refused_in_one_line():
    with pytest.raises(
        UserError, match=r"9 of 10 weights are 0.*5.25 at most; expected 10"
    ) as error:
        rates_of(np.array([1.0] + [0.0] * 9))
    assert "\n" not in str(error.value)
    np.testing.assert_allclose(rates_of(np.array([1.0, 0, 0]))[0], [2.5, 0.25, 0.25])
    assert rates_of(np.full(3, np.nan))[0].tolist() == [1, 1, 1]


def test_counts_worked_by_hand():
    exposures = Exposures(np.array([0.25, 0.0, 0.5]))
    rates = np.array([0.5, 1.5, 1.0])
    # ⌊e·r + u⌋ for e = 1 … 4 is 0 1 1 | 1 3 2 | 1 4 3 | 2 6 4: sums 2, 6, 8, 12 where 3, 6, 9, 12
    # are wanted. Epoch 1 lacks one; 0.75, 0.5, 0.5 are due beyond whole numbers, so the first comes
    # forward, and is not presented again in epoch 2. Epoch 3 is like epoch 1.
    found = [exposures.next_epoch(rates).tolist() for _ in range(4)]
    assert found == [[1, 1, 1], [0, 2, 1], [1, 1, 1], [0, 2, 1]]


def test_what_is_too_much_is_put_off_to_the_next_epoch():
    exposures = Exposures(np.array([0.9, 0.6, 0.7, 0.1]))
    rates = np.array([0.5, 0.5, 0.5, 2.5])
    # Due 1.4, 1.1, 1.2, 2.6 → 1, 1, 1, 2 is one too many: the second, last due, waits.
    assert exposures.next_epoch(rates).tolist() == [1, 0, 1, 2]
    # Now 0.9, 1.6, 0.7, 3.1 → 0, 1, 0, 3.
    assert exposures.next_epoch(rates).tolist() == [0, 1, 0, 3]


def test_a_sample_stays_within_one_presentation_of_its_rate_for_ever():
    draws = np.random.default_rng(0)
    for count in (40, 500):
        rates = rates_of(draws.lognormal(-2, 1.5, count))[0]
        offsets = draws.random(count)
        exposures = Exposures(offsets)
        shown = np.zeros(count)
        for epoch in range(1, 101):
            counts = exposures.next_epoch(rates)
            assert counts.sum() == count and counts.min() >= 0
            shown += counts
            assert np.abs(shown - np.floor(epoch * rates + offsets)).max() <= 1
        assert np.abs(shown - 100 * rates).max() < 2


def test_corrections_favour_no_rate():
    """Over many draws of the offsets every sample is shown T·r times on average."""
    rates = np.repeat([0.25, 0.5, 1.0, 2.25], [4, 2, 2, 1])  # 6.25 of 9, so the last is raised
    rates[-1] += len(rates) - rates.sum()
    draws = np.random.default_rng(1)
    totals = np.zeros(len(rates))
    repeats, epochs = 4000, 7
    for _ in range(repeats):
        exposures = Exposures(draws.random(len(rates)))
        totals += sum(exposures.next_epoch(rates) for _ in range(epochs))
    error = totals / repeats - epochs * rates
    assert np.abs(error).max() < 0.04  # five standard errors of a total's mean


def test_samples_of_rate_zero_are_never_presented():
    rates = np.array([2.0, 0, 0, 2.0, 2.0, 0])
    exposures = Exposures(np.full(6, 0.999))
    for _ in range(20):
        assert exposures.next_epoch(rates).tolist() == [2, 0, 0, 2, 2, 0]


def test_repeats_are_spread_over_the_epoch():
    counts = np.array([3] * 20 + [0] * 60 + [1] * 60 + [2] * 30)
    order = spread(counts, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(order, minlength=len(counts)), counts)
    for batch in batches_of(order, 32):  # a third of the epoch is 60 places
        assert len(set(batch)) == len(batch)
    firsts = [spread(counts, np.random.default_rng(seed))[0] for seed in range(200)]
    assert len(set(firsts)) > 50


def test_class_balanced_shows_classes_and_their_samples_equally_often():
    sampler = sampler_of({"sampler": "class_balanced"})
    shown = sum(
        np.bincount(sampler.order(epoch), minlength=len(LABELS)) for epoch in range(1, EPOCHS + 1)
    )
    per_class = np.bincount(LABELS, weights=shown)
    np.testing.assert_allclose(per_class, EPOCHS * len(LABELS) / 4, atol=3)
    for label in range(4):
        of_class = shown[label == LABELS]
        assert of_class.max() - of_class.min() <= 3


def test_the_adaptive_sampler_shows_what_is_lost_more_often():
    held, lost = np.arange(50), np.arange(50, 100)
    correct = np.ones((EPOCHS + 1, 100), dtype=bool)
    correct[1::2, lost] = False
    sampler = adaptive(correct.__getitem__, 100)
    assert np.bincount(sampler.order(1)).tolist() == [1] * 100  # nothing is known yet
    shown = np.bincount(sampler.order(EPOCHS), minlength=100)
    assert shown[lost].sum() > 3 * shown[held].sum()


@pytest.mark.parametrize("epoch", [1, 5, EPOCHS - 1])
def test_the_adaptive_sampler_looks_at_nothing_to_come(epoch):
    correct, seen = correctness(0), []
    other = correct.copy()
    other[epoch + 1 :] = ~other[epoch + 1 :]

    def watched(number):
        seen.append(number)
        return other[number]

    one = adaptive(correct.__getitem__)
    two = adaptive(watched)
    for now in range(1, epoch + 2):
        np.testing.assert_array_equal(one.order(now), two.order(now))
    assert max(seen) == epoch
    # What is over does count: from two different pasts come different epochs.
    past = correct.copy()
    past[: epoch + 1] = ~past[: epoch + 1]
    changed = adaptive(past.__getitem__)
    assert epoch == 1 or changed.order(epoch + 1).tolist() != one.order(epoch + 1).tolist()


def test_a_sampler_that_starts_in_mid_run_goes_on_as_one_that_did_not():
    whole, late = every_sampler(3), every_sampler(3)
    for name in whole:
        orders = [whole[name].order(epoch) for epoch in range(1, EPOCHS + 1)]
        np.testing.assert_array_equal(late[name].order(8), orders[7], err_msg=name)
        np.testing.assert_array_equal(late[name].order(9), orders[8], err_msg=name)
        np.testing.assert_array_equal(late[name].order(2), orders[1], err_msg=name)


def test_the_random_order_is_the_same_with_and_without_a_definition():
    order = RandomSampler(len(LABELS), PURPOSE).order(3)
    assert sampler_of({}).order(3).tolist() == order.tolist()
    assert sorted(order) == list(range(len(LABELS)))


@pytest.mark.parametrize(
    ("definition", "schedule", "fault"),
    [
        ({"sampler": "spaced_repetiton"}, None, "did you mean spaced_repetition"),
        ({"sampler": "spaced_repetition"}, None, "needs a schedule; give --reviews"),
        ({"sampler": "random"}, np.ones((1, 100), int), "has no schedule; leave out --reviews"),
        ({"sampler": "class_balanced", "source": "next_seed"}, None, "source: does not belong"),
    ],
)
def test_a_treatment_that_cannot_be_sampled_is_refused(definition, schedule, fault):
    with pytest.raises(UserError, match=fault):
        sampler_of(definition, schedule)


def test_a_schedule_is_followed():
    schedule = np.array([[2, 0, 1], [0, 3, 0]])
    sampler = ScheduledSampler(schedule, PURPOSE)
    for epoch, expected in enumerate(schedule.tolist(), start=1):
        assert np.bincount(sampler.order(epoch), minlength=3).tolist() == expected


def test_the_smoothed_hazard_is_the_formula_to_the_last_bit():
    draws = np.random.default_rng(0)
    at_risk = draws.integers(0, 40, 10_000)
    events = draws.binomial(at_risk, 0.3)
    expected = np.where(at_risk > 0, (events + 0.5) / (at_risk + 1), np.nan)
    found = smoothed_hazard(events, at_risk)
    assert found.tobytes() == expected.tobytes()
    assert rate_of(found).tobytes() == (-np.log1p(-expected)).tobytes()
    correct = draws.random((3000, EPOCHS)) < draws.random((3000, 1))
    table = dynamics(correct, {})
    lost = (correct[:, :-1] & ~correct[:, 1:]).sum(axis=1)
    risk = correct[:, :-1].sum(axis=1)
    expected = np.where(risk > 0, (lost + 0.5) / (risk + 1), np.nan)
    assert table["hazard"].to_numpy().tobytes() == expected.tobytes()


def test_the_adaptive_rates_are_those_of_the_hazards_in_the_epochs_before():
    correct = correctness(1)
    known = Known({}, LABELS, PURPOSE, correct.__getitem__)
    adaptive_rates = load_part("retention.samplers", "adaptive_spaced_repetition").rates(known)
    for epoch, found in zip(range(1, EPOCHS + 1), adaptive_rates, strict=False):
        over = correct[:epoch].T
        at_risk = over[:, :-1].sum(axis=1)
        forgotten = (over[:, :-1] & ~over[:, 1:]).sum(axis=1)
        hazard = np.where(at_risk > 0, (forgotten + 0.5) / (at_risk + 1), np.nan)
        assert found.tobytes() == rates_of(hazard)[0].tobytes()


def test_every_sampler_declares_what_it_offers():
    for name in part_names("retention.samplers"):
        part = load_part("retention.samplers", name)
        assert hasattr(part, "scores") == part.SAMPLER.scheduled, name
        assert hasattr(part, "make") != part.SAMPLER.scheduled, name
        assert not (part.SAMPLER.scheduled and part.SAMPLER.adaptive), name


def test_the_documentation_lists_every_sampler_in_the_words_of_its_declaration():
    text = (ROOT / "docs/treatments.md").read_text()
    rows = dict(
        re.findall(r"^\| `(\w+)` \| (.*?) \| .* \|$", text.split("\n\n##")[0], re.MULTILINE)
    )
    names = part_names("retention.samplers")
    assert rows.pop("sampler").startswith("presentations")
    assert rows == {
        name: load_part("retention.samplers", name).SAMPLER.presentations for name in names
    }
    shipped = (ROOT / "config.yaml").read_text()
    assert all(f"sampler: {name}" in shipped for name in names)


def test_a_sampler_is_imported_where_it_is_used_and_no_other():
    code = (
        "import sys; from retention.sampling.declaration import Known;"
        "from retention.training.sampling import make_sampler; import numpy as np;"
        "make_sampler(Known({'sampler': 'class_balanced'}, np.array([0, 1]), ('a',), None)).order(1);"
        "print([name for name in sys.modules if name.startswith('retention.samplers.')], 'torch' in sys.modules)"
    )
    assert printed(code) == "['retention.samplers.class_balanced'] False\n"


def test_declarations_are_read_without_numpy():
    """Snakemake's own environment has none where conda or containers bring the software."""
    code = (
        "import sys; sys.modules['numpy'] = None;"
        "from retention.common.parts import part_names;"
        "from retention.sampling.checks import treatment_faults;"
        "from retention.sampling.treatments import complete_treatment;"
        "names = part_names('retention.samplers');"
        "print([f for n in names for f in treatment_faults(complete_treatment({'sampler': n}))])"
    )
    assert printed(code) == "[]\n"


def printed(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "scripts", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
