"""Logits of a small loop of one's own, which a recorder is given."""

import numpy as np

SAMPLES, CLASSES, EPOCHS = 30, 4, 5
LABELS = np.arange(SAMPLES) % CLASSES


def logits_at(epoch: int, seed: int = 0) -> np.ndarray:
    """Return logits [30, 4] that are right the more often the later it is."""
    draws = np.random.default_rng([seed, epoch]).normal(size=(SAMPLES, CLASSES))
    draws[np.arange(SAMPLES), LABELS] += epoch / 3
    return draws.astype(np.float32)


ALL = np.arange(SAMPLES)
