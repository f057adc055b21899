"""The row of F5 that says how far the losses of two seeds agree."""

import numpy as np
import pytest
from planted_runs import OPTIONS, N, pick, run_of

from retention.findings.early_loss import measure as early_loss
from retention.findings.early_loss.sentences import sentences


def test_how_far_losses_agree_is_the_last_row_and_tests_nothing():
    """Losses share a part of 0.6 between seeds; the other rows and their family are as they were."""
    draws = np.random.default_rng(13)
    shared = draws.normal(size=N)
    runs = []
    for name in "ab":
        for seed in range(4):
            loss = np.sqrt(0.6) * shared + np.sqrt(0.4) * draws.normal(size=N)
            decay = loss + draws.normal(size=N)
            runs.append(run_of(name, seed, loss_0=loss, decay_constant_from_1=decay))
    table = early_loss.measure(runs, OPTIONS)
    assert table["statistic"].tolist()[-2:] == ["loss_agreement"] * 2
    assert len(table) == 2 * 3 + 2
    for name in "ab":
        found = pick(table, name, "loss_agreement")
        losses = [run.samples["loss_0"] for run in runs if run.architecture == name]
        naive = [losses[i].corr(losses[j], method="spearman") for j in range(4) for i in range(j)]
        assert found["estimate"] == pytest.approx(np.mean(naive))
        assert found["low"] < 6 / np.pi * np.arcsin(0.3) < found["high"]
        assert (found["n"], found["chance"], found["seeds"]) == (N, 0, 4)
        assert np.isnan(found["p"]) and np.isnan(found["p_corrected"])
    tested = table[table["p"].notna()]
    assert set(tested["statistic"]) == {
        "spearman",
        "spearman_partial_class",
        "spearman_across_seeds",
    }
    # Holm over the six tests alone: the smallest p counts six times
    least = tested.sort_values("p").iloc[0]
    assert least["p_corrected"] == pytest.approx(min(6 * least["p"], 1))
    # sentences and figure are of the other rows
    others = table[table["statistic"] != "loss_agreement"]
    assert list(sentences(table)) == list(sentences(others))
    alone = early_loss.measure([run for run in runs if run.seed == 0], OPTIONS)
    assert "loss_agreement" not in set(alone["statistic"])
