"""F5: does the loss after head warm-up tell which samples will be forgotten?

| comparison | statistic | what |
|---|---|---|
| "A" | spearman | loss at epoch 0 against the decay constant from epoch 1 on, within a run |
| "A" | spearman_partial_class | the same ranks with each class's mean rank taken off |
| "A" | spearman_across_seeds | loss in one seed, decay constant in another |
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations

import numpy as np
import pandas as pd

from retention.analysis.finding_table import Setting, finish, row, setting_of
from retention.analysis.ranks import partial_spearman, standardised_ranks, weighted_spearman
from retention.analysis.resampling import new_runs, p_value
from retention.analysis.runs import Run, by_architecture, column

FINDING = "early_loss"


def measure(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's table."""
    setting = setting_of(runs, statistics, FINDING)
    groups = by_architecture(runs)
    rows = [found for name, group in groups.items() for found in _rows(setting, name, group)]
    return finish(rows, FINDING, runs[0].dataset, statistics["correction"])


def _rows(setting: Setting, name: str, group: Sequence[Run]) -> list[dict]:
    loss, decay = column(group, "loss_0"), column(group, "decay_constant_from_1")
    same = [(i, i) for i in range(len(group))]
    across = list(permutations(range(len(group)), 2))

    def over(statistic: str, pairs: list, of_pair: Callable, definition: str) -> dict:
        items = np.array([of_pair(i, j, setting.once)[0] for i, j in pairs])
        draws = np.stack([of_pair(i, j, setting.counts) for i, j in pairs], axis=1)
        involves = np.array([[s in pair for s in range(len(group))] for pair in pairs])
        return row(
            statistic,
            new_runs(items, draws, involves, setting.groups),
            comparison=name,
            architecture=name,
            p=_p_of_prediction(setting, loss, decay, pairs),
            n=round((np.isfinite(loss) & np.isfinite(decay)).sum(axis=1).mean()),
            chance=0.0,
            definition=definition,
            seeds=len(group),
        )

    def plain(i: int, j: int, weights: np.ndarray) -> np.ndarray:
        return weighted_spearman(loss[i], decay[j], weights)

    def partial(i: int, j: int, weights: np.ndarray) -> np.ndarray:
        return partial_spearman(loss[i], decay[j], setting.classes, weights)

    rows = [over("spearman", same, plain, "loss at epoch 0, decay from epoch 1, same run")]
    found = over("spearman_partial_class", same, partial, "class's mean rank taken off")
    rows.append(found | {"p": np.nan})  # the permutation above does not keep the classes
    if across:
        rows.append(over("spearman_across_seeds", across, plain, "loss and decay in other seeds"))
    return rows


def _p_of_prediction(setting: Setting, loss: np.ndarray, decay: np.ndarray, pairs: list) -> float:
    """Permute the samples of the losses, the same way in every run: loss says nothing."""
    first, second = standardised_ranks(loss), standardised_ranks(decay)
    chosen = tuple(np.array(pairs).T)
    permuted = [
        abs((first[:, setting.draws.permutation(first.shape[1])] @ second.T)[chosen].mean())
        for _ in range(min(setting.statistics["resamples"], 999))
    ]
    return p_value(abs((first @ second.T)[chosen].mean()), np.array(permuted))
