"""Which definitions give the paper's numbers here, in at most five points."""

from collections.abc import Iterator, Mapping

import pandas as pd

from retention.common.lists import listed, plural
from retention.common.multiverse_tables import AT_ONCE, NOT_EVALUATED
from retention.common.parts import load_part
from retention.reporting.words import as_text, percent

# Columns of multiverse_match_summary.csv that hold words.
COLUMNS = (
    "reported",
    "finding",
    "statistic",
    "dataset",
    "comparison",
    "verdict",
    "here",
    "asked",
    "left_out",
    "known",
    "faults",
    "reason",
)


def sentences(summary: pd.DataFrame) -> Iterator[str]:
    """Yield the points; summary: multiverse_match_summary.csv."""
    text = summary[list(COLUMNS)].astype(object)
    found = summary.assign(**text.where(text.notna(), ""))
    yield from _at_once(found[found["reported"] == AT_ONCE])
    if known := next(filter(None, found["known"]), ""):
        yield f"Counted are the definitions by what is known of the paper alone: {as_text(known.replace('_', ' '))}."
    single = found[found["reported"] != AT_ONCE]
    if len(single):
        counts = single["here"].value_counts()
        told = listed(f"{verdict} ({number})" for verdict, number in counts.items())
        yield (
            f"Number by number, in {plural(len(single), 'cell')} of the multiverse (multiverse_match_summary.csv): "
            f"{as_text(told)}."
        )
    yield from _by_errors(found)
    other = (found["verdict"] != found["here"]).any()
    beside = "Data or networks are not the paper's, so nothing is comparable. " if other else ""
    yield f"{beside}This says what gives such a number here, never what the authors did."


def _at_once(rows: pd.DataFrame) -> Iterator[str]:
    for row in rows.to_dict("records"):
        which = "All reported numbers at once"
        if row["left_out"]:
            which = f"Of the reported numbers {as_text(row['asked'])} alone, at once"
        if row["here"] == NOT_EVALUATED:
            yield f"{which}: not evaluated, as {as_text(row['reason'])}."
            continue
        ways = plural(int(row["classes"]), "way")
        unsure = f", and of {row['undecided']:.0f} the data can't tell" if row["undecided"] else ""
        chance = ""
        if pd.notna(row["base_rate"]):
            chance = (
                f" Were one of these ways the truth, {row['base_rate']:.0f} would be left on average, the true one among "
                f"them in {percent(row['truth_kept'])} of the cases."
            )
        yield (
            f"{which}: {row['here']}. Of {ways} to define them that these data tell apart, {row['matches']:.0f} give "
            f"them{unsure}.{chance}"
        )


def _by_errors(found: pd.DataFrame) -> Iterator[str]:
    """Yield which numbers come out by which errors that others could make."""
    datasets = found["dataset"].replace("", pd.NA).nunique()
    told = [
        f"{row['reported']} by {fault}{_where(row, datasets > 1)}"
        for row in found.to_dict("records")
        for fault in row["faults"].split(", ")
        if fault
    ]
    if told:
        yield f"By errors that others could make, such numbers come out here, too: {as_text(listed(told))}."


def _where(row: Mapping, with_dataset: bool) -> str:
    """Return ` (F3, resnet)`, the cell that a row is of; "" of all at once."""
    if not row["finding"]:
        return ""
    of = f" on {row['dataset']}" if with_dataset else ""
    number = load_part("retention.findings", row["finding"]).FINDING.number
    return f" (F{number}, {row['comparison']}{of})"
