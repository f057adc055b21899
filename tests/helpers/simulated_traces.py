"""Correctness traces of every kind that a decay fit meets."""

import numpy as np

KINDS = ("constant", "flicker", "drop", "late", "falling", "markov")


def correctness(count: int, epochs: int, draws: np.random.Generator) -> np.ndarray:
    """Return bool [count, epochs], the kinds in turn."""
    time = np.arange(epochs)
    random = draws.random((count, epochs))
    p = draws.random((count, 1))
    level = draws.random((count, 1))
    when = draws.integers(1, epochs, (count, 1))
    falling = np.exp(-draws.gamma(1, 0.1, (count, 1)) * time)
    kinds = {
        "constant": np.ones((count, epochs), dtype=bool),
        "flicker": random < p,
        "drop": time < when,
        "late": (time >= when) & (random < 0.5 + p / 2),
        "falling": random < level + (1 - level) * falling,
        "markov": _markov(random, 0.3 * p, 0.5 * level),
    }
    choice = np.arange(count) % len(KINDS)
    return np.stack([kinds[KINDS[kind]][row] for row, kind in enumerate(choice)])


def points(count: int, epochs: int, draws: np.random.Generator):
    """Return (times, values, weights): `aligned`, with gaps, and weighted means, in turn."""
    from retention.dynamics.retention.aligned import points as aligned

    times, values, weights = aligned(correctness(count, epochs, draws))
    turn = np.arange(count)[:, None] % 3
    gaps = weights * (draws.random(weights.shape) < 0.7)
    counts = draws.integers(1, 9, weights.shape)
    means = draws.binomial(counts, np.clip(0.1 + 0.8 * values, 0, 1)) / counts
    values = np.where(turn == 2, means, values)
    weights = np.choose(turn, [weights, gaps, weights * counts])
    return times, values, weights


def _markov(random, loss, gain):
    state = np.ones(len(random), dtype=bool)
    columns = []
    for column in random.T:
        state = np.where(state, column >= loss[:, 0], column < gain[:, 0])
        columns.append(state)
    return np.stack(columns, axis=1)
