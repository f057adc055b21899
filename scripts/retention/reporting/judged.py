"""Comparisons of treatments with their verdicts, in sentences."""

from collections.abc import Callable, Iterator

import pandas as pd

from retention.reporting.controls import is_control
from retention.reporting.verdicts import UNDECIDED
from retention.reporting.words import number, p_equals, series_of, with_interval

FOLDED = 5  # undecided comparisons: more of them are told in one line
# What treatments are compared by, as a newcomer reads it.
IN_BRIEF = {"balanced_accuracy": "final accuracy, each class counted alike,"}


def judged(row: pd.Series) -> str:
    """Return a comparison with its verdict and what it rests on."""
    metric = row["metric"].replace("_", " ")
    text = f"**{row['verdict']}**; final {metric} differs by {with_interval(row, 3)}, n = {row['n']:.0f} seeds"
    if pd.isna(row["low"]):
        return f"{text} ({row['note']}: no interval)."
    text += f", corrected {p_equals(row['p_corrected'])}"
    if row["verdict"] in ("better", "worse"):
        ends = f"{number(row['low_bonferroni'], 3)} to {number(row['high_bonferroni'], 3)}"
        text += f", over the whole family {ends}; the margin is ±{row['margin']:g}"
        return f"{text}; {row['note']}." if isinstance(row["note"], str) else f"{text}."
    ends = f"{number(row['low_90'], 3)} to {number(row['high_90'], 3)}"
    return (
        f"{text}; 90 % interval {ends} against a margin of ±{row['margin']:g} (two one-sided "
        f"tests: {p_equals(row['p_equivalence'])}), smallest detectable difference "
        f"{_detectable(row['smallest_detectable'])}."
    )


def _detectable(difference: float) -> str:
    """Return the smallest detectable difference; two accuracies never differ by more than 1."""
    return number(difference, 3) if difference <= 1 else "larger than any of two accuracies"


def judged_in_brief(row: pd.Series, compared: tuple[str, str] | None = None) -> tuple[str, str]:
    """Return what a decided comparison says, and which it is; compared: both in words, None to take the table's."""
    name = row["architecture"]
    metric = IN_BRIEF.get(row["metric"], f"final {row['metric'].replace('_', ' ')}")
    metric = f"Of a control, {metric}" if is_control(row) else metric.capitalize()
    first, _, second = row["comparison"].removeprefix(f"{name}: ").partition(" minus ")
    one, other = compared or (first, second)
    if row["verdict"] == "identical":
        return f"{metric} is the same in every seed", f"with {one} and with {other} ({name})"
    by = f"{name}, by {number(abs(row['estimate']), 3)}"
    if row["verdict"] == "equivalent":
        what = f"{metric} differs by less than {row['margin']:g}"
        return what, f"between {one} and {other} ({by}, not corrected for several tests)"
    higher = "higher" if row["verdict"] == "better" else "lower"
    small = abs(row["estimate"]) < row["margin"]
    margin = f", less than the margin of {row['margin']:g}" if small else ""
    note = f", {row['note']}" if isinstance(row["note"], str) and not small else ""
    return f"{metric} is {higher}", f"with {one} than with {other} ({by}{margin}{note})"


def told_one_by_one(
    rows: pd.DataFrame, say: Callable[[pd.Series], str], table: str
) -> Iterator[str]:
    """Yield a line for each comparison; of many undecided ones a line for all, which names the table of the rows."""
    undecided = rows["verdict"] == UNDECIDED
    folds = undecided.sum() > FOLDED
    for _, row in (rows[~undecided] if folds else rows).iterrows():
        yield f"- {'Control, ' * is_control(row)}**{row['comparison']}**: {say(row)}"
    if folds:
        yield f"- {_folded(rows[undecided])}; each stands in {table}."


def _folded(rows: pd.DataFrame) -> str:
    """Return how many comparisons are undecided, and from where to where they reach."""
    metrics = series_of(sorted({name.replace("_", " ") for name in rows["metric"]}))
    found = rows["estimate"].dropna()
    text = f"{len(rows)} comparisons are **undecided**"
    if len(found):
        text += f": final {metrics} differs by {_reach(found)}"
    least = rows["smallest_detectable"].dropna()
    if len(least):
        text += f", the smallest detectable difference is {_reach(least)}"
    return text


def _reach(values: pd.Series) -> str:
    """Return from where to where values reach, one number where they are all the same as printed."""
    low, high = number(values.min(), 3), number(values.max(), 3)
    return low if low == high else f"{low} to {high}"


def family(rows: pd.DataFrame, of: str) -> Iterator[str]:
    """Yield what was tested together, if anything was, and how its numbers are to be read; of: what is compared."""
    tested = int(rows["p"].notna().sum())
    if not tested:
        return
    together = (
        f"{tested} comparisons of {of} are tested together"
        if tested > 1
        else f"1 comparison of {of} is tested"
    )
    yield f"- {together}."
    yield (
        "- The smallest detectable difference is what one comparison finds with 80 % power. "
        "Equivalence is not corrected over the comparisons."
    )
