"""One row per sample: its dynamics, its decay fits and what the null says of them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from retention.analysis.decay import fit
from retention.analysis.dynamics import dynamics, events, first_learned
from retention.analysis.retention_traces import RETENTION_TRACES, aligned
from retention.analysis.trace_table import Traces
from retention.common.randomness import generator


def describe(traces: Traces, fits: Sequence[Mapping], shuffles: int) -> pd.DataFrame:
    """Return `samples.parquet` without labels: keys, dynamics, the default fit, further fits."""
    correct = traces.correct
    identity = [traces.metadata.get(key, "") for key in ("study", "dataset", "architecture")]
    draws = generator(*identity, traces.metadata.get("seed", ""), "r_squared_null")
    columns = [traces.keys, dynamics(correct, traces.values), default_fit(correct)]
    columns.append(pd.DataFrame({"r_squared_null": shuffled_r_squared(correct, shuffles, draws)}))
    columns.append(split_half_fits(correct))
    for choice in fits:
        points = RETENTION_TRACES[choice["retention"]](correct)
        table = fit(*points, choice["curve"])
        columns.append(table.add_prefix(f"{choice['retention']}_{choice['curve']}_"))
    return pd.concat(columns, axis=1)


def default_fit(correct: np.ndarray) -> pd.DataFrame:
    """Fit `aligned` × `exponential`; never-learned samples have a status of their own."""
    table = fit(*aligned(correct), "exponential")
    rate = table["decay_constant"]
    with np.errstate(divide="ignore"):
        half_life = np.log(2) / rate
    status = table["status"].where(~np.isnan(first_learned(correct)), "never_learned")
    return pd.DataFrame(
        {
            "decay_constant": rate,
            "half_life": half_life,
            "r_squared": table["r_squared"],
            "fit_status": status,
        }
    )


def split_half_fits(correct: np.ndarray) -> pd.DataFrame:
    """Decay constants of the trace from epoch 1 on, and of its odd and its even times alone."""
    times, values, weights = aligned(correct)
    odd = times % 2 == 1
    return pd.DataFrame(
        {
            "decay_constant_from_1": fit(*aligned(correct[:, 1:]), "exponential").decay_constant,
            "decay_constant_odd": fit(times, values, weights * odd, "exponential").decay_constant,
            "decay_constant_even": fit(times, values, weights * ~odd, "exponential").decay_constant,
        }
    )


def shuffled_r_squared(
    correct: np.ndarray, shuffles: int, draws: np.random.Generator
) -> np.ndarray:
    """Return each sample's mean R² after its epochs after first learned are shuffled, [N].

    What a fit reaches without any order in time: the null that R² must exceed.
    """
    times, values, weights = aligned(correct)
    total = np.zeros(len(correct))
    for _ in range(shuffles):
        keys = np.where(weights > 0, draws.random(weights.shape), np.inf)
        shuffled = np.take_along_axis(values, np.argsort(keys, axis=1), axis=1)
        total += fit(times, shuffled, weights, "exponential")["r_squared"].to_numpy()
    return total / shuffles


def confusions(traces: Traces, labels: np.ndarray) -> pd.DataFrame:
    """Count what training samples were taken for, at forgetting events and at other errors.

    labels: int [N]. Returns occasion ("forgetting" or "other_error"), label, predicted, count.
    """
    training = (traces.keys["split"] == "train").to_numpy()
    correct, predicted = traces.correct[training], traces.values["predicted"][training]
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
