"""A finding's rows as a table for a paper, as `printed.py` beside the finding declares it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from retention.common.parts import SOURCES, load_part
from retention.reporting.naming import OF_CLASSES, with_titles
from retention.reporting.paper_table import (
    Column,
    PaperTable,
    counts,
    grouped,
    interval,
    numbers,
    p_values,
    paper_table,
    text,
    where_several,
)
from retention.reporting.verdicts import verdict_of
from retention.reporting.words import series_of

CHANCE, CEILING = "Chance", "Noise ceiling"
Further = Callable[[pd.DataFrame], Sequence[Column]]


@dataclass(frozen=True)
class Printed:
    """What a paper prints of a finding.

    statistics: those that have a row, in words by name. digits: after the point. only: values that rows must have, by
    column. without: headings that say nothing here. headings: what the columns Chance and Noise
    ceiling are called where they hold something else. in_words: returns what a row compares. further: returns columns that
    stand before the verdict, of the rows that are printed. note: what the caption says beside. prepared: returns the
    finding's rows in the order in which their comparisons are printed, with columns that `in_words` reads.
    """

    statistics: Mapping[str, str]
    digits: int = 2
    only: Mapping[str, Sequence] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    headings: Mapping[str, str] = field(default_factory=dict)
    in_words: Callable[[pd.Series], str] = lambda row: str(row["comparison"])
    further: Further = lambda rows: ()
    note: str = ""
    prepared: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows

    def rows_of(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that are printed: by data set and comparison as they come, then by statistic as declared."""
        table = self.prepared(table)
        chosen = table["statistic"].isin(self.statistics)
        for name, values in self.only.items():
            chosen &= table[name].isin(values) if name in table else False
        rows = table[chosen]
        places = pd.factorize(rows["dataset"])[0], pd.factorize(rows["comparison"])[0]
        order = [list(self.statistics).index(name) for name in rows["statistic"]]
        return rows.iloc[np.lexsort((order, *places[::-1]))]


def finding_table(
    name: str, rows: pd.DataFrame, titles: Mapping[str, str], number: int, question: str
) -> PaperTable:
    """Return a finding's table for a paper.

    rows: the finding's, of all data sets, as they are read; number, question: of its declaration. titles: of
    architectures and treatments. A finding that declares nothing has all rows that are no class's.
    """
    declared = printed_of(name, rows)
    chosen = with_titles(declared.rows_of(rows), titles).reset_index(drop=True)
    digits = declared.digits
    dataset = where_several("Data set", chosen["dataset"])
    compared = [declared.in_words(row) for _, row in chosen.iterrows()]
    columns = [
        dataset,
        grouped("Comparison", compared, dataset),
        text("Statistic", [declared.statistics[name] for name in chosen["statistic"]]),
        numbers("Estimate", chosen["estimate"], digits, "not estimable"),
        interval("95 % interval", chosen["low"], chosen["high"], digits),
        where_several("Interval about", chosen["target"], each=True),
        numbers(declared.headings.get(CHANCE, CHANCE), chosen["chance"], digits),
        numbers(declared.headings.get(CEILING, CEILING), chosen["ceiling"], digits),
        p_values("Corrected p", chosen["p_corrected"]),
        counts("n", chosen["n"]),
        *declared.further(chosen),
        text("Verdict", [_verdict(row) for _, row in chosen.iterrows()]),
        text("Note", [_note(row) for _, row in chosen.iterrows()]),
    ]
    caption = _caption(chosen, number, question, declared.note)
    return paper_table(
        name, caption, [one for one in columns if one.heading not in declared.without]
    )


def printed_of(name: str, rows: pd.DataFrame) -> Printed:
    """Return what a finding declares to be printed, every statistic but the classes' where it declares nothing."""
    if (SOURCES / "retention/findings" / name / "printed.py").is_file():
        return load_part("retention.findings", name, "printed").PRINTED
    names = [one for one in rows["statistic"].unique() if one != OF_CLASSES]
    return Printed({one: one.replace("_", " ") for one in names})


def _verdict(row: pd.Series) -> str:
    """Return the verdict of what is tested or judged; "" of what is described alone."""
    verdict = verdict_of(row)
    return "" if verdict in ("not tested", "not estimable") else verdict


def _note(row: pd.Series) -> str:
    """Return what the finding says beside a row that is tested; notes on the others are in its own table."""
    note = row.get("note")
    return note if isinstance(note, str) and _verdict(row) else ""


def _caption(rows: pd.DataFrame, number: int, question: str, note: str) -> str:
    places = [str(name) for name in rows["dataset"].unique()]
    targets = [name for name in rows["target"].dropna().unique() if name]
    parts = [f"{question} (F{number}" + (f", {series_of(places)})." if places else ").")]
    if not len(rows):
        parts.append("The finding has no row to print.")
    if len(targets) == 1:
        parts.append(f"Intervals are about {targets[0]}.")
    if rows["p_corrected"].notna().any():
        parts.append("p is corrected for all tests of the finding.")
    return " ".join([*parts, note]).strip()
