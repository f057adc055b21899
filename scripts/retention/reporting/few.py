"""What is said where too few samples are forgotten to compare runs by."""

import pandas as pd

from retention.common.few import ENOUGH
from retention.reporting.words import number, p_text


def too_few(row: pd.Series) -> bool:
    """Return whether too few samples were forgotten to tell agreement from none: what `expected_in_both` decides."""
    expected = row.get("expected_in_both")
    return bool(pd.notna(expected) and expected < ENOUGH)


def told(row: pd.Series) -> str:
    """Return a sentence: whether agreement is told from chance; where too few were forgotten that, and what would help."""
    if not too_few(row):
        return f"{p_text(row).capitalize()}."
    return (
        f"**Too few forgotten to tell**: {row['forgotten_in_both']:.0f} samples were forgotten by both runs of a pair, over "
        f"all pairs, and {number(row['expected_in_both'], 1)} would be by chance. More seeds, more epochs or a harder "
        "split would tell."
    )
