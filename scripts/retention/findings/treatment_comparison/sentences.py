"""F7 in sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.reporting.judged import family, judged


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield the finding's sentences: number, interval, null, ceiling, what may not be concluded."""
    rows = table[table["statistic"] == "difference"]
    moved = table[table["statistic"] == "moved"].set_index(["architecture", "treatment"])[
        "estimate"
    ]
    for _, row in rows.iterrows():
        dose = moved.get((row["architecture"], row["treatment"]))
        yield f"- **{row['comparison']}**: {judged(row)}" + (
            "" if dose is None else f" It moved {dose:.0%} of the presentations to other samples."
        )
    yield from family(rows)
    yield from _uncontrolled(table)
    yield (
        "- *Undecided* may not be read as no difference, nor *equivalent* as exactly none. A gain over random "
        "that is none over the shuffled arm comes from presenting unevenly, not from knowing what is forgotten."
    )


def _uncontrolled(table: pd.DataFrame) -> Iterator[str]:
    """Yield which arms have no shuffled arm, by which a gain could be told from uneven presentation."""
    arms = table[(table["statistic"] == table["metric"]) & table["note"].str.len().gt(0)]
    for (treatment, note), _ in arms.groupby(["treatment", "note"], sort=False):
        yield (
            f"- **{treatment}**: {note}, so a gain over random can not be told from that of presenting unevenly."
        )
