"""What a mean of rank correlations varies by when groups are permuted: formula against permutations, and its use."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from planted_runs import OPTIONS, runs_forgetting_at_random

from retention.findings.seed_stability import measure as seed_stability
from retention.measuring.few import forgotten_in_both
from retention.reporting.few import told, too_few
from retention.statistics.null_variance import deviation_of_permuted
from retention.statistics.ranks import once, spearman_of_pairs
from retention.statistics.resampling import CORRELATION, PLAIN, Interval

N, TIMES = 240, 1500


def tied_scores(draws, runs: int, group_size: int) -> np.ndarray:
    """Return scores of runs that share half of what they are, most of them tied at 0, float [R, N]."""

    def effect(rows):
        shared = draws.normal(size=(rows, N // group_size)).repeat(group_size, axis=1)
        own = draws.normal(size=(rows, N))
        return np.sqrt(0.8) * shared + np.sqrt(0.2) * own if group_size > 1 else own

    return np.maximum(effect(1) + effect(runs) - 1.0, 0.0)


def permuted_groups(draws, group_size: int) -> np.ndarray:
    order = draws.permutation(N // group_size)
    return (order[:, None] * group_size + np.arange(group_size)).ravel()


@pytest.mark.parametrize("group_size", [1, 8])
@pytest.mark.parametrize("together", [False, True])
def test_it_is_the_deviation_over_permutations_of_groups(group_size, together):
    draws = np.random.default_rng(group_size)
    first, second = (tied_scores(draws, 3, group_size) for _ in range(2))
    pairs = list(product(range(3), range(3)) if together else combinations(range(3), 2))
    found = []
    for _ in range(TIMES):
        if together:
            rows = first, second[:, permuted_groups(draws, group_size)]
        else:
            each = np.stack([row[permuted_groups(draws, group_size)] for row in first])
            rows = each, each
        found.append(spearman_of_pairs(*rows, pairs, once(N)).mean())
    groups = np.arange(N) // group_size
    second = second if together else first
    expected = deviation_of_permuted(first, second, pairs, groups, together=together)
    assert np.std(found) == pytest.approx(expected, rel=0.1)


def test_groups_whose_members_are_alike_make_it_larger():
    draws = np.random.default_rng(0)
    scores, pairs = tied_scores(draws, 2, 8), [(0, 1)]
    by_group = deviation_of_permuted(scores, scores, pairs, np.arange(N) // 8)
    assert by_group > 1.8 * deviation_of_permuted(scores, scores, pairs, np.arange(N))


def test_a_row_in_which_nothing_varies_asks_nothing():
    nothing = np.zeros((2, N))
    assert np.isnan(deviation_of_permuted(nothing, nothing, [(0, 1)], np.arange(N)))


def test_a_class_has_its_mean_taken_off():
    draws = np.random.default_rng(1)
    classes = np.arange(N) % 2
    scores = tied_scores(draws, 2, 1) + 10 * classes
    found = deviation_of_permuted(scores, scores, [(0, 1)], np.arange(N), classes)
    assert found == pytest.approx(1 / np.sqrt(N - 2), rel=1e-6)


def test_an_interval_is_widened_on_its_own_scale():
    narrow = Interval(0.6, 0.001, 2.0, "new runs", CORRELATION)
    wide = narrow.at_least(0.1)
    assert wide.standard_error * CORRELATION.slope(0.6) == pytest.approx(0.1)
    assert narrow.at_least(0.001) == narrow and narrow.at_least(float("nan")) == narrow
    assert Interval(1.0, 0.0, 2.0, "new runs", CORRELATION).at_least(0.1).standard_error == 0.0
    assert Interval(0.2, 0.0, 2.0, "new runs", PLAIN).at_least(0.1).standard_error == 0.1


def agreements(share: float, studies: int) -> pd.DataFrame:
    """Return F3's rows of ρ of so many studies in which runs share nothing."""
    found = []
    for study in range(studies):
        runs = runs_forgetting_at_random(share, np.random.default_rng(study))
        table = seed_stability.measure(runs, {**OPTIONS, "resamples": 199})
        found.append(table[table["statistic"] == "spearman"])
    return pd.concat(found)


def test_runs_that_each_forget_one_in_a_hundred_at_random_are_not_told_from_chance(monkeypatch):
    """The minimal null: where no sample is forgotten twice, all pairs agree on one small negative ρ."""
    rows = agreements(0.01, studies=20)
    assert (rows["p"] < 0.05).mean() <= 0.06
    assert rows.apply(too_few, axis=1).all()
    assert (rows["note"] == "too few forgotten to tell").all()
    # what resampling alone would say
    for floor in ("deviation_of_permuted", "worth"):
        monkeypatch.setattr(seed_stability, floor, lambda *given, **more: 0.0)
    assert (agreements(0.01, studies=20)["p"] < 0.05).mean() > 0.3


def test_where_enough_is_forgotten_the_finding_says_so():
    found = agreements(0.1, studies=2)
    assert not found.apply(too_few, axis=1).any() and found["note"].isna().all()


def test_who_is_forgotten_twice_is_counted_and_not_used_to_decide():
    forgotten = np.zeros((3, 100), dtype=bool)
    forgotten[:, :10] = True
    found = pd.Series(forgotten_in_both(forgotten, forgotten, [(0, 1), (0, 2), (1, 2)]))
    assert found.to_dict() == {"forgotten_in_both": 30.0, "expected_in_both": 3.0}
    found["p_corrected"] = 0.01
    assert told(found) == "Distinguishable from chance (corrected p = 0.01)."
    found["expected_in_both"] = 2.9
    assert (
        "both forgot the same sample 30 times. Chance alone would give 2.9, and at least 3 are needed to tell."
        in told(found)
    )
    found["forgotten_in_both"] = 1.0
    assert "both forgot the same sample 1 time." in told(found)
    found["expected_in_both"] = 0.0
    assert "More seeds" not in told(found) and "More epochs or a harder split" in told(found)
    assert (
        told(pd.Series({"estimate": 1.0, "p_corrected": 0.5}))
        == "Not distinguishable from chance (corrected p = 0.5)."
    )
