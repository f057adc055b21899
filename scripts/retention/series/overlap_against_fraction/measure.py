"""Jaccard overlap of the most-forgotten samples of every pair of runs, against the top fraction.

The overlap is F1's (`statistics.top_fractions`): the study's own score, over random tie-breaks. Columns comparison
("A vs B"), architecture ("" between two), seed, other_seed, fraction, estimate, by_lot (share of the list's places that ties
leave to chance, of the run with more of them), n (samples with a score in both runs), chance (expected overlap of two random
lists), chance_low and chance_high (its central 95 % range for one pair), own (whether the fraction is the study's).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from retention.common.randomness import generator
from retention.runs.reading import Run, read_runs
from retention.runs.scores import score_of
from retention.statistics.chance_overlap import chance_range
from retention.statistics.top_fractions import chance_jaccard, random_tie_jaccard, tied_at_cut

COLUMNS = [
    *("comparison", "architecture", "seed", "other_seed", "fraction", "estimate", "by_lot", "n"),
    *("chance", "chance_low", "chance_high", "own"),
]
FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)


def read(samples: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from samples.parquet of the runs."""
    return {"runs": read_runs(samples)}


def measure(runs: Sequence[Run], statistics: Mapping) -> pd.DataFrame:
    """Return the table, without rows when there is one run alone."""
    pairs = combinations(runs, 2)
    rows = [row for one, other in pairs for row in _of_pair(one, other, statistics)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_pair(one: Run, other: Run, statistics: Mapping) -> Iterator[dict]:
    x, y = (score_of(run.samples, statistics["score"]) for run in (one, other))
    kept = np.isfinite(x) & np.isfinite(y)
    n, own, times = int(kept.sum()), statistics["top_fraction"], statistics["tie_breaks"]
    names = one.architecture, other.architecture
    draws = generator(one.dataset, statistics["seed"], "overlap", *names, one.seed, other.seed)
    for fraction in sorted({*FRACTIONS, own}):
        if places := round(fraction * n):
            low, high = chance_range(n, places)
            yield {
                "comparison": " vs ".join(names),
                "architecture": names[0] if names[0] == names[1] else "",
                "seed": one.seed,
                "other_seed": other.seed,
                "fraction": fraction,
                "estimate": random_tie_jaccard(x, y, fraction, times, draws),
                "by_lot": max(tied_at_cut(v[kept], fraction) for v in (x, y)) / places,
                "n": n,
                "chance": chance_jaccard(n, places),
                "chance_low": low,
                "chance_high": high,
                "own": fraction == own,
            }
