"""Comparisons that only show what the others are held against: named as such, and after them."""

import pandas as pd

IS_CONTROL = "is_control"
SHUFFLED = ", shuffled"  # how the source of a pruned control ends


def with_controls(rows: pd.DataFrame) -> pd.DataFrame:
    """Return comparisons of treatments with the column `is_control`, bool; controls last, else in their order.

    A control is an arm that some other arm is held against, such as reviews by shuffled scores, or pruning by such scores.
    """
    is_baseline = pd.Series(False, index=rows.index)
    if "baseline" in rows:
        compared = rows["baseline"].notna()
        both = {*rows.loc[compared, "treatment"]} & {*rows.loc[compared, "baseline"]}
        is_baseline = rows["treatment"].isin(both)
    is_shuffled = pd.Series(False, index=rows.index)
    if "source" in rows:
        is_shuffled = rows["source"].astype(object).map(_is_shuffled).astype(bool)
    marked = rows.assign(**{IS_CONTROL: is_baseline | is_shuffled})
    return marked.sort_values(IS_CONTROL, kind="stable")


def _is_shuffled(source: object) -> bool:
    return isinstance(source, str) and source.endswith(SHUFFLED)


def named_control(row: pd.Series) -> str:
    """Return what a row compares, of a control with that word before it."""
    return f"{'Control, ' * is_control(row)}{row['comparison']}"


def in_label(row: pd.Series) -> str:
    """Return what the name of a control ends with; "" of others."""
    return " (control)" if is_control(row) else ""


def is_control(row: pd.Series) -> bool:
    """Return whether a row of `with_controls` is of a control."""
    return bool(row.get(IS_CONTROL, False))
