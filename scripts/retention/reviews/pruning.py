"""Pruning: which samples are presented at all, the most or the least forgotten, or some by lot."""

from collections.abc import Mapping

import numpy as np

from retention.sampling.prunable import prunable


def pruned_rates(
    definition: Mapping,
    scores: Mapping[str, np.ndarray],
    labels: np.ndarray,
    draws: np.random.Generator,
) -> np.ndarray:
    """Return presentations per epoch, float [N]: N / kept of samples that are kept, 0 of the others.

    definition: a complete one with `keep_fraction`. scores: float [N] by name, that of `prune_by` among them.
    """
    name = definition["prune_by"]
    score = np.full(len(labels), np.nan) if name == "random" else prunable()[name] * scores[name]
    if definition.get("keep") == "least_forgotten":
        score = -score
    kept = kept_samples(score, labels, definition["keep_fraction"], draws)
    return np.where(kept, len(kept) / kept.sum(), 0.0)


def kept_samples(
    score: np.ndarray, labels: np.ndarray, fraction: float, draws: np.random.Generator
) -> np.ndarray:
    """Return which samples to train on, bool [N]: in each class those of the largest scores.

    max(round(fraction · N), classes) samples are shared out to the classes in proportion to their
    sizes, at least one to each. Ties are broken at random. Of the samples of a class without a score
    (NaN) as many are kept, at random, as random pruning would: a hypergeometric number.
    """
    kept = np.zeros(len(labels), dtype=bool)
    chance = draws.random(len(labels))
    for label, quota in _quotas(labels, fraction, draws).items():
        members = np.flatnonzero(labels == label)
        members = members[np.lexsort((chance[members], -score[members]))]  # NaN comes last
        unscored = int(np.isnan(score[members]).sum())
        scored = len(members) - unscored
        by_lot = int(draws.hypergeometric(unscored, scored, quota))
        kept[members[: quota - by_lot]] = True
        kept[members[scored : scored + by_lot]] = True
    return kept


def _quotas(labels: np.ndarray, fraction: float, draws: np.random.Generator) -> dict[int, int]:
    """Return how many samples of each class are kept; equal remainders are taken by lot.

    Classes whose share is below one keep one, and the others share out what is left by the largest
    remainders. The total is larger than round(fraction · N) only where there are more classes.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    total = max(round(fraction * len(labels)), len(classes))
    single = np.zeros(len(classes), dtype=bool)
    while True:
        others = max(sizes[~single].sum(), 1)
        exact = np.where(single, 1.0, sizes * (total - single.sum()) / others)
        if (exact >= 1).all():
            break
        single |= exact < 1
    quotas = np.floor(exact).astype(int)
    lots = np.lexsort((draws.random(len(classes)), quotas - exact))
    quotas[lots[: total - quotas.sum()]] += 1
    return dict(zip(classes.tolist(), quotas.tolist(), strict=True))
