"""Which definitions give the paper's numbers here, in at most four sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.common.lists import listed, plural
from retention.reporting.words import as_text

# Columns of multiverse_match_summary.csv that hold words.
COLUMNS = (
    "reported",
    "finding",
    "statistic",
    "dataset",
    "comparison",
    "verdict",
    "here",
    "left_out",
    "known",
    "faults",
    "reason",
)
AT_ONCE = "all at once"
NOT_EVALUATED = "not evaluated"


def sentences(summary: pd.DataFrame) -> Iterator[str]:
    """Yield the sentences; summary: multiverse_match_summary.csv."""
    text = summary[list(COLUMNS)].astype(object)
    found = summary.assign(**text.where(text.notna(), ""))
    yield from _at_once(found[found["reported"] == AT_ONCE])
    single = found[found["reported"] != AT_ONCE]
    if len(single):
        counts = single["here"].value_counts()
        told = listed(f"{verdict} ({number})" for verdict, number in counts.items())
        yield (
            f"Number by number, in {plural(len(single), 'cell')} of the multiverse (multiverse_match_summary.csv): "
            f"{as_text(told)}."
        )
    words = [word for told in found["faults"] for word in told.split(", ") if word]
    if faults := list(dict.fromkeys(words)):
        yield f"An error of this kind gives such a number here: {as_text(listed(faults))}."
    other = (found["verdict"] != found["here"]).any()
    beside = "Data or networks are not the paper's, so nothing is comparable. " if other else ""
    yield f"{beside}This says what gives such a number here, never what the authors did."


def _at_once(rows: pd.DataFrame) -> Iterator[str]:
    for row in rows.to_dict("records"):
        but = f" but for {as_text(row['left_out'])}" if row["left_out"] else ""
        which = f"All reported numbers{but} at once"
        if row["here"] == NOT_EVALUATED:
            yield f"{which}: not evaluated, as {as_text(row['reason'])}."
            continue
        classes = plural(row["classes"], "class", "classes")
        chance = ""
        if pd.notna(row["base_rate"]):
            chance = f"; were one of them the truth, {row['base_rate']:.0f} would on average"
        unsure = ""
        if row["undecided"] > 0:
            unsure = f", and of {row['undecided']:.0f} more the intervals are too wide to tell"
        yield (
            f"{which}: {row['here']}. Of {classes} of definitions that these data tell apart, {row['matches']:.0f} give them"
            f"{unsure}{chance}."
        )
