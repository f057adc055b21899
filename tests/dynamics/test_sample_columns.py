"""Every column that describe_samples writes, against cases worked out by hand.

A fit of e^(−λt) is, with z = e^(−λ), a polynomial in z: its best z is a root of the derivative.
"""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from sample_columns import FIT_COLUMNS, KEYS, OWN, UNCERTAINTY

from retention.commands import describe_samples
from retention.dynamics.decay import LARGEST

CORRECT = {
    "wavers": "0110110",
    "held": "1111111",
    "never": "0000000",
    "lost at once": "1000000",
    "late": "0000110",
    "from the start": "1101101",
}
NAMES = list(CORRECT)
FITS = [
    {"retention": "aligned", "curve": "exponential"},
    {"retention": "aligned", "curve": "exponential_floor"},
    {"retention": "lag", "curve": "exponential"},
    {"retention": "cumulative", "curve": "exponential"},
    {"retention": "raw", "curve": "exponential"},
    {"retention": "raw", "curve": "scaled_exponential"},
    {"retention": "aligned", "curve": "power"},
]
# t and value of the retention traces of "wavers" and "from the start", written out
WAVERS = ([1, 2, 3, 4, 5], [1, 0, 1, 1, 0])
START = ([1, 2, 3, 4, 5, 6], [1, 0, 1, 1, 0, 1])


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """Return samples.parquet, confusions.csv and epoch_counts.csv of the six traces."""
    folder = tmp_path_factory.mktemp("columns")
    rows = [
        {"split": "train", "sample_index": index, "epoch": epoch, "correct": mark == "1"}
        | {"confidence": (epoch + index) / 20, "margin": epoch - 2.0 * index}
        | {"error_norm": epoch / 10 + index, "loss": 3.0 + index - epoch / 7}
        | {"predicted": index % 2 if mark == "1" else 2 + epoch % 2}
        for index, marks in enumerate(CORRECT.values())
        for epoch, mark in enumerate(marks)
    ]
    pd.DataFrame(rows).to_parquet(folder / "traces.parquet", index=False)
    index = pd.DataFrame({"sample_index": range(len(NAMES)), "sample_id": NAMES})
    index = index.assign(label=index["sample_index"] % 2, group=["g", "g", "h", "i", "j", "k"])
    index = index.assign(class_name=index["label"].map({0: "cat", 1: "dog"}))
    index.to_parquet(folder / "index.parquet", index=False)
    files = {
        "--traces": folder / "traces.parquet",
        "--index": folder / "index.parquet",
        "--output": folder / "samples.parquet",
        "--confusions": folder / "confusions.csv",
        "--epoch-counts": folder / "epoch_counts.csv",
        "--dynamics": json.dumps({"fits": FITS, "shuffles": 4000}),
    }
    describe_samples.main([str(word) for pair in files.items() for word in pair])
    samples = pd.read_parquet(folder / "samples.parquet")
    assert samples["sample_id"].tolist() == NAMES
    return samples, *(
        pd.read_csv(folder / f"{name}.csv") for name in ("confusions", "epoch_counts")
    )


@pytest.fixture
def column(described):
    """Return a function that gives a column as a list."""
    return lambda name: described[0][name].tolist()


def best_decay(times, values, weights=None):
    """Return λ and SSE of the best e^(−λt), by the roots of the polynomial's derivative."""
    weights = np.ones(len(times)) if weights is None else weights
    sse = np.polynomial.Polynomial([0.0])
    for t, value, weight in zip(times, values, weights, strict=True):
        power = np.polynomial.Polynomial.basis(t)
        sse += weight * (power - value) ** 2
    roots = sse.deriv().roots()
    inside = roots.real[(abs(roots.imag) < 1e-9) & (roots.real > np.exp(-LARGEST))]
    z = min([*inside[inside <= 1], 1.0, np.exp(-LARGEST)], key=sse)
    return -np.log(z), sse(z)


def r_squared(sse, values, weights=None):
    return 1 - sse / (np.size(values) * np.var(values) if weights is None else weights)


def same(found, expected, **tolerance):
    np.testing.assert_allclose(found, expected, **{"rtol": 1e-5, "atol": 1e-9, **tolerance})


def test_keys_and_what_the_index_says(column):
    assert column("split") == ["train"] * 6
    assert column("sample_index") == [0, 1, 2, 3, 4, 5]
    assert column("sample_id") == NAMES
    assert column("label") == [0, 1, 0, 1, 0, 1]
    assert column("class_name") == ["cat", "dog"] * 3
    assert column("group") == ["g", "g", "h", "i", "j", "k"]


def test_events_and_first_and_last_times(column):
    nan = np.nan
    assert column("forgetting_events") == [2, 0, 0, 1, 1, 2]
    assert column("learning_events") == [2, 0, 0, 0, 1, 2]
    same(column("first_learned"), [1, 0, nan, 0, 4, 0])
    same(column("learned_for_good"), [nan, 0, nan, nan, nan, 6])
    same(column("last_forgotten"), [6, nan, nan, 1, 6, 5])
    assert column("never_learned") == [False, False, True, False, False, False]
    assert column("unforgettable") == [False, True, False, False, False, False]


