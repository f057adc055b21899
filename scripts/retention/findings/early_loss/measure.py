"""F5: does the loss after head warm-up tell which samples will be forgotten?

| comparison | statistic | what |
|---|---|---|
| "A" | spearman | loss at epoch 0 against the decay constant from epoch 1 on, within a run |
| "A" | spearman_partial_class | the same ranks with each class's mean rank taken off |
| "A" | spearman_across_seeds | loss in one seed, decay constant in another |
| "A" | loss_agreement | loss at epoch 0 in two seeds; not tested |

p: the interval's, of ρ = 0.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pandas as pd

from retention.measuring.table import Setting, finish, row, setting_of
from retention.runs.reading import (
    Run,
    by_architecture,
    column,
    read_runs,
)
from retention.statistics.null_variance import deviation_of_permuted
from retention.statistics.ranks import Pairs, mean_in_both, spearman_over_pairs
from retention.statistics.resampling import CORRELATION

NAME = "early_loss"


def read(samples: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from samples.parquet of the runs."""
    return {"runs": read_runs(samples)}


def measure(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's table."""
    setting = setting_of(runs, statistics, NAME)
    groups = by_architecture(runs)
    rows = [found for name, group in groups.items() for found in _rows(setting, name, group)]
    rows += [_agreement(setting, name, group) for name, group in groups.items() if len(group) > 1]
    first, correction = runs[0], statistics["correction"]
    return finish(rows, NAME, first.dataset, correction, treatment=first.treatment)


def _rows(setting: Setting, name: str, group: Sequence[Run]) -> list[dict]:
    loss, decay = column(group, "loss_0"), column(group, "decay_constant_from_1")
    seeds = [run.seed for run in group]

    def over(statistic: str, pairs: Pairs, definition: str, classes: np.ndarray | None) -> dict:
        rho = spearman_over_pairs(loss, decay, pairs, classes)
        least = deviation_of_permuted(loss, decay, pairs, setting.groups, classes, together=True)
        interval = setting.over_pairs(rho, pairs, (seeds, seeds), CORRELATION, least)
        return row(
            statistic,
            interval,
            comparison=name,
            architecture=name,
            p=interval.p_of(0.0),
            n=mean_in_both(loss, decay, pairs),
            chance=0.0,
            definition=definition,
            seeds=len(group),
        )

    same = [(i, i) for i in range(len(group))]
    across = list(permutations(range(len(group)), 2))
    rows = [
        over("spearman", same, "loss at epoch 0, decay from epoch 1, same run", None),
        over("spearman_partial_class", same, "class's mean rank taken off", setting.classes),
    ]
    if across:
        rows.append(over("spearman_across_seeds", across, "loss and decay in other seeds", None))
    return rows


def _agreement(setting: Setting, name: str, group: Sequence[Run]) -> dict:
    """Return the row of how far the losses of two seeds agree, by which a prediction across seeds is to be read."""
    loss = column(group, "loss_0")
    seeds = [run.seed for run in group]
    pairs = list(combinations(range(len(group)), 2))

    rho = spearman_over_pairs(loss, loss, pairs)
    least = deviation_of_permuted(loss, loss, pairs, setting.groups)
    interval = setting.over_pairs(rho, pairs, (seeds, seeds), CORRELATION, least)
    return row(
        "loss_agreement",
        interval,
        comparison=name,
        architecture=name,
        n=mean_in_both(loss, loss, pairs),
        chance=0.0,
        definition="loss at epoch 0, all pairs of seeds",
        seeds=len(group),
    )
