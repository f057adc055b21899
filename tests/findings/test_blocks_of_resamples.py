"""Findings of many samples are those of few: the same numbers, from blocks of resamples in memory that is bounded."""

import sys

import numpy as np
import pandas as pd
import pytest
from sources import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from simulated_training import Cell, draw_study

from retention.findings.architecture_overlap import measure as architecture_overlap
from retention.findings.class_forgetting import measure as class_forgetting
from retention.findings.early_loss import measure as early_loss
from retention.findings.fit_quality import measure as fit_quality
from retention.findings.seed_stability import measure as seed_stability
from retention.statistics import redrawn
from retention.statistics.redrawn import Redrawn

OPTIONS = {"top_fraction": 0.1, "resamples": 60, "tie_breaks": 4, "score": "decay_constant"}
OPTIONS |= {"correction": "holm", "seed": 0}
BYTES_OF_A_ROW = 4 * 800


@pytest.fixture(scope="module")
def runs():
    """Samples in groups of two, some of which are never learned."""
    cell = Cell(ever=0.25, sample=0.3, group_size=2, dependence=0.5)
    return draw_study(cell, np.random.default_rng(5)).runs


@pytest.mark.parametrize(
    "measure",
    [architecture_overlap, fit_quality, seed_stability, early_loss, class_forgetting],
    ids=lambda module: module.__name__.split(".")[-2],
)
def test_a_finding_of_resamples_in_blocks_is_that_of_all_at_once(runs, measure, monkeypatch):
    more = [{}, {}] if measure is class_forgetting else []
    whole = measure.measure(runs, OPTIONS, *more)
    monkeypatch.setattr(redrawn, "HELD_BYTES", 0)
    monkeypatch.setattr(redrawn, "BLOCK_BYTES", 7 * BYTES_OF_A_ROW)
    in_blocks = measure.measure(runs, OPTIONS, *more)
    assert whole["low"].notna().any() or whole["p"].notna().any()
    pd.testing.assert_frame_equal(in_blocks, whole, rtol=1e-9)


def test_rows_are_the_same_for_every_statistic_and_no_block_is_too_large(monkeypatch):
    monkeypatch.setattr(redrawn, "HELD_BYTES", 0)
    monkeypatch.setattr(redrawn, "BLOCK_BYTES", 3 * 80)
    draws, sizes = np.random.default_rng(1), []

    def draw(generator, rows):
        sizes.append(rows)
        return generator.random((rows, 10))

    rows = Redrawn(draw, 8, draws)
    expected = np.random.default_rng(1).random((9, 10))
    for _ in range(2):
        np.testing.assert_array_equal(rows.over(lambda block: block), expected[:8])
    np.testing.assert_array_equal(draws.random(10), expected[8])
    assert max(sizes) == 3


def test_rows_that_are_held_are_drawn_once():
    sizes = []

    def draw(generator, rows):
        sizes.append(rows)
        return generator.random((rows, 10))

    rows = Redrawn(draw, 8, np.random.default_rng(1))
    sums = [rows.over(lambda block: block.sum(axis=1)) for _ in range(3)]
    assert sizes == [1, 8] and (sums[0] == sums[2]).all()
