"""What is said where too few samples are forgotten to compare runs by."""

import pandas as pd

from retention.common.few import ENOUGH, TOO_FEW, are_few
from retention.common.lists import plural
from retention.reporting.words import number, p_text

MARK = "†"


def too_few(row: pd.Series) -> bool:
    """Return whether too few samples were forgotten to tell agreement from none: what `expected_in_both` decides."""
    return are_few(row.get("expected_in_both", float("nan")))


def told(row: pd.Series) -> str:
    """Return a sentence: whether agreement is distinguishable from chance; where too few were forgotten that, and what would help."""
    if not too_few(row):
        return f"{p_text(row).capitalize()}."
    both, expected = row["forgotten_in_both"], row["expected_in_both"]
    if not expected:
        return "**Too few forgotten to tell**: runs that forgot nothing share nothing. More epochs or a harder split would tell."
    seen = (
        f"over all pairs of runs both forgot the same sample {plural(round(both), 'time')}"
        if both
        else "no sample was forgotten by both runs of any pair"
    )
    return (
        f"**Too few forgotten to tell**: {seen}. Chance alone would give {number(expected, 1)}, and at least {ENOUGH:g} are needed "
        "to tell. More seeds, more epochs or a harder split would help."
    )


def beside_few(row: pd.Series) -> str:
    """Return what else a row's note says, as sentences after a blank; "" for nothing."""
    note = row.get("note")
    notes = str(note).split("; ") if pd.notna(note) else []
    return "".join(f" {note[0].upper()}{note[1:]}." for note in notes if note and note != TOO_FEW)


def in_label(row: pd.Series) -> str:
    """Return the mark of a row that tells too little, for a figure's label; "" of others."""
    return f" {MARK}" if too_few(row) else ""


def sign_of_few(rows: pd.DataFrame) -> str:
    """Return what the mark means, for the foot of a figure; "" where no row has it."""
    return f"; {MARK} {TOO_FEW}" if rows.apply(too_few, axis=1).any() else ""
