"""Mean retention of every run's training samples against time, and the mean of their fitted decay curves.

| statistic | what |
|---|---|
| observed | mean of the retention trace at a time, over the samples that have a point there |
| a curve's name | mean at that time of the curves that were fitted to each of these samples |

Columns definition (the retention trace), architecture, seed, statistic, time (epochs), samples (that have a point there) and
estimate. Both means are over the same samples with the same weights: those that have a fit of every curve. So a curve may be held
against what it describes. The fits are those that samples.parquet tells of.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from retention.common.parts import part_names
from retention.dynamics.curve import Curve, curve_of
from retention.dynamics.points import Points, arguments_of, needs_of, points_of
from retention.multiverse.study import Study, read_study
from retention.runs.reading import Run

COLUMNS = ["definition", "architecture", "seed", "statistic", "time", "samples", "estimate"]
OBSERVED = "observed"
ALWAYS = ("aligned", "exponential")


def read(traces: Sequence[Path], samples: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from traces.parquet and samples.parquet of the runs in one order."""
    return {"study": read_study(traces, samples)}


def measure(study: Study) -> pd.DataFrame:
    """Return the table, traces in the order of their names, runs by architecture and seed."""
    pieces = [
        piece
        for trace, curves in fits_of(study.runs[0].samples).items()
        for place in range(len(study.runs))
        for piece in _of_run(study, place, trace, curves)
    ]
    return pd.concat(pieces, ignore_index=True)[COLUMNS]


def fits_of(samples: pd.DataFrame) -> dict[str, list[str]]:
    """Return the curves that were fitted to each retention trace, by the columns of a samples.parquet."""
    curves = part_names("retention.dynamics.curves")
    found = {
        trace: [curve for curve in curves if _column(trace, curve, "decay_constant") in samples]
        for trace in part_names("retention.dynamics.retention")
    }
    return {trace: fitted for trace, fitted in found.items() if fitted}


def _of_run(study: Study, place: int, trace: str, curves: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Yield the observed means of a run and those of every curve."""
    run = study.runs[place]
    confidence = study.confidence[place] if study.confidence and needs_of(trace) else None
    points = points_of(trace)(*arguments_of(trace, study.correct[place], confidence))
    fitted = {name: _curves(run, trace, name, points[0]) for name in curves}
    known = np.all([np.isfinite(values).all(axis=1) for values in fitted.values()], axis=0)
    for name, values in {OBSERVED: points[1], **fitted}.items():
        means = _means(points, values, known)
        yield means.assign(
            definition=trace, architecture=run.architecture, seed=run.seed, statistic=name
        )


def _curves(run: Run, trace: str, name: str, times: np.ndarray) -> np.ndarray:
    """Return every sample's fitted curve at times [K], float [N, K]; NaN of samples without a fit."""
    curve: Curve = curve_of(name)
    fitted: Mapping[str, np.ndarray] = {
        key: run.samples[_column(trace, name, key)].to_numpy(dtype=float)[:, None]
        for key in curve.order
    }
    return np.asarray(curve.formula(times[None, :], *(fitted[key] for key in curve.order)))


def _means(points: Points, values: np.ndarray, known: np.ndarray) -> pd.DataFrame:
    """Return time, samples and the weighted mean of values [N, K] over the known samples, of times that have a point."""
    times, _, weights = points
    weights = weights * known[:, None]
    total = weights.sum(axis=0)
    exists = total > 0
    sums = (np.where(known[:, None], values, 0.0) * weights).sum(axis=0)
    counts = (weights > 0).sum(axis=0)
    return pd.DataFrame(
        {
            "time": times[exists],
            "samples": counts[exists],
            "estimate": sums[exists] / total[exists],
        }
    )


def _column(trace: str, curve: str, name: str) -> str:
    """Return where a sample's parameter stands; the exponential of `aligned` is fitted in every study, by its own name."""
    return name if (trace, curve) == ALWAYS else f"{trace}_{curve}_{name}"
