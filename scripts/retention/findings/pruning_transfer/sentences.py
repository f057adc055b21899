"""F8 in sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.reporting.controls import with_controls
from retention.reporting.judged import family, judged, judged_in_brief, told_one_by_one
from retention.reporting.pruned import compared, in_arms


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield the finding's sentences: number, interval, null, ceiling, what may not be concluded."""
    rows = claims(table)
    yield from told_one_by_one(rows, judged, "findings/pruning_transfer.csv")
    yield from family(rows, "prunings")
    yield (
        "- A gain from a run's own scores may not be promised to another run: what transfers is the gain of "
        "scores from another seed or architecture over as many samples kept at random."
    )


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that answer the question: comparisons with a verdict."""
    rows = in_arms(table)
    return with_controls(rows[rows["statistic"].isin(["gain_over_random", "transfer_loss"])])


def in_brief(row: pd.Series) -> tuple[str, str]:
    """Return what a decided comparison says, and which it is."""
    return judged_in_brief(row, compared(row))
