"""F1: the overlap of the most-forgotten samples of two architectures, Jaccard."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from retention.common.multiverse_tables import BY_LOT
from retention.common.randomness import generator
from retention.findings.architecture_overlap.measure import measure
from retention.measuring.few import FewShared, forgotten_in_both, note_of_few
from retention.multiverse.choices import Levels
from retention.multiverse.frame import (
    NO_PAIR,
    Comparison,
    Estimate,
    Frame,
    compared,
    nothing,
    side_of,
)
from retention.multiverse.scores import Scores
from retention.multiverse.study import Study
from retention.runs.reading import Run
from retention.statistics.few_events import worth_in_top
from retention.statistics.ranks import mean_in_both, overlap_over_pairs
from retention.statistics.resampling import SHARE, Interval
from retention.statistics.top_fractions import chance_jaccard, random_tie_moments, tied_at_cut

STATISTIC = "jaccard"
RANKED = True  # the scores matter by their ranks within a run alone


def lacking(study: Study) -> str:
    """Return why a study has no such number, "" where it has."""
    return (
        "" if len(study.architectures) > 1 else "it compares architectures, and the runs are of one"
    )


def measured(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's own table."""
    return measure(runs, statistics)


def values(scores: Scores, levels: Levels) -> np.ndarray:
    """Return what is scored, float [R, N]."""
    return scores.of(levels)


def estimates(frame: Frame, scores: Scores, levels: Levels) -> Iterator[Estimate]:
    """Yield the overlap of each two architectures."""
    sides = frame.study.architectures
    for (one, other), comparison in comparisons(frame, scores, levels):
        name, rows = f"{one} vs {other}", [*sides[one], *sides[other]]
        if comparison is None:
            yield nothing(name, "", STATISTIC, rows, NO_PAIR)
        elif levels["class"] == "adjusted":
            yield _within_classes(frame, comparison, float(levels["top_fraction"]), name, rows)
        else:
            yield _overlap(frame, comparison, levels, name, rows)


def comparisons(
    frame: Frame, scores: Scores, levels: Levels
) -> Iterator[tuple[tuple[str, str], Comparison | None]]:
    """Yield each two architectures with what is compared of them, None where there is no such pair of runs."""
    found = scores.of(levels)
    sides = {
        name: side_of(frame, found, rows, levels["split"])
        for name, rows in frame.study.architectures.items()
    }
    for one, other in combinations(sides, 2):
        yield (one, other), compared(frame, sides[one], sides[other], levels["pairs"])


def _overlap(
    frame: Frame, comparison: Comparison, levels: Levels, name: str, rows: Sequence[int]
) -> Estimate:
    first, second, pairs = comparison.first, comparison.second, comparison.pairs
    setting, fraction = comparison.setting, float(levels["top_fraction"])

    overlap = overlap_over_pairs(first.values, second.values, pairs, fraction)
    interval = comparison.interval(overlap, SHARE)
    note = ""
    if levels["ties"] == "lots":
        interval = _over_lots(frame, comparison, interval, fraction)
        note = _given_by_lot(comparison, fraction)
    few = FewShared(first.forgotten, second.forgotten, pairs, setting.groups)
    interval = few.in_estimate(interval, worth_in_top(first.values, second.values, pairs, fraction))
    n = mean_in_both(first.values, second.values, pairs)
    chance = chance_jaccard(n, round(fraction * n))
    said = note_of_few(forgotten_in_both(first.forgotten, second.forgotten, pairs), note)
    return Estimate(
        name, "", STATISTIC, rows, interval, n, chance, interval.p_of(chance), said.get("note", "")
    )


