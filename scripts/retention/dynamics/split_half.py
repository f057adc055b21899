"""What odd and even epochs agree on where samples do not differ in how easily they are forgotten.

Halves of one trace are no independent measures. A sample that is learned late has few epochs at risk in both, and one that
was just lost can not be lost again: both make halves differ, or agree, without any sample being more forgettable.
"""

from collections.abc import Sequence

import numpy as np

from retention.dynamics.events import events, first_learned, half_hazard
from retention.statistics.ranks import once, spearman_of_pairs
from retention.statistics.reliability import spearman_brown

CHANCE, CHANCE_WITHIN_CLASS = "split_half_chance", "split_half_chance_within_class"
SAMPLES = 20_000  # that are simulated at least, of one run again and again
MOST_TIMES = 50


def chances(
    correct: np.ndarray, draws: np.random.Generator, classes: np.ndarray | None = None
) -> dict[str, float]:
    """Return what `split_half` of a run would be if all its samples, or all of a class, were as easily forgotten.

    Names as a samples.parquet has them in its metadata. That of classes is left out without `classes`. A mean over
    simulated runs; NaN where no sample is lost in either half of any.
    """
    settings = {CHANCE: None} | ({CHANCE_WITHIN_CLASS: classes} if classes is not None else {})
    return {
        name: _mean([_agreement(*halves) for halves in simulated_halves(correct, draws, labels)])
        for name, labels in settings.items()
    }


def _agreement(odd: np.ndarray, even: np.ndarray) -> float:
    """Return Spearman's ρ of two halves, lengthened to the whole as `split_half` is."""
    rho = spearman_of_pairs(odd[None], even[None], [(0, 0)], once(len(odd)))[0, 0]
    return float(spearman_brown(rho, 2))


def _mean(values: Sequence[float]) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def simulated_halves(
    correct: np.ndarray, draws: np.random.Generator, classes: np.ndarray | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return hazards at odd and at even epochs of simulated runs, each a pair of float [N].

    correct: bool [N, E], the run that is imitated; classes: int [N]. Every sample starts at its own first-learned epoch.
    It is lost at the rate of that epoch and comes back at the rate of the time since the loss, both pooled over all
    samples of the run; with `classes` the rate of losing is times that of its class over that of all.
    """
    first = np.nan_to_num(first_learned(correct), nan=correct.shape[1])
    losing, regaining = loss_rates(correct), relearning_rates(correct)
    relative = np.ones(len(correct)) if classes is None else _relative_hazard(correct, classes)
    times = int(np.clip(-(-SAMPLES // max(len(correct), 1)), 1, MOST_TIMES))
    found = []
    for _ in range(times):
        simulated = _simulated(first, losing, regaining, relative, draws)
        found.append((half_hazard(simulated, 1), half_hazard(simulated, 0)))
    return found


def loss_rates(correct: np.ndarray) -> np.ndarray:
    """Return the share of the known samples that the next epoch loses, by epoch, float [E − 1]."""
    lost, known = events(correct)[0].sum(axis=0), correct[:, :-1].sum(axis=0)
    return lost / np.maximum(known, 1)


def relearning_rates(correct: np.ndarray) -> np.ndarray:
    """Return the share of the lost samples that come back d epochs after the loss, float [E]; d from 0, where it is 0."""
    back, lost = np.zeros(correct.shape[1]), np.zeros(correct.shape[1])
    since = np.zeros(len(correct), dtype=np.int64)  # 0: known, or not yet learned
    for before, after in zip(correct.T[:-1], correct.T[1:], strict=True):
        gone = since > 0
        lost += np.bincount(since[gone], minlength=len(lost))
        back += np.bincount(since[gone & after], minlength=len(back))
        since = np.where(after, 0, np.where(before, 1, since + (since > 0)))
    return back / np.maximum(lost, 1)


def _relative_hazard(correct: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return each sample's class's events per epoch at risk over those of all samples, [N]; 1 where nothing was lost."""
    member = np.unique(classes, return_inverse=True)[1]
    lost, known = events(correct)[0].sum(axis=1), correct[:, :-1].sum(axis=1)
    of_class = np.bincount(member, lost) / np.maximum(np.bincount(member, known), 1)
    of_all = lost.sum() / max(known.sum(), 1)
    return (of_class / of_all)[member] if of_all else np.ones(len(correct))


def _simulated(
    first: np.ndarray,
    losing: np.ndarray,
    regaining: np.ndarray,
    relative: np.ndarray,
    draws: np.random.Generator,
) -> np.ndarray:
    state, since = first == 0, np.zeros(len(first), dtype=np.int64)
    columns = [state]
    for epoch, rate in enumerate(losing, start=1):
        chance = draws.random(len(first))
        after = np.where(
            state, chance >= rate * relative, (since > 0) & (chance < regaining[since])
        )
        after |= first == epoch
        since = np.where(after, 0, np.where(state, 1, since + (since > 0)))
        state = after
        columns.append(state)
    return np.stack(columns, axis=1)
