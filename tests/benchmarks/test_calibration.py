"""A slice of the calibration: intervals cover and tests hold their level where it is hardest."""

import gc
import sys

import numpy as np
import pandas as pd
import pytest
from sources import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import calibration_from_traces as from_traces
from calibration import judge, known_value, lower, measure_study, upper
from simulated_studies import Cell, draw_study

from retention.statistics.ranks import once, spearman_of_pairs


@pytest.mark.slow
@pytest.mark.parametrize("signal", [False, True])
def test_three_dependent_heterogeneous_seeds_are_covered(signal):
    gc.freeze()  # statsmodels collects garbage at each correction
    cell = Cell(3, 7, 0.3, 0.2, 0.0, signal)
    studies = pd.DataFrame([row for seed in range(40) for row in measure_study(cell, seed)])
    table = judge(studies, cell).set_index("statistic")
    ours = table[~table.index.str.startswith("naive")]
    assert len(ours) > 15
    assert not ours["undercovers"].any(), ours["coverage"]
    assert not ours["rejects_too_often"].any(), ours["rejections"]
    assert ours["bias"].notna().any()
    assert not ours["biased"].any(), ours["bias"]
    # what the care buys: samples resampled alone do not cover a new seed
    assert table.loc["naive: ρ, samples without groups, percentile", "coverage"] < 0.85


def judged_from_traces(studies, **cell):
    cell = from_traces.Cell(**cell)
    rows = [row for seed in range(studies) for row in from_traces.measure_study(cell, seed)]
    return from_traces.judged(pd.DataFrame(rows), cell).set_index("statistic")


@pytest.mark.slow
def test_from_traces_the_minimal_null_is_held_and_said_to_be_too_little():
    """Each run forgets 1 % at random: nothing is distinguishable from chance, nothing incoherent, nothing missed."""
    gc.freeze()
    table = judged_from_traces(25, ever=0.01)
    assert {
        "seed_stability: a spearman",
        "coherence: a vs b architectures_overlap_no_more_than_seeds_of_one_do",
    } <= {*table.index}
    assert not table["rejects_too_often"].any(), table["rejections"]
    assert not table["undercovers"].any(), table["coverage"]
    assert table.loc["seed_stability: a spearman", "rejections"] <= 0.08
    assert table.loc["seed_stability: a spearman", "too_few"] > 0.9
    assert table.loc["architecture_overlap: a vs b jaccard", "too_few"] > 0.9


@pytest.mark.slow
def test_from_traces_what_runs_share_is_found_where_enough_is_forgotten():
    table = judged_from_traces(12, ever=0.25, **from_traces.SIGNAL)
    assert table.loc["seed_stability: a spearman", "rejections"] > 0.8
    assert table.loc["architecture_overlap: a vs b spearman", "rejections"] > 0.8
    assert table["too_few"].max() == 0


def test_simulated_runs_share_what_their_cell_says():
    draws = np.random.default_rng(0)
    found = {}
    for signal in (False, True):
        of_pairs = []
        for _ in range(30):
            runs = draw_study(Cell(2, 200, 0.0, 0.0, 0.0, signal), draws)
            values = np.stack([run.samples["decay_constant"] for run in runs])
            of_pairs.append(spearman_of_pairs(values, values, [(0, 1), (0, 2)], once(2000))[0])
        found[signal] = np.mean(of_pairs, axis=0)
    np.testing.assert_allclose(found[False], 0, atol=0.02)
    # within an architecture u and v are shared, between them u alone; class effects of variance ¼
    within, between = ((0.25 + shared) / 1.25 for shared in (0.3, 0.15))
    exact = 6 / np.pi * np.arcsin(np.array([within, between]) / 2)
    np.testing.assert_allclose(found[True], exact, atol=0.04)


def test_tied_mass_is_the_populations_and_varies_from_run_to_run():
    """Were it the same in each run, intervals would look wider than they are."""
    draws = np.random.default_rng(1)
    runs = [run for _ in range(40) for run in draw_study(Cell(3, 7, 0.3, 0.2, 0.95, True), draws)]
    forgotten = np.array([(run.samples["decay_constant"] > 0).mean() for run in runs])
    assert forgotten.mean() == pytest.approx(0.05, abs=4 * forgotten.std() / np.sqrt(40))
    assert forgotten.std() > 0.01


def test_a_statistic_that_is_off_is_called_biased():
    cell = Cell(3, 7, 0.0, 0.0, 0.0, False)
    name = "seed_stability: a spearman"
    draws = np.random.default_rng(0).normal(0, 0.1, 400)
    for off in (0.0, 0.05):
        columns = {"estimate": draws - draws.mean() + off, "p": 0.5}
        studies = pd.DataFrame({"statistic": name, "low": -1.0, "high": 1.0, **columns})
        row = judge(studies.assign(standard_error=0.1), cell).iloc[0]
        assert row["bias"] == pytest.approx(off)
        assert row["biased"] == (off > 0)
        assert not row["too_wide"]
    assert judge(studies.assign(standard_error=0.17), cell).iloc[0]["too_wide"]
    assert known_value("architecture_overlap: a vs b jaccard", cell) == pytest.approx(
        0.0530, abs=1e-3
    )
    assert np.isnan(known_value(name, Cell(3, 7, 0.0, 0.2, 0.95, False)))


def test_limits_are_clopper_pearsons():
    assert upper(0, 10) == pytest.approx(1 - (0.001 / 2) ** (1 / 10))
    assert lower(10, 10) == pytest.approx((0.001 / 2) ** (1 / 10))
    assert (lower(0, 5), upper(5, 5)) == (0.0, 1.0)
