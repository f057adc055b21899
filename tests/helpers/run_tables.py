"""Series of made-up runs: the tables that figures of no finding are drawn from."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

EPOCHS = np.arange(9)


def learning_curves(
    names: Sequence[str],
    seeds: int = 3,
    splits: Sequence[str] = ("test", "train"),
    loss: bool = True,
) -> pd.DataFrame:
    draws = np.random.default_rng(0)
    rows = []
    for name in names:
        for seed in range(seeds):
            for split in splits:
                accuracy = 0.9 - 0.4 * np.exp(-EPOCHS / 3) - 0.1 * (split == "test")
                accuracy = accuracy + draws.normal(0, 0.02, len(EPOCHS))
                table = {"architecture": name, "seed": seed, "split": split, "epoch": EPOCHS}
                table |= {"samples": 100, "accuracy": accuracy}
                rows.append(pd.DataFrame(table | {"loss": 1 - accuracy if loss else np.nan}))
    return pd.concat(rows, ignore_index=True)


def retention_curves(
    names: Sequence[str],
    seeds: int = 3,
    fits: Sequence[tuple[str, str]] = (
        ("aligned", "exponential"),
        ("aligned", "power"),
        ("lag", "exponential"),
    ),
    forgetting: bool = True,
) -> pd.DataFrame:
    draws = np.random.default_rng(1)
    rows = []
    for trace in dict.fromkeys(trace for trace, _ in fits):
        for name in names:
            for seed in range(seeds):
                curves = [curve for of, curve in fits if of == trace]
                for statistic in ["observed", *curves]:
                    rate = 0.1 * forgetting
                    value = np.exp(-rate * EPOCHS[1:]) - 0.1 * forgetting * draws.random(8)
                    table = {"definition": trace, "architecture": name, "seed": seed}
                    table |= {"statistic": statistic, "time": EPOCHS[1:].astype(float)}
                    rows.append(pd.DataFrame(table | {"samples": 50, "estimate": value}))
    return pd.concat(rows, ignore_index=True)


def overlaps(names: Sequence[str], seeds: int = 3, forgetting: bool = True) -> pd.DataFrame:
    draws = np.random.default_rng(2)
    fraction = np.array([0.01, 0.05, 0.1, 0.2, 0.3, 0.5])
    chance = fraction / (2 - fraction)
    rows = []
    for one, other in combinations([(n, s) for n in names for s in range(seeds)], 2):
        found = chance + forgetting * 0.3 * draws.random(len(fraction))
        table = {"comparison": f"{one[0]} vs {other[0]}"}
        table |= {"architecture": one[0] if one[0] == other[0] else None}
        table |= {"seed": one[1], "other_seed": other[1], "fraction": fraction, "estimate": found}
        table |= {"by_lot": np.where(fraction < 0.05, 1.0, 0.0) if forgetting else 1.0, "n": 500}
        table |= {"chance": chance, "chance_low": chance * 0.7, "chance_high": chance * 1.3}
        rows.append(pd.DataFrame(table | {"own": fraction == 0.1}))
    return pd.concat(rows, ignore_index=True)


def raster(
    names: Sequence[str],
    groups: Sequence[tuple[str, int]] = (
        ("never_learned", 4),
        ("forgotten", 60),
        ("never_forgotten", 100),
    ),
    seeds: int = 3,
    each: int = 1,
) -> pd.DataFrame:
    draws = np.random.default_rng(3)
    rows = []
    for name in names:
        row = 0
        for group, count in groups:
            for _ in range(count):
                right = (
                    draws.binomial(seeds, 0.5 if group == "forgotten" else 1, len(EPOCHS)) / seeds
                )
                right = right * (group != "never_learned")
                table = {"architecture": name, "seeds": seeds, "statistic": group, "row": row}
                table |= {"first": row * each, "samples": each, "epoch": EPOCHS}
                rows.append(pd.DataFrame(table | {"estimate": right}))
                row += 1
    return pd.concat(rows, ignore_index=True)