def _over_lots(
    frame: Frame, comparison: Comparison, interval: Interval, fraction: float
) -> Interval:
    """Put the mean over tie-breaks in the interval's place, with the variance of the lots, as the finding does.

    Every combination has the same lots: rankings that are the same have the same overlap.
    """
    draws = generator(frame.study.runs[0].dataset, frame.statistics["seed"], "multiverse", "lots")
    times = frame.statistics["tie_breaks"]
    found = np.array(
        [
            random_tie_moments(
                comparison.first.values[i], comparison.second.values[j], fraction, times, draws
            )
            for i, j in comparison.pairs
        ]
    )
    found = found[np.isfinite(found[:, 0])]
    if not len(found):
        return replace(interval, estimate=float("nan"))
    of_lots = found[:, 1].sum() / len(found) ** 2
    error = np.hypot(interval.standard_error, np.sqrt(of_lots)) if interval.varies else 0.0
    return replace(interval, estimate=float(found[:, 0].mean()), standard_error=float(error))


def _given_by_lot(comparison: Comparison, fraction: float) -> str:
    """Return what to say where a pair of runs has more than half of its places given by lot."""
    for i, j in comparison.pairs:
        one, other = comparison.first.values[i], comparison.second.values[j]
        kept = np.isfinite(one) & np.isfinite(other)
        places = round(fraction * kept.sum())
        lots = max(tied_at_cut(row[kept], fraction) for row in (one, other))
        if lots > places / 2:
            if lots == places:
                return f"{BY_LOT} {places} places given by lot in some pair"
            return f"degenerate: {lots} of {places} places given by lot in some pair"
    return ""


def _within_classes(
    frame: Frame, comparison: Comparison, fraction: float, name: str, rows: Sequence[int]
) -> Estimate:
    """Return the overlap of the union of each class's top fraction; places at the cut are shared."""
    first, second, pairs = comparison.first.values, comparison.second.values, comparison.pairs
    classes = comparison.setting.classes
    members = [np.flatnonzero(classes == label) for label in range(classes.max() + 1)]
    of_class = [
        overlap_over_pairs(first[:, inside], second[:, inside], pairs, fraction)
        for inside in members
    ]

    def overlap(weights: np.ndarray) -> np.ndarray:
        shared, places = np.zeros((len(weights), len(pairs))), np.zeros((len(weights), len(pairs)))
        for inside, overlaps in zip(members, of_class, strict=True):
            own = weights.take(inside, axis=1)
            top = _places(first[:, inside], second[:, inside], pairs, own, fraction)
            jaccard = overlaps(own)
            held = np.where(np.isfinite(jaccard), jaccard, 0.0)
            shared += 2 * top * held / (1 + held)  # J = I / (2k − I), solved for I
            places += np.where(np.isfinite(jaccard), top, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return shared / (2 * places - shared)

    interval = comparison.interval(overlap, SHARE)
    chance = _chance_within(first, second, pairs, members, fraction)
    n = mean_in_both(first, second, pairs)
    note = "top fraction of each class; chance: to first order"
    return Estimate(name, "", STATISTIC, rows, interval, n, chance, interval.p_of(chance), note)


def _places(
    one: np.ndarray, other: np.ndarray, pairs: Sequence, weights: np.ndarray, fraction: float
) -> np.ndarray:
    """Return how many places the top fraction of each pair has in each resample, float [B, P]."""
    finite = np.isfinite(one), np.isfinite(other)
    kept = np.stack([finite[0][i] & finite[1][j] for i, j in pairs])
    total = weights.astype(float) @ kept.T.astype(float)
    nearest = np.round(total)  # weights are rounded to 16 bits, as `rank_kernel` knows
    whole = np.where(np.abs(total - nearest) < one.shape[1] * 2.0**-16, nearest, total)
    return np.round(fraction * whole)


def _chance_within(
    first: np.ndarray,
    second: np.ndarray,
    pairs: Sequence,
    members: Sequence[np.ndarray],
    fraction: float,
) -> float:
    """Return I / (2k − I) at the intersection that random tops of each class have on average, the mean over pairs."""
    found = []
    for i, j in pairs:
        sizes = np.array([np.isfinite(first[i, m] + second[j, m]).sum() for m in members])
        tops = np.array([round(fraction * size) if size > 2 else 0 for size in sizes])
        shared = np.sum(tops**2 / np.maximum(sizes, 1))
        if tops.any():
            found.append(shared / (2 * tops.sum() - shared))
    return float(np.mean(found)) if found else float("nan")
