"""A slice of the calibration of the joint test: it holds its level where seeds agree, and finds what there is."""

import gc
import sys

import pandas as pd
import pytest
from conftest import ROOT
from scipy.stats import binom

sys.path.insert(0, str(ROOT / "benchmarks"))

from multiverse_joint import LEVEL, judged, test_study

test_study.__test__ = False  # a function of the benchmark, no test
STUDIES = 20


def rejections(cell, seeds, studies):
    """Return how many studies reject, by finding, version and whether an order was drawn for each run."""
    rows = pd.DataFrame([row for n in range(studies) for row in test_study(cell, seeds, n)])
    table = judged(rows[~rows["naive"]])
    assert not table["too_often"].any(), table
    return (rows["p"] <= LEVEL).groupby([rows["finding"], rows["version"], rows["naive"]]).sum()


@pytest.mark.slow
def test_seeds_that_agree_do_not_count_as_comparisons_of_their_own():
    gc.freeze()  # statsmodels collects garbage at each correction
    found = rejections("seeds", 3, STUDIES)
    most = binom.ppf(0.9999, STUDIES, LEVEL)
    for version in ("", "within class"):
        assert found["architecture_overlap", version, False] <= most
        assert found["seed_stability", version, False] > 0.9 * STUDIES
    assert found["class_forgetting", "", False] <= most
    assert found["early_loss", "within class", False] <= most
    # what the care buys: with an order for each run the loss seems to tell of forgetting
    assert found["early_loss", "within class", True] > found["early_loss", "within class", False]


@pytest.mark.slow
def test_what_runs_share_is_found():
    found = rejections("signal", 5, 5)
    assert found["seed_stability", "", False] == 5
    assert found["architecture_overlap", "", False] >= 4
