"""Members of ensembles that are right where a test says so."""

import numpy as np
import pandas as pd

from retention.runs.members import Members


def members_of(probabilities, labels, runs, split=None):
    """Members with these probabilities, float [R, E, N, C], of runs named (architecture, seed)."""
    number = len(labels)
    samples = pd.DataFrame(
        {
            "split": np.repeat("train", number) if split is None else split,
            "sample_index": np.arange(number),
            "label": labels,
            "group": np.arange(number).astype(str),
        }
    )
    stored = [array.astype(np.float16) for array in probabilities]
    right = np.stack([array[-1].argmax(axis=1) == labels for array in stored], axis=1)
    architectures, seeds = zip(*runs, strict=True)
    return Members("d", "random", list(architectures), list(seeds), samples, right, stored)


def certain(right, labels):
    """Probabilities [R, 1, N, 2] of members that are right where bool [R, N] says so."""
    predicted = np.where(right, labels, 1 - labels)
    return np.where(np.arange(2) == predicted[..., None], 0.9, 0.1)[:, None]


def pick(table, comparison, statistic, **columns):
    chosen = (table["comparison"] == comparison) & (table["statistic"] == statistic)
    for name, value in columns.items():
        chosen &= table[name] == value
    assert chosen.sum() == 1, (comparison, statistic)
    return table[chosen].iloc[0]


def noisy_study(draws, own, seeds=4, number=300):
    """Two architectures that lose hard samples of their `own`, or the same ones, and 5 % by chance."""
    hard = {"a": np.arange(number) < 60, "b": np.arange(number) >= number - 60}
    runs = [(name, seed) for name in "ab" for seed in range(seeds)]
    lost = np.stack([hard[name if own else "a"] for name, _ in runs])
    right = draws.random((len(runs), number)) < np.where(lost, 0.2, 0.95)
    labels = np.arange(number) % 2
    return members_of(certain(right, labels), labels, runs), lost
