"""Audits on rows written by hand: what intervals leave open is called undecided, no more."""

import numpy as np
import pandas as pd
import pytest
import yaml
from audit_rows import row_of, verdict
from planted_runs import OPTIONS, N, run_of
from sources import ROOT

from retention.audits.coherence import CLASSES, EARLY_LOSS, WITHIN, audit
from retention.audits.paper_comparison import compare
from retention.findings.early_loss import measure as early_loss
from retention.findings.seed_stability import measure as seed_stability

REPORTED = yaml.safe_load((ROOT / "scripts/retention/resources/paper.yaml").read_text())


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


@pytest.mark.parametrize(
    "agreement, bound, expected",
    [
        ((0.5, 0.45, 0.55), 0.32, "incoherent"),  # 0.35²/0.55 is above 0.2
        ((0.5, 0.3, 0.9), 0.32, "undecided"),  # 0.35²/0.9 is not
        ((0.1, -0.2, 0.4), 0.16, "undecided"),  # below 0.4² they could not predict so: left aside
        ((0.5, float("nan"), float("nan")), 0.32, "undecided"),  # full, for all that is known
    ],
)
def test_losses_that_do_not_agree_ask_for_seeds_that_agree_the_more(agreement, bound, expected):
    """A loss of which seeds share half tells across seeds only what decays share."""
    rows = [
        row_of("early_loss", "spearman_across_seeds", 0.4, 0.35, 0.45),
        row_of("early_loss", "loss_agreement", *agreement),
        row_of("seed_stability", "spearman", 0.1, 0.0, 0.2),
    ]
    table = audit(pd.DataFrame(rows), top_fraction=0.1)
    found = table[table["check"] == EARLY_LOSS].iloc[0]
    assert found["bound"] == pytest.approx(bound)
    assert found["verdict"] == expected
    assert ("losses agree at 0.50" in found["explanation"]) == (agreement[0] == 0.5)


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
    found = found[found["reported"] == "0.34 (octdl)"].iloc[0]
    assert found["verdict"] == ("not comparable" if reason else "consistent")
    assert found["reason"] == (reason or "prediction interval for 5 seeds (assumed)")


def test_classes_bound_the_agreement_of_seeds_from_below():
    share = row_of("seed_stability", "variance_of_ranks_class", 0.4, 0.3, 0.5, "all runs")
    for high, expected in ((0.2, "incoherent"), (0.35, "undecided")):
        stable = row_of("seed_stability", "spearman", 0.1, 0.0, high)
        assert verdict(CLASSES, share, stable) == expected


@pytest.mark.slow
def test_seeds_that_agree_at_the_floor_are_rarely_called_incoherent():
    """Loss and decay share what their seeds share, so ρ²/q is met exactly: at 5 % two of 20 studies are no surprise."""
    called, options = 0, OPTIONS | {"resamples": 99}
    for study in range(20):
        draws = np.random.default_rng([study, 7])
        shared, runs = draws.normal(size=N), []
        for seed in range(4):
            loss, decay = (
                np.sqrt(part) * shared + np.sqrt(1 - part) * draws.normal(size=N)
                for part in (0.5, 0.4)
            )
            columns = {"loss_0": loss, "decay_constant_from_1": decay, "decay_constant": decay}
            runs.append(run_of("a", seed, **columns))
        tables = [finding.measure(runs, options) for finding in (early_loss, seed_stability)]
        found = audit(pd.concat(tables), top_fraction=0.1).set_index("check").loc[EARLY_LOSS]
        assert found["bound"] == pytest.approx(0.4, abs=0.2)
        called += found["verdict"] == "incoherent"
    assert called <= 2
