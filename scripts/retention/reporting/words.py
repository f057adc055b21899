"""Numbers, intervals, p-values and names as people read them."""

import re
from collections.abc import Sequence

import pandas as pd

from retention.common.escapes import escaped

# What Markdown, and GitHub's formulas and HTML in it, would take for marks of their own. A _ within a word is none.
MARKS = re.compile(r"[\\`*|<\[$~]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])")

NOISE = 1e-9  # what is nearer to 0 is a sum's rounding
LEVEL = 0.05  # of a test: a smaller corrected p is distinguishable from chance


def number(value: float, digits: int = 2) -> str:
    """Return a number for people; what could not be estimated says so, and what is small is not said to be 0."""
    if pd.isna(value):
        return "not estimable"
    if NOISE < abs(value) < 0.5 * 10**-digits:
        return f"{value:.1g}" if abs(value) >= 1e-4 else f"{value:.0e}"
    # 0.0 is added to what is rounded: -0.00 becomes 0.00
    return f"{round(value, digits) + 0.0:.{digits}f}"


def with_interval(row: pd.Series, digits: int = 2) -> str:
    """Return an estimate with its 95 % interval and what that is about."""
    if pd.isna(row["low"]):
        return number(row["estimate"], digits)
    low, high = number(row["low"], digits), number(row["high"], digits)
    return f"{number(row['estimate'], digits)} (95 % interval {low} to {high}, {row['target']})"


def p_text(row: pd.Series) -> str:
    """Return the corrected p-value with its verdict at `LEVEL`."""
    if pd.isna(row["p_corrected"]):
        return "not tested"
    p = row["p_corrected"]
    verdict = "distinguishable from chance" if p < LEVEL else "not distinguishable from chance"
    rounded = p_number(p)
    return f"{verdict} (corrected p {'' if rounded.startswith('<') else '= '}{rounded})"


def p_number(p: float) -> str:
    """Return a p-value as it is printed: two digits, and no far tail of an approximation."""
    return f"{p:.2g}" if p >= 0.0001 else "< 0.0001"


def percent(share: float) -> str:
    """Return a share as a percentage; what could not be estimated says so."""
    return number(share) if pd.isna(share) else f"{number(100 * share, 0)} %"


def architectures_of(table: pd.DataFrame) -> list[str]:
    """Return the architectures that have rows of their own: not those between two, nor of all runs."""
    return [name for name in table["architecture"].dropna().unique() if name]


def as_text(name: str) -> str:
    """Return a name so that Markdown shows it as it is written, in one line; what would turn its direction is `escaped`."""
    return MARKS.sub(r"\\\g<0>", escaped(" ".join(name.splitlines())))


def quoted_if_blank(name: str) -> str:
    """Return a name, in quotation marks where nothing of it would be seen."""
    return name if name.strip() else f"'{name}'"


def series_of(parts: Sequence[str]) -> str:
    """Return `a, b and c`; "" for nothing."""
    *first, last = parts or [""]
    return f"{', '.join(first)} and {last}" if first else last


def class_names(rows: pd.DataFrame) -> pd.Series:
    """Return the classes that rows of classes are about, whose comparison is `architecture: class`."""
    pairs = zip(rows["architecture"], rows["comparison"], strict=True)
    named = [quoted_if_blank(comparison.removeprefix(f"{name}: ")) for name, comparison in pairs]
    return pd.Series(named, index=rows.index, dtype=object)
