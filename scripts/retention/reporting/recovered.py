"""What a ranking of suspects found of labels that were planted wrong, in sentences, and what that does not promise."""

from collections.abc import Iterable, Iterator

import pandas as pd

from retention.common.lists import plural
from retention.reporting.words import as_text, percent

KINDS = {"random": "at random", "confusions": "by the confusions of runs"}
AS_PLANTED, DEEPEST = "as many as planted", "20 %"  # depths that are told of
OF_DRAWS, OF_SAMPLES, TOO_FEW = "samples and draws", "samples alone", "too few planted"
TEXT = ("dataset", "kind", "ranking", "depth", "interval")  # columns of planted_recovery.csv
CAVEAT = (
    "Mistakes of people are other than planted ones: they fall on images that are hard to tell. So this is what the ranking "
    "finds of planted errors; which share of your own wrong labels it finds is not known."
)


def recovered(tables: Iterable[pd.DataFrame]) -> list[str]:
    """Return a section per data set, a heading and its sentences; nothing where no labels were planted.

    tables: planted_recovery.csv of each data set.
    """
    parts = []
    for table in tables:
        lines = [
            *sentences(table),
            "Other depths, and other rankings, stand in planted_recovery.csv.",
        ]
        parts += [f"## Labels planted wrong ({as_text(table['dataset'].iloc[0])})"]
        parts += ["\n".join(f"- {line}" for line in lines)]
    return parts


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield sentences on the ranking as suspects.csv has it: per kind of planted labels, of how it was measured, the caveat.

    table: planted_recovery.csv of one data set.
    """
    ranked = table[table["ranking"] == "rank"]
    for _, rows in ranked.groupby("kind", sort=False):
        yield _of_kind(rows.set_index("depth"))
    first = ranked.iloc[0]
    alone = (
        ""
        if first["interval"] != OF_SAMPLES
        else " Intervals do not count how draws differ, which takes three or more."
    )
    yield f"Each copy was ranked by {plural(int(first['runs']), 'run')} on its labels.{alone}"
    yield CAVEAT


def _of_kind(rows: pd.DataFrame) -> str:
    first, deepest = rows.loc[AS_PLANTED], rows.loc[DEEPEST]
    groups, draws = (
        plural(int(first[name]), word)
        for name, word in (("planted_groups", "distinct group"), ("draws", "draw"))
    )
    few = f" {groups} are too few for an interval." if first["interval"] == TOO_FEW else ""
    return (
        f"Labels planted wrong {KINDS[first['kind']]} ({int(first['planted'])} in {draws}, {groups}): reviewing as many "
        f"samples as were planted finds {_share(first)} of them. The first {DEEPEST} of the ranking hold "
        f"{_share(deepest, brief=True)}.{few}"
    )


def _share(row: pd.Series, brief: bool = False) -> str:
    if row["interval"] == TOO_FEW:
        return percent(row["recall"])
    ends = f"{100 * row['low']:.0f} to {100 * row['high']:.0f} %"
    return f"{percent(row['recall'])} ({'' if brief else '95 % interval '}{ends})"
