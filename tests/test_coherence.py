"""Audits on rows written by hand: what intervals leave open is called undecided, no more."""

import pandas as pd
import pytest
import yaml
from conftest import ROOT

from retention.audits.coherence import CLASSES, EARLY_LOSS, OVERLAP, WITHIN, audit
from retention.audits.paper_comparison import compare

REPORTED = yaml.safe_load((ROOT / "scripts/retention/resources/paper.yaml").read_text())


def row_of(finding, statistic, estimate, low, high, comparison="a", **columns):
    found = {"finding": finding, "dataset": "d", "comparison": comparison, "statistic": statistic}
    found |= {"architecture": "" if " " in comparison else comparison, "target": "new runs"}
    found |= {"estimate": estimate, "low": low, "high": high, "ceiling": float("nan")}
    return found | columns


def verdict(check, *rows):
    table = audit(pd.DataFrame(rows), REPORTED, top_fraction=0.1)
    found = table[(table["check"] == check) & (table["source"] == "ours")]
    return found["verdict"].item()


@pytest.mark.parametrize(
    "low, high, expected",
    [
        (0.1, 0.65, "undecided"),  # 0.1² is below what seeds may agree at, 0.4² is not
        (-0.1, 0.75, "undecided"),  # nothing is implied for sure
        (0.35, 0.45, "incoherent"),  # 0.35² is above 0.1 as well
    ],
)
def test_what_early_loss_implies_is_as_sure_as_early_loss(low, high, expected):
    across = row_of("early_loss", "spearman_across_seeds", 0.4, low, high)
    assert (
        verdict(EARLY_LOSS, across, row_of("seed_stability", "spearman", 0, -0.1, 0.1)) == expected
    )


def test_a_prediction_with_a_minus_implies_as_much():
    across = row_of("early_loss", "spearman_across_seeds", -0.4, -0.45, -0.35)
    stable = row_of("seed_stability", "spearman", 0.0, -0.1, 0.1)
    assert verdict(EARLY_LOSS, across, stable) == "incoherent"


def test_early_loss_implies_nothing_of_another_score():
    across = row_of("early_loss", "spearman_across_seeds", 0.4, 0.35, 0.45)
    columns = {"definition": "hazard, all pairs of seeds"}
    stable = row_of("seed_stability", "spearman", 0.0, -0.1, 0.1, **columns)
    assert verdict(EARLY_LOSS, across, stable) == "undecided"


@pytest.mark.parametrize("high, expected", [(0.3, "undecided"), (0.16, "incoherent")])
def test_a_noise_ceiling_is_as_sure_as_the_overlaps_it_is_made_of(high, expected):
    overlap = ("architecture_overlap", "jaccard")
    within = [row_of(*overlap, 0.15, 0.1, high, f"{name} vs {name}") for name in "ab"]
    between = row_of(*overlap, 0.25, 0.2, 0.3, "a vs b", ceiling=0.15)
    assert verdict(WITHIN, between, *within) == expected


def test_the_papers_overlap_is_of_its_own_top_fraction():
    """0.34 of the top tenth is a correlation of 0.73, whatever fraction ours is of."""
    ours = pd.DataFrame([row_of("seed_stability", "spearman", 0.1, 0.0, 0.2)])
    table = audit(ours, REPORTED, top_fraction=0.25)
    found = table[(table["check"] == OVERLAP) & (table["dataset"] == "octdl")]
    assert found["bound"].item() == pytest.approx(0.73, abs=0.01)


def overlap_of(fraction, target="new runs"):
    columns = {"definition": f"top {fraction:g} by hazard, random tie-breaks", "seeds": 2}
    columns |= {"standard_error": 0.02, "target": target, "dataset": "octdl"}
    both = "resnet18 vs deit_small"
    return row_of("architecture_overlap", "jaccard", 0.34, 0.3, 0.4, both, **columns)


@pytest.mark.parametrize(
    "row, reason",
    [
        (overlap_of(0.25), "the paper's overlap is of the top 0.1, ours of the top 0.25"),
        (overlap_of(0.1, "these runs"), "no interval: too few seeds"),
        (overlap_of(0.1), ""),
    ],
)
def test_only_like_is_compared_with_the_paper(row, reason):
    found = compare(pd.DataFrame([row]), REPORTED, {"octdl": True}, 5)
    found = found[found["reported"] == "0.34"].iloc[0]
    assert found["verdict"] == ("not comparable" if reason else "consistent")
    assert found["reason"] == (reason or "prediction interval for 5 seeds (assumed)")


def test_classes_bound_the_agreement_of_seeds_from_below():
    share = row_of("seed_stability", "variance_of_ranks_class", 0.4, 0.3, 0.5, "all runs")
    for high, expected in ((0.2, "incoherent"), (0.35, "undecided")):
        stable = row_of("seed_stability", "spearman", 0.1, 0.0, high)
        assert verdict(CLASSES, share, stable) == expected
