"""A slice of the calibration of the joint test: it holds its level where seeds agree, and finds what there is."""

import gc
import sys

import pandas as pd
import pytest
from scipy.stats import binom
from sources import ROOT

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


def test_the_page_says_what_was_measured():
    """docs/joint_test.md against the stored table of the whole calibration."""
    table = pd.read_csv(ROOT / "benchmarks/results/multiverse_joint.csv", keep_default_na=False)
    text = (ROOT / "docs/joint_test.md").read_text(encoding="utf-8")
    prose = " ".join(text[text.index("An order for each run would undo") :].split())
    nothing = table[table["nothing"] & ~table["naive"]]
    assert set(table["studies"]) == {300} and len(nothing) == 43 and not nothing["too_often"].any()
    tested = nothing[nothing["finding"] != "fit_quality"]["rejections"]
    assert f"reject in {100 * tested.mean():.1f} % of all studies" in prose
    assert f"in {100 * tested.min():.0f} to {100 * tested.max():.0f} % of a cell's" in prose

    naive, f1 = table[table["naive"]], table["finding"] == "architecture_overlap"
    of_loss = [f"{100 * share:.0f} %" for share in naive.loc[~f1, "rejections"]]
    assert "rejects in {} of studies with three seeds and {} with five".format(*of_loss) in prose
    low, high = naive.loc[f1, "rejections"].agg(["min", "max"])
    assert f"one of F1 in {100 * low:.0f} to {100 * high:.0f} %" in prose
    within = table[f1 & (table["cell"] == "classes") & (table["version"] == "within class")]
    nearest = [f"{100 * share:.1f} %" for share in within["rejections"]]
    assert "with {} for three seeds and {} for five".format(*nearest) in prose

    signal = table[(table["cell"] == "signal") & (table["seeds"] == 3)]
    power = {
        (row.finding, row.version): f"{100 * row.rejections:.0f} %" for row in signal.itertuples()
    }
    said = (
        f"F1 in {power['architecture_overlap', '']} ({power['architecture_overlap', 'within class']} within class), "
        f"F3 in {power['seed_stability', '']} ({power['seed_stability', 'within class']}), "
        f"F4 in {power['class_forgetting', '']} and F5 in {power['early_loss', 'within class']}"
    )
    assert said in prose
