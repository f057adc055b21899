"""What forgetting is, and how many of the training images each network forgot, in two sentences."""

from collections.abc import Iterator, Sequence

import pandas as pd

from retention.reporting.words import as_text, percent, series_of

# A run's samples, split, sample_index and forgetting_events, with the data set and the architecture that it is of.
Described = tuple[str, str, pd.DataFrame]
NEEDED = ["split", "sample_index", "forgetting_events"]
DEFINED = "An image is forgotten when it was right after one epoch and is wrong after the next."


def forgotten(described: Sequence[Described]) -> Iterator[str]:
    """Yield how many training images at least one run of each architecture forgot; nothing without runs.

    described: of runs of `random`.
    """
    several = len({dataset for dataset, _, _ in described}) > 1
    by_name: dict[tuple[str, str], list[pd.DataFrame]] = {}
    for dataset, architecture, table in described:
        training = table[table["split"] == "train"]
        by_name.setdefault((dataset, architecture), []).append(training)
    parts = [
        f"**{as_text(name)}** forgot {_counted(runs, f' on {as_text(dataset)}' if several else '')}"
        for (dataset, name), runs in by_name.items()
        if len(runs[0])
    ]
    if parts:
        yield f"{series_of(parts)}."


def _counted(runs: Sequence[pd.DataFrame], place: str) -> str:
    lost = pd.concat(runs).groupby("sample_index")["forgetting_events"].max() > 0
    share = percent(lost.mean()) + (
        "" if len(runs) == 1 else f", in at least one of {len(runs)} runs"
    )
    return f"{lost.sum():,} of {len(lost):,} training images{place} ({share})"
