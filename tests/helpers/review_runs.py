"""Runs whose scores are drawn from their seed, for schedules of reviews to be made from."""

import numpy as np
import pandas as pd

from retention.runs.reading import Run

LABELS = np.repeat([0, 1, 2, 3], [40, 40, 19, 1])
N = len(LABELS)
EPOCHS = 10


def run_of(seed: int, **columns) -> Run:
    """Return a run with scores drawn from its seed, one sample in ten never learned."""
    draws = np.random.default_rng(seed)
    never = draws.random(N) < 0.1
    decay = np.where(draws.random(N) < 0.5, 0.0, draws.exponential(0.2, N))
    risk = np.where(never, 0, draws.integers(1, EPOCHS, N))
    events = draws.binomial(risk, np.where(draws.random(N) < 0.5, 0.0, 0.3))
    table = pd.DataFrame(
        {
            "split": "train",
            "sample_index": np.arange(N),
            "label": LABELS,
            "class_name": LABELS.astype(str),
            "group": np.arange(N),
            "never_learned": never,
            "decay_constant": np.where(never, np.nan, decay),
            "forgetting_events": events,
            "epochs_at_risk": risk,
            "hazard": np.where(never, np.nan, (events + 0.5) / (risk + 1)),
        }
    )
    return Run("digits", "resnet", seed, table.assign(**columns))


def presentations(table: pd.DataFrame) -> np.ndarray:
    return table[[f"epoch_{epoch}" for epoch in range(1, EPOCHS + 1)]].to_numpy().T
