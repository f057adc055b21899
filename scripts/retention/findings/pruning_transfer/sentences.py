"""F8 in sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.reporting.judged import family, judged


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield the finding's sentences: number, interval, null, ceiling, what may not be concluded."""
    rows = table[table["statistic"].isin(["gain_over_random", "transfer_loss"])]
    for _, row in rows.iterrows():
        yield f"- **{row['comparison']}**: {judged(row)}"
    yield from family(rows)
    yield (
        "- A gain from a run's own scores may not be promised to another run: what transfers is the gain of "
        "scores from another seed or architecture over random pruning."
    )
