"""Samples whose decay constants and R² are by another definition than ours, so that findings can be measured by it.

No study does so: `describe_samples --definition` alone loads this module.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from retention.common.randomness import generator
from retention.dynamics.curve import curve_of
from retention.dynamics.defined_points import defined_points, smoothed, with_start
from retention.dynamics.definition import Definition
from retention.dynamics.description import CHUNK
from retention.dynamics.fitted import Fits, Fitted, fit_curves
from retention.dynamics.points import Points
from retention.dynamics.trace_table import Traces

NO_NULL = "r_squared_null is empty: points in random order are fitted for the trace aligned by the estimator exact alone"


def redescribed(
    samples: pd.DataFrame, traces: Traces, definition: Definition, shuffles: int
) -> tuple[pd.DataFrame, list[str]]:
    """Return samples.parquet with five columns by a definition, and what a person should know, a sentence each.

    samples: [N] rows as `describe` returns them, of the same traces. The columns are decay_constant (the definition's score), half_life (of λ),
    r_squared, fit_status, decay_constant_from_1 (the score without the first evaluation); with them r_squared_null, where it has a
    meaning. All others stay. Raises `UserError` as `Fits.of` does.
    """
    pieces = []
    for start in range(0, len(samples), CHUNK):
        chosen = slice(start, start + CHUNK)
        correct, confidence = traces.correct[chosen], traces.whole.get("confidence")
        fits = Fits(correct, None if confidence is None else confidence[chosen])
        found = fits.of(definition)
        columns = _columns(found, fits.of(replace(definition, epoch_0="out")), definition)
        columns["r_squared_null"] = null_r_squared(correct, definition, shuffles)
        columns["fit_status"] = _status(found, correct)
        columns["failed"], columns["residue"] = found.failed, found.residue
        pieces.append(pd.DataFrame(columns))
    new = pd.concat(pieces, ignore_index=True)
    told = _told(new, definition)
    return samples.assign(**new.drop(columns=["failed", "residue"])), told


def _columns(found: Fitted, from_1: Fitted, definition: Definition) -> dict[str, np.ndarray]:
    rate = found.decay_constant
    with np.errstate(divide="ignore", over="ignore"):
        half_life = curve_of(definition.curve).half_life(rate)
    return {
        "decay_constant": found.score,
        "half_life": np.where(rate < 0, np.inf, half_life),  # what rises is never halved
        "r_squared": found.r_squared,
        "decay_constant_from_1": from_1.score,
    }


def _status(found: Fitted, correct: np.ndarray) -> np.ndarray:
    """Return fit_status, str [N]: undetermined also where R² is not defined though the trace varies (a flat curve)."""
    curve_is_flat = (
        np.isnan(found.r_squared) & ~found.flat & np.isin(found.status, ["ok", "at_bound"])
    )
    status = np.where(curve_is_flat, "undetermined", found.status)
    return np.where(correct.any(axis=1), status, "never_learned")


def _told(new: pd.DataFrame, definition: Definition) -> list[str]:
    number = len(new)
    told = [
        f"decay_constant, half_life, r_squared, fit_status and decay_constant_from_1 are by {as_text(definition)}; "
        "all other columns are as without --definition"
    ]
    if new["failed"].any():
        told.append(f"{new['failed'].sum()} of {number} fits failed (failed: {definition.failed})")
    if new["residue"].any():
        told.append(
            f"{new['residue'].sum()} of {number} decay constants are of flat traces: where the optimiser stopped, "
            "no property of the sample"
        )
    return told if has_null(definition) else [*told, NO_NULL]


def as_text(definition: Definition) -> str:
    """Return what a definition says otherwise than ours, as JSON; the same text means the same."""
    return json.dumps(definition.differences(), sort_keys=True)


def definition_of(given: Mapping, place: str) -> Definition | None:
    """Return the definition that a map says, None where it is ours; raise `UserError` for one that there is not."""
    definition = Definition.of(given, place)
    return definition if definition.differences() else None


def has_null(definition: Definition) -> bool:
    """Tell whether R² of points in random order has a meaning, and takes no optimiser's loop."""
    return (definition.trace, definition.estimator) == ("aligned", "exact")


def null_r_squared(correct: np.ndarray, definition: Definition, shuffles: int) -> np.ndarray:
    """Return the mean R² that a definition gives each trace with its points in random order, float [N]; NaN without a null.

    correct: bool [N, E]. The points after t = 0 are shuffled before they are smoothed. What is flat in every order
    counts as the definition says.
    """
    if not shuffles or not has_null(definition):
        return np.full(len(correct), np.nan)
    plain = replace(definition, start="left_out", smoothing="none")
    _, values, weights = defined_points(correct, None, plain)
    pairs = np.stack([weights.sum(axis=1), values.sum(axis=1)], axis=1).astype(int)
    distinct, inverse = np.unique(pairs, axis=0, return_inverse=True)
    found = [shuffled_r_squared(*map(int, pair), shuffles, definition) for pair in distinct]
    return np.array(found)[inverse]


@cache
def shuffled_r_squared(length: int, correct: int, shuffles: int, definition: Definition) -> float:
    """Return the mean R² of `shuffles` traces with so many correct points in random order, the same in every run."""
    if not length:
        return float("nan")
    draws = generator("r_squared_null", length, correct)
    trace = np.zeros((shuffles, length))
    trace[:, :correct] = 1.0
    times = np.arange(1.0, length + 1)
    points: Points = (times, draws.permuted(trace, axis=1), np.ones(trace.shape))
    if definition.start == "kept":
        points = with_start(points, np.ones(shuffles))
    found = fit_curves(smoothed(points, definition.smoothing), definition).as_defined(definition)
    return float(pd.Series(found.r_squared).mean())
