"""The demo's per-sample numbers, computed again sample by sample without the project's code."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

pytestmark = pytest.mark.slow


def dynamics_by_hand(correct, confidence):
    """Return one sample's numbers from its trace, as the papers define them."""
    forgotten = sum(a and not b for a, b in pairwise(correct))
    learned = sum(b and not a for a, b in pairwise(correct))
    first = next((epoch for epoch, value in enumerate(correct) if value), None)
    at_risk = sum(correct[:-1])
    return {
        "forgetting_events": forgotten,
        "learning_events": learned,
        "never_learned": first is None,
        "first_learned": np.nan if first is None else first,
        "confidence": np.mean(confidence),
        "variability": np.std(confidence),
        "hazard": (forgotten + 0.5) / (at_risk + 1) if at_risk else np.nan,
    }


def decay_by_search(correct):
    """Return (λ, SSE) of exp(-λt) on correctness after first learned, by a dense search."""
    first = int(np.argmax(correct))
    values = np.asarray(correct[first + 1 :], dtype=float)
    times = np.arange(1, len(values) + 1)

    def sse(rate):
        return float(np.sum((values - np.exp(-rate * times)) ** 2))

    grid = np.concatenate([[0.0], np.geomspace(1e-5, 20, 4000)])
    best = int(np.argmin([sse(rate) for rate in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(sse, bounds=(low, high), method="bounded", options={"xatol": 1e-12})
    return (found.x, found.fun) if found.fun < sse(grid[best]) else (grid[best], sse(grid[best]))


@pytest.mark.parametrize("architecture", ["resnet", "vit"])
def test_every_sample_of_a_run_is_described_right(finished, architecture):
    run = finished.folder / f"results/tiny/digits/runs/{architecture}/random/seed0"
    traces = pd.read_parquet(run / "traces.parquet").sort_values("epoch")
    samples = pd.read_parquet(run / "samples.parquet").set_index(["split", "sample_index"])
    fitted = 0
    for key, trace in traces.groupby(["split", "sample_index"]):
        correct = trace["correct"].tolist()
        ours = samples.loc[key]
        for name, value in dynamics_by_hand(correct, trace["confidence"].to_numpy(float)).items():
            assert ours[name] == pytest.approx(value, rel=1e-5, abs=1e-6, nan_ok=True), (key, name)
        if not np.isfinite(ours["decay_constant"]):
            assert not any(correct[:-3]), key  # never learned, or fewer than three epochs after
            continue
        rate, sse = decay_by_search(correct)
        values = np.asarray(correct[correct.index(True) + 1 :], dtype=float)
        times = np.arange(1, len(values) + 1)
        our_sse = np.sum((values - np.exp(-ours["decay_constant"] * times)) ** 2)
        assert our_sse <= sse + 1e-9, key
        if rate > 10:  # e^(-10 t) is 0 as far as data can tell
            assert ours["decay_constant"] > 10, key
            assert ours["fit_status"] == "at_bound", key
        else:
            assert ours["decay_constant"] == pytest.approx(rate, rel=1e-3, abs=1e-5), key
        if values.std() > 0:
            expected = 1 - sse / np.sum((values - values.mean()) ** 2)
            assert ours["r_squared"] == pytest.approx(expected, abs=1e-6), key
            fitted += 1
    assert fitted > 20
    assert len(samples) == traces["epoch"].eq(0).sum()
