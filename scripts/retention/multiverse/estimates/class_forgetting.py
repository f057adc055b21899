"""F4: how alike runs rank the classes, Kendall's W."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from retention.findings.class_forgetting.measure import measure
from retention.findings.class_forgetting.structure import class_rates, kendalls_w
from retention.multiverse.choices import Levels
from retention.multiverse.frame import Estimate, Frame
from retention.multiverse.scores import Scores
from retention.multiverse.study import Study
from retention.runs.reading import Run, events_at_risk
from retention.statistics.resampling import Interval, p_value

STATISTIC, ALL = "kendalls_w", "all runs"
RANKED = False


def lacking(study: Study) -> str:
    """Return why a study has no such number, "" where it has."""
    return "" if len(study.runs) > 1 else "it compares runs, and there is one"


def measured(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's own table, of what samples.parquet alone tells."""
    return measure(runs, statistics, {}, {})


def values(scores: Scores, levels: Levels) -> np.ndarray | None:
    """Return what is scored, float [R, N]; None where a class's value is no mean of scores."""
    return scores.of(levels) if levels["class_value"] == "mean_score" else None


def estimates(frame: Frame, scores: Scores, levels: Levels) -> Iterator[Estimate]:
    """Yield the concordance of each architecture's runs, where there are several, and that of all runs."""
    sums, mass = summed(scores, levels)
    number, classes = len(frame.setting.class_names), frame.setting.classes
    found = class_rates(sums, mass, classes[None, :], frame.setting.once, number)[0]  # [R, C]
    permuted = frame.labellings.over(
        lambda labels: class_rates(sums, mass, labels, frame.setting.once, number)
    )
    for name, rows in compared_runs(frame.study).items():
        yield _concordance(found[rows], permuted[:, rows], name, rows)


def compared_runs(study: Study) -> dict[str, list[int]]:
    """Return the rows of the runs of each comparison: of an architecture with several, and of all."""
    sides = study.architectures
    groups = {name: rows for name, rows in sides.items() if len(rows) > 1}
    if len(sides) > 1:
        groups[ALL] = [row for rows in sides.values() for row in rows]
    return groups


def _concordance(
    found: np.ndarray, permuted: np.ndarray, name: str, rows: Sequence[int]
) -> Estimate:
    observed, null = float(kendalls_w(found)), concordances(permuted)
    null = null[np.isfinite(null)]
    ranked, nan = int(np.isfinite(found).all(axis=0).sum()), float("nan")
    return Estimate(
        name,
        "" if name == ALL else name,
        STATISTIC,
        rows,
        Interval(observed, nan, 1.0, ""),
        ranked,
        float(null.mean()) if len(null) else nan,
        p_value(observed, null) if len(null) else nan,
        f"over the {ranked} of {found.shape[1]} classes that have a value in every run"
        if ranked
        else "",
    )


def concordances(values: np.ndarray) -> np.ndarray:
    """Return `kendalls_w` of tables of R raters' values, float [D, R, C] → [D], all tables at once.

    What some rater has no value of is ranked last by all, and then left out, so that other ranks are as without it.
    """
    complete = np.isfinite(values).all(axis=1, keepdims=True)
    number = complete.sum(axis=2, keepdims=True)
    ranks = rankdata(np.where(complete, values, np.inf), axis=2) - (number + 1) / 2
    ranks = np.where(complete, ranks, 0.0)
    spread, squares = (ranks.sum(axis=1) ** 2).sum(axis=1), (ranks**2).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(number[:, 0, 0] > 1, spread / (values.shape[1] * squares), np.nan)


def summed(scores: Scores, levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """Return what is summed over a class and what it is divided by, float [R, N] each."""
    study = scores.study
    if levels["class_value"] == "pooled_hazard":
        counted = scores.counted(levels)
        lost, at_risk = events_at_risk(study.runs)
        return np.where(counted, lost, 0.0), np.where(counted, at_risk, 0.0)
    if levels["class_value"] == "share_forgotten":
        lost = study.forgotten.astype(float)
        if levels["never_learned"] == "most_forgotten":
            return lost + study.never_learned, np.ones(lost.shape)
        return lost, (~study.never_learned).astype(float)
    found = scores.of(levels)
    finite = np.isfinite(found)
    return np.where(finite, found, 0.0), finite.astype(float)