def test_means_over_epochs(column):
    same(column("mean_retention"), [3 / 5, 1, np.nan, 0, 1 / 2, 4 / 6])
    # epochs 0 … 6 have mean 3 and deviation 2
    same(column("confidence"), [(3 + index) / 20 for index in range(6)])
    same(column("variability"), [2 / 20] * 6)
    same(column("aum"), [3 - 2 * index for index in range(6)])
    same(column("error_norm"), [0.3 + index for index in range(6)])
    same(column("loss_0"), [3 + index for index in range(6)])


def test_hazards(column):
    nan = np.nan
    # events / epochs at risk: 2 of 4, 0 of 6, none, 1 of 1, 1 of 2, 2 of 4
    same(column("epochs_at_risk"), [4, 6, 0, 1, 2, 4])
    same(column("hazard"), [2.5 / 5, 0.5 / 7, nan, 1.5 / 2, 1.5 / 3, 2.5 / 5])
    # odd epochs 1, 3, 5 at risk (in brackets where lost): 1 (5); 1 3 5; -; -; (5); (1) 3
    same(column("hazard_odd"), [1 / 2, 0, nan, nan, 1, 1 / 2])
    # even epochs 0, 2, 4: (2) 4; 0 2 4; -; (0); 4; 0 (4)
    same(column("hazard_even"), [1 / 2, 0, nan, 1, 0, 1 / 2])


def test_the_default_fit(column):
    nan = np.nan
    (wavers, error_wavers), (start, error_start) = best_decay(*WAVERS), best_decay(*START)
    rates = np.array([wavers, 0, nan, LARGEST, nan, start])
    same(column("decay_constant"), rates)
    half_lives = np.log(2) / np.array([wavers, LARGEST, start])
    same(column("half_life"), [half_lives[0], np.inf, nan, half_lives[1], nan, half_lives[2]])
    explained = [r_squared(error_wavers, WAVERS[1]), nan, nan, nan, nan]
    same(column("r_squared"), [*explained, r_squared(error_start, START[1])])
    status = ["ok", "constant", "never_learned", "at_bound", "too_short", "ok"]
    assert column("fit_status") == status


def test_the_null_of_r_squared_is_that_of_all_orders(column):
    found = column("r_squared_null")
    for row, (times, values) in ((0, WAVERS), (5, START)):
        orders = set(itertools.permutations(values))
        every = [r_squared(best_decay(times, order)[1], values) for order in orders]
        assert found[row] == pytest.approx(np.mean(every), abs=4 * np.std(every) / 4000**0.5)
    assert np.isnan(found[1:5]).all()


def test_decay_constants_of_parts_of_the_trace(column):
    nan = np.nan
    wavers, start = best_decay(*WAVERS)[0], best_decay([1, 2, 3, 4, 5], [0, 1, 1, 0, 1])[0]
    # "lost at once" is never correct again: from epoch 1 on it was never learned
    same(column("decay_constant_from_1"), [wavers, 0, nan, nan, nan, start])
    odd = best_decay([1, 3, 5], [1, 1, 0])[0]
    same(column("decay_constant_odd"), [odd, 0, nan, LARGEST, nan, odd])
    # "wavers" has the even times 2 and 4 alone, too few
    even = best_decay([2, 4, 6], [0, 1, 1])[0]
    same(column("decay_constant_even"), [nan, 0, nan, LARGEST, nan, even])


@pytest.mark.parametrize(
    ("retention", "times", "values", "weights"),
    [
        ("aligned", *START, None),
        # anchors 4, 4, 3; kept 2, 2, 3
        ("lag", [1, 2, 3], [2 / 4, 2 / 4, 1], [4, 4, 3]),
        ("cumulative", START[0], [1, 2 / 3, 3 / 4, 4 / 5, 4 / 6, 5 / 7], None),
        ("raw", range(7), [1, 1, 0, 1, 1, 0, 1], None),
    ],
)
def test_every_retention_trace(column, retention, times, values, weights):
    rate, sse = best_decay(times, values, weights)
    mean = np.average(values, weights=weights)
    total = np.sum((np.ones(len(values)) if weights is None else weights) * (values - mean) ** 2)
    expected = {"decay_constant": rate, "a": 1, "c": 0, "score": rate, "sse": sse}
    expected |= {"half_life": np.log(2) / rate}
    for name, value in {**expected, "r_squared": 1 - sse / total}.items():
        same(column(f"{retention}_exponential_{name}")[5], value)
    assert column(f"{retention}_exponential_status")[5] == "ok"


