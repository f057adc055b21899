"""How the decay constants of the same samples in two runs lie together, within and between architectures.

The pairs of runs are those whose Spearman's ρ F3 and F1 are means of: all pairs of seeds of one architecture, and of two
architectures all pairs of different seeds. Where there is one seed alone the two runs of that seed are a pair.

Columns comparison ("A vs B"), architecture ("" between two), pairs (of runs), same_seed (whether they share it), samples (of a
run), x_low, x_high, y_low, y_high (edges of a bin, per epoch: x in the first run, y in the second) and estimate (share of the samples of all pairs
in it). The bin from 0 to 0 is of samples that were never lost. The row without edges is the share that has no decay constant in one of its two runs.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, combinations_with_replacement, product
from pathlib import Path

import numpy as np
import pandas as pd

from retention.runs.reading import Run, by_architecture, column, read_runs
from retention.statistics.densities import joint_shares

EDGES = ["x_low", "x_high", "y_low", "y_high"]
COLUMNS = ["comparison", "architecture", "pairs", "same_seed", "samples", *EDGES, "estimate"]


def read(samples: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from samples.parquet of the runs."""
    return {"runs": read_runs(samples)}


def measure(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the table, without rows when there is one run alone."""
    tables = [
        _of_pairs(first, second, pairs) for first, second, pairs in _compared(by_architecture(runs))
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def _compared(groups: dict[str, list[Run]]) -> Iterator[tuple[list[Run], list[Run], list]]:
    """Yield the runs of two architectures, or twice of one, and which of them are pairs."""
    for one, other in combinations_with_replacement(groups, 2):
        first, second = groups[one], groups[other]
        pairs = list(combinations(range(len(first)), 2))
        if one != other:
            every = list(product(range(len(first)), range(len(second))))
            pairs = [(i, j) for i, j in every if first[i].seed != second[j].seed] or every
        if pairs:
            yield first, second, pairs


def _of_pairs(
    first: Sequence[Run], second: Sequence[Run], pairs: Sequence[tuple[int, int]]
) -> pd.DataFrame:
    x, y = (column(group, "decay_constant") for group in (first, second))
    rows, others = zip(*pairs, strict=True)
    edges, found = joint_shares(x[[*rows]].ravel(), y[[*others]].ravel())
    table = pd.DataFrame(edges, columns=EDGES).assign(estimate=found)
    table.loc[len(table)] = [np.nan] * len(EDGES) + [1 - found.sum()]
    names = first[0].architecture, second[0].architecture
    table["comparison"] = " vs ".join(names)
    table["architecture"] = names[0] if names[0] == names[1] else ""
    table["pairs"], table["samples"] = len(pairs), x.shape[1]
    table["same_seed"] = first[pairs[0][0]].seed == second[pairs[0][1]].seed
    return table[COLUMNS]
