"""A table for a paper: the numbers whole, and as they are printed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from retention.reporting.latex import latex_table
from retention.reporting.markdown import markdown_table
from retention.reporting.words import as_text, number, p_number

NONE = "–"  # in a cell that has no such number
NOT_ESTIMABLE = "not estimable"


@dataclass(frozen=True)
class Column:
    """One or two columns of values, and the one that is printed of them.

    values: by heading, of any types; printed: texts, under `heading`. Both have a row per row of the table.
    """

    heading: str
    values: Mapping[str, Sequence]
    printed: Sequence[str]
    is_number: bool = False


@dataclass(frozen=True)
class PaperTable:
    """A table, its columns' headings words. values: whole numbers; printed: texts, without columns that hold nothing."""

    name: str
    caption: str
    values: pd.DataFrame
    printed: pd.DataFrame
    numbers: frozenset[str]  # the printed columns that are set to the right

    def as_markdown(self) -> str:
        """Return the table in Markdown, below its caption."""
        return f"{as_text(self.caption)}\n\n{markdown_table(self.printed, self.numbers)}\n"

    def as_latex(self) -> str:
        """Return the table in LaTeX, with its caption and the label `tab:<name>`."""
        return latex_table(self.printed, self.numbers, self.caption, f"tab:{self.name}")


def text(heading: str, cells: Iterable[object]) -> Column:
    """Return a column of texts; what is missing is nothing."""
    values = ["" if pd.isna(cell) else str(cell) for cell in cells]
    return Column(heading, {heading: values}, values)


def unprinted(column: Column) -> Column:
    """Return a column whose values stand in the CSV alone."""
    return replace(column, printed=[""] * len(column.printed))


def grouped(heading: str, cells: Iterable[object], within: Column | None = None) -> Column:
    """Return a column of texts, each printed where it changes, or where that changes which it stands within."""
    whole = text(heading, cells)
    outer = [""] * len(whole.printed) if within is None else within.values[within.heading]
    keys = list(zip(outer, whole.printed, strict=True))
    printed = ["" if place and keys[place - 1] == key else key[1] for place, key in enumerate(keys)]
    return Column(heading, whole.values, printed)


def where_several(heading: str, cells: Sequence[object], each: bool = False) -> Column:
    """Return a column of texts that is printed where it holds several: where they change, or each."""
    column = text(heading, cells) if each else grouped(heading, cells)
    several = {cell for cell in column.values[heading] if cell}
    return column if len(several) > 1 else unprinted(column)


def numbers(heading: str, cells: pd.Series, digits: int = 2, missing: str = NONE) -> Column:
    """Return a column of numbers, printed with `digits` after the point."""
    printed = [missing if pd.isna(cell) else number(cell, digits) for cell in cells]
    return Column(heading, {heading: list(cells)}, printed, is_number=True)


def counts(heading: str, cells: pd.Series) -> Column:
    """Return a column of whole numbers."""
    printed = [NONE if pd.isna(cell) else f"{cell:,.0f}" for cell in cells]
    whole = [pd.NA if pd.isna(cell) else round(cell) for cell in cells]
    return Column(heading, {heading: pd.array(whole, dtype="Int64")}, printed, is_number=True)


def p_values(heading: str, cells: pd.Series) -> Column:
    """Return a column of p-values, printed as sentences print them."""
    printed = [NONE if pd.isna(cell) else p_number(cell) for cell in cells]
    return Column(heading, {heading: list(cells)}, printed, is_number=True)


def interval(heading: str, low: pd.Series, high: pd.Series, digits: int = 2) -> Column:
    """Return an interval: two columns of values, one that is printed."""
    printed = [
        NONE if pd.isna(one) else f"{number(one, digits)} to {_end(other, digits)}"
        for one, other in zip(low, high, strict=True)
    ]
    values = {f"{heading}, low": list(low), f"{heading}, high": list(high)}
    return Column(heading, values, printed, is_number=True)


def _end(value: float, digits: int) -> str:
    return "∞" if value == float("inf") else number(value, digits)


def paper_table(name: str, caption: str, columns: Sequence[Column]) -> PaperTable:
    """Return a table of columns; those in which no row has anything are not printed."""
    values = {heading: cells for one in columns for heading, cells in one.values.items()}
    shown = [
        one for one in columns if any(cell not in ("", NONE) for cell in one.printed)
    ] or columns
    return PaperTable(
        name,
        caption,
        pd.DataFrame(values),
        pd.DataFrame({one.heading: list(one.printed) for one in shown}, dtype=object),
        frozenset(one.heading for one in shown if one.is_number),
    )