def test_uncertainty_of_the_default_fit(column):
    rate, sse = best_decay(*WAVERS)
    # n = 5, k = 2: λ and the error variance
    same(column("aligned_exponential_aicc")[0], 5 * np.log(sse / 5) + 4 + 2 * 2 * 3 / 2)
    slope = np.arange(1, 6) * np.exp(-rate * np.arange(1, 6))
    same(column("aligned_exponential_standard_error")[0], np.sqrt(sse / 4 / np.sum(slope**2)))
    assert np.isnan(column("aligned_exponential_standard_error")[1])


def test_the_power_is_halved_at_its_half_life(column):
    rates = np.array(column("aligned_power_decay_constant"))
    half_lives = np.array(column("aligned_power_half_life"))
    assert np.isnan(rates[2]) and np.isnan(half_lives[2])
    assert rates[1] == 0 and half_lives[1] == np.inf
    for row in (0, 3, 5):
        same((1 + half_lives[row]) ** -rates[row], 1 / 2)


@pytest.mark.parametrize(
    ("prefix", "times", "values"),
    [
        ("aligned_exponential_floor", *START),
        ("raw_scaled_exponential", range(7), [1, 1, 0, 1, 1, 0, 1]),
    ],
)
def test_curves_with_linear_parameters(column, prefix, times, values):
    rate, a, c, score, sse, explained, status, half_life = (
        column(f"{prefix}_{name}")[5] for name in FIT_COLUMNS
    )
    times, values = np.array(times), np.array(values, dtype=float)
    assert status == "ok"
    same(sse, np.sum((a * np.exp(-rate * times) + c - values) ** 2))
    same(explained, r_squared(sse, values))
    same(score, a * (1 - np.exp(-rate)))
    same(a * np.exp(-rate * half_life), a / 2)  # of what lies above c
    if "floor" in prefix:
        same(a + c, 1)
    # every λ and c on a fine net, a + c = 1 or a too: nothing is better
    net = np.linspace(0, 1, 101)
    for other in np.geomspace(1e-4, LARGEST, 200):
        shape = np.exp(-other * times)
        for floor in net:
            gains = [1 - floor] if "floor" in prefix else net[net <= 1 - floor + 1e-12]
            curves = np.multiply.outer(gains, shape) + floor
            assert sse <= np.min(((curves - values) ** 2).sum(axis=1)) + 1e-9


def test_uncertainty_of_curves_with_linear_parameters(column):
    sse = column("aligned_exponential_floor_sse")[5]
    # n = 6, k = 3: λ, c and the error variance
    same(column("aligned_exponential_floor_aicc")[5], 6 * np.log(sse / 6) + 6 + 2 * 3 * 4 / 2)
    rate, c = (column(f"aligned_exponential_floor_{name}")[5] for name in ("decay_constant", "c"))
    times = np.arange(1, 7)
    shape = np.exp(-rate * times)
    jacobian = np.stack([-(1 - c) * times * shape, 1 - shape], axis=1)
    error = np.sqrt(sse / 4 * np.linalg.inv(jacobian.T @ jacobian)[0, 0])
    same(column("aligned_exponential_floor_standard_error")[5], error)


def test_what_samples_were_taken_for(described):
    found = described[1].set_index(["occasion", "label", "predicted"])["count"].to_dict()
    # forgotten: wavers at 3 and 6, late at 6 (label 0); lost at once at 1, from the start at 2 and 5
    # (label 1); wrong answers are 2 at even epochs and 3 at odd ones
    forgetting = {("forgetting", 0, 2): 2, ("forgetting", 0, 3): 1}
    forgetting |= {("forgetting", 1, 2): 1, ("forgetting", 1, 3): 2}
    # other errors: wavers at 0; never at 0 … 6; late at 0 … 3 (label 0); lost at once at 2 … 6
    other = {("other_error", 0, 2): 1 + 4 + 2, ("other_error", 0, 3): 3 + 2}
    other |= {("other_error", 1, 2): 3, ("other_error", 1, 3): 2}
    assert found == forgetting | other


def test_what_happened_at_each_epoch(described):
    found = described[2].set_index("epoch")
    assert found["split"].unique().tolist() == ["train"]
    assert found["samples"].tolist() == [6] * 7
    assert found["correct"].tolist() == [3, 3, 2, 2, 4, 3, 2]
    assert found["learned"].tolist() == [0, 1, 0, 1, 2, 0, 1]
    assert found["forgotten"].tolist() == [0, 1, 1, 1, 0, 1, 2]
    assert found["first_learned"].tolist() == [3, 1, 0, 0, 1, 0, 0]


def test_no_other_column_is_written(described):
    """A new column needs a case of its own above."""
    fitted = {f"{fit['retention']}_{fit['curve']}_{name}" for fit in FITS for name in FIT_COLUMNS}
    curves = ("aligned_exponential", "aligned_exponential_floor", "aligned_power")
    uncertain = {f"{curve}_{name}" for curve in curves for name in UNCERTAINTY}
    assert set(described[0].columns) == KEYS | OWN | fitted | uncertain
