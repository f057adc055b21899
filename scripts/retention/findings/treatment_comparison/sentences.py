"""F7 in sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.reporting.controls import with_controls
from retention.reporting.judged import family, judged, judged_in_brief, told_one_by_one


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield the finding's sentences: number, interval, null, ceiling, what may not be concluded."""
    rows = claims(table)
    moved = table[table["statistic"] == "moved"].set_index(["architecture", "treatment"])[
        "estimate"
    ]

    def say(row: pd.Series) -> str:
        dose = moved.get((row["architecture"], row["treatment"]))
        return judged(row) + (
            ""
            if dose is None
            else f" It moved {100 * dose:.0f} % of the presentations to other samples."
        )

    yield from told_one_by_one(rows, say, "findings/treatment_comparison.csv")
    yield from family(rows, "treatments")
    yield from _uncontrolled(table)
    yield (
        "- *Undecided* may not be read as no difference, nor *equivalent* as exactly none. A gain over random "
        "that is none over the shuffled arm comes from presenting unevenly, not from knowing what is forgotten."
    )


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that answer the question: comparisons with a verdict, controls last."""
    return with_controls(table[table["statistic"].isin(["difference"])])


def in_brief(row: pd.Series) -> tuple[str, str]:
    """Return what a decided comparison says, and which it is."""
    return judged_in_brief(row)


def _uncontrolled(table: pd.DataFrame) -> Iterator[str]:
    """Yield which arms have no shuffled arm, by which a gain could be told from uneven presentation."""
    arms = table[(table["statistic"] == table["metric"]) & table["note"].str.len().gt(0)]
    for (treatment, note), _ in arms.groupby(["treatment", "note"], sort=False):
        yield (
            f"- **{treatment}**: {note}, so a gain over random can not be told from that of presenting unevenly."
        )
