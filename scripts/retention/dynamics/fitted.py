"""Decay constants and R² of many definitions, each distinct trace fitted once and shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from retention.dynamics.curve import Curve, curve_of
from retention.dynamics.defined_points import defined_points
from retention.dynamics.definition import Definition
from retention.dynamics.distinct import distinct_rows, distinct_traces
from retention.dynamics.estimates import Estimates, estimator_of, in_order
from retention.dynamics.goodness import Goodness, goodness, r_squared
from retention.dynamics.points import Points, needs_of

FLAT_COUNTS = {"dropped": np.nan, "one": 1.0, "zero": 0.0}
STATUSES = np.array(["ok", "too_short", "failed", "constant", "undetermined", "at_bound"])


class Fitted(NamedTuple):
    """What a definition says of N samples, [N] each.

    decay_constant: λ per epoch; score: what ranks samples, λ but for the exact fit of a curve with linear parameters, where
    it is the one-step loss a(1 − e^(−λ)) as `decay.fit` has it. r_squared: NaN where it is not defined. All float, NaN of samples without a
    trace, of traces too short for the estimator and of failed fits that count as missing.

    flat: bool, the trace has no variance; failed: bool, the optimiser gave up; residue: bool, λ is where an optimiser
    happened to stop on a flat trace. status: str, as `fit_status` of samples.parquet: ok, constant (of the exact
    estimator: all is 1; else flat), at_bound, undetermined, too_short (no trace at all, too), failed.
    """

    decay_constant: np.ndarray
    score: np.ndarray
    r_squared: np.ndarray
    flat: np.ndarray
    failed: np.ndarray
    residue: np.ndarray
    status: np.ndarray


class Fits:
    """Samples whose traces are fitted by any definition; what was fitted is kept and not fitted again.

    correct: bool [N, E]; confidence: float [N, E], the probability of the label's class, None where no definition needs it.
    Runs are pooled: N may be runs × samples. Not for threads.
    """

    def __init__(self, correct: np.ndarray, confidence: np.ndarray | None = None):
        self.correct, self.confidence = np.asarray(correct, dtype=bool), confidence
        self._first, self._kind = distinct_rows(self.correct)
        self._curves: dict[tuple[str, ...], tuple[Curves, np.ndarray]] = {}
        self._traces: tuple[tuple[str, ...], Traced] | None = None

    def of(self, definition: Definition) -> Fitted:
        """Return what a definition says of each sample.

        failed, r_squared and flat cost nothing once the other choices were fitted. Raises `UserError` where a trace needs confidences
        that there are not, and where too few epochs are left.
        """
        key = (*_points_key(definition), definition.curve, definition.estimator)
        if key not in self._curves:
            traced = self._traced(definition)
            curves = fit_curves(traced.points, definition)
            self._curves[key] = curves, traced.rows
        curves, rows = self._curves[key]
        found = curves.as_defined(definition)
        return Fitted(*(column[rows] for column in found))

    def _traced(self, definition: Definition) -> Traced:
        """Return the distinct traces; those of the last definition are kept, and no more: they are large."""
        key = _points_key(definition)
        if self._traces is None or self._traces[0] != key:
            self._traces = key, self._trace(definition)
        return self._traces[1]

    def _trace(self, definition: Definition) -> Traced:
        if needs_of(definition.trace):
            every = np.arange(len(self.correct))
            points = defined_points(self.correct, self.confidence, definition)
        else:
            every = self._kind
            points = defined_points(self.correct[self._first], None, definition)
        times, values, weights = points
        first, kind = distinct_traces(values, weights)
        return Traced((times, values[first], weights[first]), kind[every])


class Traced(NamedTuple):
    """The points of distinct traces, and which of them each sample has, int [N]."""

    points: Points
    rows: np.ndarray


def _points_key(definition: Definition) -> tuple[str, ...]:
    names = ("trace", "start", "epoch_0", "epochs", "smoothing")
    return tuple(getattr(definition, name) for name in names)


@dataclass(frozen=True)
class Curves:
    """Curves fitted to M traces by an estimator, and how well they describe them, before a definition judges it.

    begun: the curves that failed fits began with, NaN elsewhere; None where none failed. status: int8 [M], places in
    `STATUSES`. iterative: an optimiser made them.
    """

    estimates: Estimates
    fit: Goodness
    begun: tuple[Estimates, Goodness] | None
    status: np.ndarray
    iterative: bool

    def as_defined(self, definition: Definition) -> Fitted:
        """Return what the definition's failed, r_squared and flat make of them, [M]."""
        rate, failed = self.estimates.decay_constant, self.estimates.failed
        found = r_squared(self.fit, definition.r_squared)
        judged = np.isfinite(self.estimates.a)
        flat = self.fit.flat & (judged | failed)
        if self.begun is not None and definition.failed == "start":
            begun, fit = self.begun
            rate = np.where(failed, begun.decay_constant, rate)
            found = np.where(failed, r_squared(fit, definition.r_squared), found)
            judged = judged | failed
        if definition.r_squared != "r2_score":
            found = np.where(self.fit.flat & judged, FLAT_COUNTS[definition.flat], found)
        if definition.failed == "zero":
            rate, found = (np.where(failed, 0.0, array) for array in (rate, found))
        score = rate if self.estimates.score is None else self.estimates.score
        residue = flat & ~failed & self.iterative
        return Fitted(rate, score, found, flat, failed, residue, STATUSES[self.status])


def fit_curves(points: Points, definition: Definition) -> Curves:
    """Fit the definition's curve to M traces, times [K], values [M, K], weights [M, K], each on its own."""
    curve, estimator = curve_of(definition.curve), estimator_of(definition.estimator)
    estimates: Estimates = estimator.estimate(*points, curve)
    fit = _goodness(points, curve, estimates)
    if estimates.r_squared is not None:
        fit = fit._replace(raw=estimates.r_squared)
    begun = None
    if estimates.failed.any():
        started = in_order(
            curve, np.where(estimates.failed[:, None], estimator.start(curve), np.nan)
        )
        begun = started, _goodness(points, curve, started)
    status, kept = _status(estimates, fit), estimates._replace(status=None)
    return Curves(kept, fit, begun, status, getattr(estimator, "ITERATIVE", False))


def _status(estimates: Estimates, fit: Goodness) -> np.ndarray:
    """Return places in `STATUSES`, int8 [M]: words would take more memory than all numbers together."""
    if estimates.status is not None:
        return np.asarray(pd.Categorical(estimates.status, categories=STATUSES).codes)
    short = np.isnan(estimates.a) & ~estimates.failed
    return np.select([short, estimates.failed, fit.flat], [1, 2, 3], 0).astype(np.int8)


def _goodness(points: Points, curve: Curve, estimates: Estimates) -> Goodness:
    times, values, weights = points
    # Where a constant describes a trace best every λ does, and there is none.
    constant = np.isnan(estimates.decay_constant) & (estimates.a == 0)
    known = estimates._replace(decay_constant=np.where(constant, 0.0, estimates.decay_constant))
    parameters = [getattr(known, name)[:, None] for name in curve.order]
    with np.errstate(all="ignore"):
        return goodness(values, weights, curve.formula(times[None], *parameters))
