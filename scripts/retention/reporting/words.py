"""Numbers, intervals, p-values and names as people read them."""

import re
from collections.abc import Sequence

import pandas as pd

from retention.common.escapes import escaped

# What Markdown, and GitHub's formulas and HTML in it, would take for marks of their own. A _ within a word is none.
MARKS = re.compile(r"[\\`*|<\[$~]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])")

NOISE = 1e-9  # what is nearer to 0 is a sum's rounding
PLAIN = 1e-4  # what is nearer to 0 is written as a power of ten
MINUS = "−"  # tables as CSV keep ASCII: they hold numbers, not texts
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LEVEL = 0.05  # of a test: a smaller corrected p is distinguishable from chance


def number(value: float, digits: int = 2) -> str:
    """Return a number for people; what could not be estimated says so, and what is small is not said to be 0."""
    if pd.isna(value):
        return "not estimable"
    if NOISE < abs(value) < 0.5 * 10**-digits:
        return signed(f"{value:.1g}") if abs(value) >= PLAIN else power_of_ten(value)
    # 0.0 is added to what is rounded: -0.00 becomes 0.00
    return signed(f"{round(value, digits) + 0.0:.{digits}f}")


def signed(digits: str) -> str:
    """Return a number that Python has written with the minus sign that is printed."""
    return digits.replace("-", MINUS)


def power_of_ten(value: float) -> str:
    """Return a number with one digit, as in 6 × 10⁻⁵."""
    digit, _, exponent = f"{value:.0e}".partition("e")
    return f"{signed(digit)} × 10{str(int(exponent)).translate(RAISED)}"


# A minus before a number, and a number as Python writes small and large ones: in texts of tables, which keep ASCII.
ASCII_MINUS = re.compile(r"(?<![\w-])-(?=[\d.])")
POWER = re.compile(r"\b(\d(?:\.\d+)?)e([+-]?\d+)\b")


def as_printed(text: object) -> object:
    """Return a text of a table with the numbers in it as sentences write them; what is no text as it is."""
    if not isinstance(text, str):
        return text

    def power(found: re.Match[str]) -> str:
        times = "" if found[1] == "1" else f"{found[1]} × "
        return f"{times}10{str(int(found[2])).translate(RAISED)}"

    return POWER.sub(power, ASCII_MINUS.sub(MINUS, text))


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
    return f"{verdict} (corrected {p_equals(p)})"


def p_equals(p: float) -> str:
    """Return a p-value as sentences tell it: p = 0.03, or p < 0.0001."""
    rounded = p_number(p)
    return f"p {'' if rounded.startswith('<') else '= '}{rounded}"


def p_number(p: float) -> str:
    """Return a p-value as it is printed: two digits, and no far tail of an approximation."""
    return f"{p:.2g}" if p >= PLAIN else f"< {PLAIN:.4f}"


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
