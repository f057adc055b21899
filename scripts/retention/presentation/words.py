"""Numbers, intervals and p-values as people read them."""

import pandas as pd


def number(value: float, digits: int = 2) -> str:
    """Return a number for people; what could not be estimated says so."""
    # 0.0 is added to what is rounded: -0.00 becomes 0.00
    return "not estimable" if pd.isna(value) else f"{round(value, digits) + 0.0:.{digits}f}"


def with_interval(row: pd.Series, digits: int = 2) -> str:
    """Return an estimate with its 95 % interval and what that is about."""
    if pd.isna(row["low"]):
        return number(row["estimate"], digits)
    low, high = number(row["low"], digits), number(row["high"], digits)
    return f"{number(row['estimate'], digits)} (95 % interval {low} to {high}, {row['target']})"


def p_text(row: pd.Series) -> str:
    """Return the corrected p-value with its verdict at 0.05."""
    if pd.isna(row["p_corrected"]):
        return "not tested"
    verdict = "more than chance explains" if row["p_corrected"] < 0.05 else "not told from chance"
    return f"{verdict} (corrected p = {row['p_corrected']:.2g})"
