"""One row per sample: its dynamics, its decay fits and what the null says of them."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.randomness import generator
from retention.dynamics.decay import MINIMUM_POINTS, fit, half_life
from retention.dynamics.decay_uncertainty import uncertainty
from retention.dynamics.events import dynamics, events, first_learned
from retention.dynamics.points import arguments_of, points_of
from retention.dynamics.retention import aligned
from retention.dynamics.trace_table import Traces

COUNTED_IN_EPOCHS = ["first_learned", "learned_for_good", "last_forgotten"]
CHUNK = 50_000  # samples described at a time, bounds the memory


def describe(traces: Traces, fits: Sequence[Mapping], shuffles: int) -> pd.DataFrame:
    """Return `samples.parquet` without labels: keys, dynamics, the default fit, further fits.

    Raises `UserError` where a fit needs values at every epoch that the traces do not hold (`needs_of`).
    """
    pieces = []
    for start in range(0, len(traces.keys), CHUNK):
        chosen = slice(start, start + CHUNK)
        values = {name: column[chosen] for name, column in traces.per_sample.items()}
        correct = np.ascontiguousarray(traces.correct[chosen])
        confidence = traces.whole.get("confidence")
        confidence = None if confidence is None else confidence[chosen]
        pieces.append(_describe(correct, confidence, values, fits, shuffles))
    table = pd.concat([traces.keys, pd.concat(pieces, ignore_index=True)], axis=1)
    table[COUNTED_IN_EPOCHS] += int(traces.epochs[0])  # as the file numbers them
    return table


def _describe(
    correct: np.ndarray,
    confidence: np.ndarray | None,
    per_sample: Mapping[str, np.ndarray],
    fits: Sequence[Mapping],
    shuffles: int,
) -> pd.DataFrame:
    default = fit(*aligned.points(correct), "exponential")
    columns = [dynamics(correct, per_sample), default_fit(correct, default)]
    columns.append(pd.DataFrame({"r_squared_null": null_r_squared(correct, shuffles)}))
    columns.append(split_half_fits(correct, default["decay_constant"].to_numpy()))
    for choice in fits:
        retention, curve = choice["retention"], choice["curve"]
        known = (retention, curve) == ("aligned", "exponential")
        given = arguments_of(retention, correct, confidence)
        times, values, weights = points_of(retention)(*given)
        table = default if known else fit(times, values, weights, curve)
        if retention == "aligned":
            table = pd.concat([table, uncertainty(times, weights, table, curve)], axis=1)
        table = table.assign(half_life=half_life(table["decay_constant"], curve))
        columns.append(table.add_prefix(f"{retention}_{curve}_"))
    return pd.concat(columns, axis=1)


def default_fit(correct: np.ndarray, fitted: pd.DataFrame) -> pd.DataFrame:
    """Name the columns of `aligned` × `exponential`; never-learned samples have their own status."""
    rate = fitted["decay_constant"]
    status = fitted["status"].where(~np.isnan(first_learned(correct)), "never_learned")
    return pd.DataFrame(
        {
            "decay_constant": rate,
            "half_life": half_life(rate, "exponential"),
            "r_squared": fitted["r_squared"],
            "fit_status": status,
        }
    )


def split_half_fits(correct: np.ndarray, rate: np.ndarray) -> pd.DataFrame:
    """Decay constants of the trace from epoch 1 on, and of its odd and its even times alone.

    rate: float [N], those of the whole trace; from epoch 1 on only the traces differ that were
    learned at epoch 0.
    """
    times, values, weights = aligned.points(correct)
    odd = times % 2 == 1
    from_1, at_0 = rate.copy(), correct[:, 0]
    from_1[at_0] = fit(*aligned.points(correct[at_0, 1:]), "exponential")["decay_constant"]
    return pd.DataFrame(
        {
            "decay_constant_from_1": from_1,
            "decay_constant_odd": fit(times, values, weights * odd, "exponential").decay_constant,
            "decay_constant_even": fit(times, values, weights * ~odd, "exponential").decay_constant,
        }
    )


def null_r_squared(correct: np.ndarray, shuffles: int) -> np.ndarray:
    """Return the mean R² that each trace reaches after its epochs after first learned are shuffled, float [N].

    What a fit reaches without any order in time: the null that R² must exceed; NaN where R² is not defined. It
    depends on the number of those epochs and of the correct ones among them alone.
    """
    _, values, weights = aligned.points(correct)
    pairs = np.stack([weights.sum(axis=1), values.sum(axis=1)], axis=1).astype(int)
    distinct, inverse = np.unique(pairs, axis=0, return_inverse=True)
    return np.array([shuffled_r_squared(*map(int, pair), shuffles) for pair in distinct])[inverse]


@cache
def shuffled_r_squared(length: int, correct: int, shuffles: int) -> float:
    """Return the mean R² of `shuffles` traces with so many correct epochs in random order, the same in every run."""
    if not shuffles or length < MINIMUM_POINTS or correct in (0, length):
        return np.nan
    draws = generator("r_squared_null", length, correct)
    trace = np.zeros((shuffles, length))
    trace[:, :correct] = 1.0
    times = np.arange(1.0, length + 1)
    table = fit(times, draws.permuted(trace, axis=1), np.ones(trace.shape), "exponential")
    return float(table["r_squared"].mean())


def epoch_counts(traces: Traces) -> pd.DataFrame:
    """Count samples at every epoch: one row per split and epoch.

    Columns split, epoch, samples, correct, learned and forgotten (events 0→1 and 1→0 since the
    epoch before), first_learned (correct for the first time, epoch 0 counted in).
    """
    pieces = []
    for split, rows in traces.keys.groupby("split").groups.items():
        correct = traces.correct[rows]
        ever = np.maximum.accumulate(correct, axis=1)
        forgotten, learned = events(correct)
        columns = {
            "correct": correct.sum(axis=0),
            "learned": np.r_[0, learned.sum(axis=0)],
            "forgotten": np.r_[0, forgotten.sum(axis=0)],
            "first_learned": np.diff(ever.sum(axis=0), prepend=0),
        }
        known = {"split": split, "epoch": traces.epochs, "samples": len(rows)}
        pieces.append(pd.DataFrame(known | columns))
    return pd.concat(pieces, ignore_index=True)


def confusions(traces: Traces, labels: np.ndarray) -> pd.DataFrame:
    """Count what training samples were taken for, at forgetting events and at other errors.

    labels: int [N]. Returns occasion ("forgetting" or "other_error"), label, predicted, count.
    """
    if traces.predicted is None:
        raise UserError("confusions: the traces lack the column predicted")
    training = (traces.keys["split"] == "train").to_numpy()
    correct, predicted = traces.correct[training], traces.predicted[training]
    forgotten = np.zeros_like(correct)
    forgotten[:, 1:] = events(correct)[0]
    labels = np.broadcast_to(labels[training][:, None], correct.shape)
    pieces = []
    for occasion, where in (("forgetting", forgotten), ("other_error", ~correct & ~forgotten)):
        pairs = pd.DataFrame({"label": labels[where], "predicted": predicted[where]})
        counts = pairs.groupby(["label", "predicted"]).size().rename("count").reset_index()
        counts.insert(0, "occasion", occasion)
        pieces.append(counts)
    return pd.concat(pieces, ignore_index=True)
