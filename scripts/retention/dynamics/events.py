"""Per-sample training dynamics, for all samples at once.

Events: Toneva et al., ICLR 2019. Confidence, variability: Swayamdipta et al., EMNLP 2020.
AUM: Pleiss et al., NeurIPS 2020. Error norm (EL2N): Paul et al., NeurIPS 2021.
Matrices are [N samples, E epochs]; a result is [N].
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from retention.common.hazard import smoothed_hazard


def dynamics(correct: np.ndarray, per_sample: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return one row per sample; columns that need values which are absent are NaN.

    per_sample: [N] arrays of `Traces`.

    First learned, learned for good and last forgotten are epochs counted from 0 at the first
    column; they are NaN where it never happened, never a large number.
    """
    forgotten, learned = events(correct)
    first = first_learned(correct)
    missing = np.full(len(correct), np.nan)

    return pd.DataFrame(
        {
            "forgetting_events": forgotten.sum(axis=1),
            "learning_events": learned.sum(axis=1),
            "first_learned": first,
            "learned_for_good": learned_for_good(correct),
            "last_forgotten": last_forgotten(forgotten),
            "never_learned": np.isnan(first),
            "unforgettable": ~np.isnan(first) & ~forgotten.any(axis=1),
            "mean_retention": mean_retention(correct),
            "confidence": per_sample.get("confidence", missing),
            "variability": per_sample.get("variability", missing),
            "aum": per_sample.get("margin", missing),
            "error_norm": per_sample.get("error_norm", missing),
            "loss_0": per_sample.get("loss_0", missing),
            "epochs_at_risk": epochs_at_risk(correct),
            "hazard": hazard(correct),
            "hazard_odd": half_hazard(correct, parity=1),
            "hazard_even": half_hazard(correct, parity=0),
        }
    )


def events(correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return forgetting (1→0) and learning (0→1) events, each bool [N, E - 1]."""
    before, after = correct[:, :-1], correct[:, 1:]
    return before & ~after, ~before & after


def first_learned(correct: np.ndarray) -> np.ndarray:
    """Return the first epoch with correct = 1, NaN where there is none."""
    return np.where(correct.any(axis=1), correct.argmax(axis=1), np.nan)


def learned_for_good(correct: np.ndarray) -> np.ndarray:
    """Return the first epoch from which on a sample stays correct, NaN where the last is wrong."""
    tail = np.flip(correct, axis=1)
    run = np.where(tail.all(axis=1), tail.shape[1], (~tail).argmax(axis=1))
    return np.where(run > 0, correct.shape[1] - run, np.nan)


def last_forgotten(forgotten: np.ndarray) -> np.ndarray:
    """Return the epoch in which a sample was last lost, NaN where it never was."""
    last = forgotten.shape[1] - np.flip(forgotten, axis=1).argmax(axis=1)
    return np.where(forgotten.any(axis=1), last, np.nan)


def mean_retention(correct: np.ndarray) -> np.ndarray:
    """Return the mean correctness after first learned; NaN if never learned or learned last."""
    first = first_learned(correct)
    after = np.arange(correct.shape[1]) > first[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return (correct & after).sum(axis=1) / after.sum(axis=1)


def epochs_at_risk(correct: np.ndarray) -> np.ndarray:
    """Return in how many epochs a sample could be lost: correct and not in the last one."""
    return correct[:, :-1].sum(axis=1)


def hazard(correct: np.ndarray) -> np.ndarray:
    """Return (forgetting events + ½) / (epochs at risk + 1), NaN when never at risk."""
    return smoothed_hazard(events(correct)[0].sum(axis=1), epochs_at_risk(correct))


def half_hazard(correct: np.ndarray, parity: int) -> np.ndarray:
    """Return forgetting events / epochs at risk over the even (0) or odd (1) epochs alone.

    For split-half reliability, so without smoothing: the halves share the number of epochs at risk,
    and (0 + ½) / (n + 1) would carry it into both. NaN when never at risk in that half.
    """
    at_risk = correct[:, parity:-1:2]
    lost = events(correct)[0][:, parity::2].sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return lost / at_risk.sum(axis=1)
