"""Comparisons of treatments with their verdicts, in sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.reporting.words import number, with_interval


def judged(row: pd.Series) -> str:
    """Return a comparison with its verdict and what it rests on."""
    metric = row["metric"].replace("_", " ")
    text = f"**{row['verdict']}**; final {metric} differs by {with_interval(row, 3)}, n = {row['n']:.0f} seeds"
    if pd.isna(row["low"]):
        return f"{text} ({row['note']}: no interval)."
    text += f", corrected p = {row['p_corrected']:.2g}"
    if row["verdict"] in ("better", "worse"):
        ends = f"{number(row['low_bonferroni'], 3)} to {number(row['high_bonferroni'], 3)}"
        text += f", over the whole family {ends}"
        return f"{text}; {row['note']}." if isinstance(row["note"], str) else f"{text}."
    ends = f"{number(row['low_90'], 3)} to {number(row['high_90'], 3)}"
    return (
        f"{text}; 90 % interval {ends} against a margin of ±{row['margin']:g} (two one-sided "
        f"tests: p = {row['p_equivalence']:.2g}), smallest detectable difference "
        f"{_detectable(row['smallest_detectable'])}."
    )


def _detectable(difference: float) -> str:
    """Return the smallest detectable difference; two accuracies never differ by more than 1."""
    return number(difference, 3) if difference <= 1 else "larger than any of two accuracies"


def family(rows: pd.DataFrame) -> Iterator[str]:
    """Yield what was tested together, if anything was."""
    tested = int(rows["p"].notna().sum())
    if not tested:
        return
    together = (
        f"{tested} comparisons are tested together" if tested > 1 else "1 comparison is tested"
    )
    yield (
        f"- {together}; the smallest detectable difference is what one of them "
        "finds with 80 % power. Equivalence is not corrected over the family."
    )
