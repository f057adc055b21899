"""Verdicts on differences paired by seed: power, equivalence, and few seeds."""

import gc

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, chi, norm, t

from retention.common.options import defaults
from retention.measuring.paired import finish_judged, judged_row, smallest_effect

STATISTICS = defaults("statistics")

MARGIN = STATISTICS["treatment"]["margin"]
STUDIES = 80


def family_of(differences):
    """Judge differences [K, S] as one family; returns the verdicts' rows."""
    rows = [judged_row("difference", d, comparison=str(k)) for k, d in enumerate(differences)]
    return finish_judged(rows, "treatment_comparison", "d", STATISTICS, ())


def test_few_seeds_give_no_interval_and_no_wilcoxon():
    draws = np.random.default_rng(1)
    two = family_of(draws.normal(0, 0.01, (1, 2))).iloc[0]
    assert np.isnan(two["low"]) and np.isnan(two["p"]) and two["verdict"] == "undecided"
    assert two["note"] == "fewer than 3 seeds"
    five, six = (family_of(draws.normal(0, 0.01, (1, n))).iloc[0] for n in (5, 6))
    assert np.isfinite(five["low"]) and np.isnan(five["p_wilcoxon"])
    assert np.isfinite(six["p_wilcoxon"])
    same = family_of(np.full((1, 8), 0.25)).iloc[0]
    assert (same["verdict"], same["note"]) == ("undecided", "nothing varies")


def test_a_treatment_that_changes_nothing_in_any_seed_is_identical():
    table = family_of(np.array([[0.0] * 3, [0.0005] * 3, [-0.01, 0.0, 0.01]]))
    assert table["verdict"].tolist() == ["identical", "undecided", "undecided"]
    assert table["note"].tolist()[:2] == ["no difference in any seed", "nothing varies"]
    assert family_of(np.zeros((1, 2)))["verdict"].tolist() == ["undecided"]
    assert family_of(np.full((1, 4), 1e-17))["verdict"].tolist() == ["identical"]  # rounding


def studies(draws, mean, deviation, seeds, number=STUDIES):
    """The first verdict of many simulated families of three, all with this mean."""
    gc.freeze()  # statsmodels collects garbage at each correction
    found = [
        family_of(draws.normal(mean, deviation, (3, seeds)))["verdict"].tolist()
        for _ in range(number)
    ]
    return np.array(found)


def test_a_planted_effect_is_found_with_the_stated_power():
    draws = np.random.default_rng(2)
    effect = 0.01 * smallest_effect(8, 3)
    found = (studies(draws, effect, 0.01, 8) == "better")[:, 0]
    # Bonferroni finds 80 %, Holm some more
    low, high = binom.ppf([0.0005, 0.9995], STUDIES, [0.8, 0.92])
    assert low <= found.sum() <= high


def test_a_stated_smallest_difference_is_that_of_the_t_test():
    draws = np.random.default_rng(3)
    values = draws.normal(smallest_effect(8, 1), 1, (40_000, 8))
    error = values.std(axis=1, ddof=1) / np.sqrt(8)
    power = np.mean(np.abs(values.mean(axis=1)) / error > t.ppf(0.975, 7))
    assert power == pytest.approx(0.8, abs=0.01)


STATED = [(3, 4, 6.55), (3, 6, 8.02), (3, 14, 12.25), (3, 20, 14.65)]
STATED += [(4, 20, 5.94), (5, 14, 3.44), (5, 20, 3.78)]


@pytest.mark.parametrize("seeds, family, stated", STATED)
def test_smallest_differences_of_few_seeds_are_those_worked_out_elsewhere(seeds, family, stated):
    assert smallest_effect(seeds, family) == pytest.approx(stated, abs=0.006)


def integrated_power(effect, seeds, level):
    """Power of the two-sided t test, the normal in closed form, integrated over the deviation."""
    critical, delta = t.isf(level / 2, seeds - 1), effect * np.sqrt(seeds)
    over = chi(seeds - 1, scale=1 / np.sqrt(seeds - 1))

    def found(s):
        return over.pdf(s) * (norm.sf(critical * s - delta) + norm.cdf(-critical * s - delta))

    turn = delta / critical  # where power falls from 1 to 0, within about 1 / critical
    places = sorted({max(turn + k / critical, 0) for k in (-8, -4, 0, 4, 8)})
    return quad(found, 0, max(8, 2 * turn), points=places, limit=400, epsabs=1e-11)[0]


@pytest.mark.parametrize("seeds", range(3, 9))
def test_the_smallest_difference_has_the_power_stated_in_every_family(seeds):
    effects = [smallest_effect(seeds, family) for family in range(1, 41)]
    assert (np.diff(effects) > 0).all()
    for family, effect in enumerate(effects, 1):
        assert integrated_power(effect, seeds, 0.05 / family) == pytest.approx(0.8, abs=1e-8)


def test_nothing_is_called_equivalent_or_undecided_as_the_seeds_suffice():
    draws = np.random.default_rng(4)
    enough = studies(draws, 0.0, 0.006, 8)
    false = ((enough == "better") | (enough == "worse")).any(axis=1)
    assert false.sum() <= binom.ppf(0.9995, STUDIES, 0.05)  # over the family
    assert np.mean(enough == "equivalent") > 0.85
    few = studies(draws, 0.0, 0.006, 3, 50)
    assert np.mean(few == "undecided") > 0.5
    noisy = studies(draws, 0.0, 0.03, 8, 50)
    assert np.mean(noisy == "undecided") > 0.85


def test_a_difference_as_large_as_the_margin_is_seldom_called_equivalent():
    draws = np.random.default_rng(5)
    found = studies(draws, MARGIN, 0.006, 8)[:, 0]
    assert np.sum(found == "equivalent") <= binom.ppf(0.9995, STUDIES, 0.05)


def test_a_real_difference_inside_the_margin_is_flagged():
    draws = np.random.default_rng(6)
    row = family_of(0.004 + draws.normal(0, 0.0005, (1, 8))).iloc[0]
    assert (row["verdict"], row["note"]) == ("better", "smaller than the margin")
