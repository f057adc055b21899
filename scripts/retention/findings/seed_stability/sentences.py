"""F3 in sentences."""

from collections.abc import Iterator
from math import ceil, isinf

import pandas as pd

from retention.reporting.few import beside_few, told
from retention.reporting.sources import SHARES, source_in_words
from retention.reporting.words import architectures_of, number, percent, with_interval

TELLS_OF_EVENTS = True  # what it ranks or compares rests on forgetting events


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield the finding's sentences: number, interval, null, ceiling, what may not be concluded."""
    found = table.set_index(["architecture", "statistic"])
    for name in architectures_of(table):
        row, half = found.loc[(name, "spearman")], found.loc[(name, "split_half")]
        needed = found.loc[(name, "seeds_needed")]
        yield (
            f"- **{name}**: {_agreement(row)} {told(row)}{beside_few(row)} {_halves(half)}{beside_few(half)} "
            f"Seeds to average for a reliability of 0.8: {_seeds(needed)}."
        )
    shares = table[table["statistic"].str.startswith(SHARES)]
    shares = shares[shares["estimate"].notna()]
    if len(shares):
        named = (
            f"{source_in_words(row['statistic'])} ({percent(row['estimate'])})"
            for _, row in shares.iterrows()
        )
        yield (
            f"- Over all runs the ranks of the samples vary with: {'; '.join(named)}. What is of the class, the image and the "
            "architecture comes back in a new run of the same architecture, what is of one run does not. Shares about 0 may "
            f"be below 0.{_rough(shares)}"
        )
    yield (
        "- The agreement of odd and even epochs is no ceiling of ρ: halves of one trace are not independent, and ρ "
        "may exceed it."
    )


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that answer the question: how scores of two seeds correlate."""
    return table[table["statistic"] == "spearman"]


def in_brief(row: pd.Series) -> tuple[str, str]:
    """Return what a row that is distinguishable from chance says, and of which runs."""
    forget = "forget much, too" if row["estimate"] > 0 else "tend to hold"
    what = f"Images that one run forgets much, runs of other seeds {forget}:"
    return what, f"{row['architecture']} (rank correlation {number(row['estimate'])})"


def _agreement(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return "scores of two seeds have no correlation, since in one of them no score varies."
    return f"scores of two seeds correlate at ρ = {with_interval(row)}."


def _halves(half: pd.Series) -> str:
    if pd.isna(half["estimate"]):
        return "Odd and even epochs of one run have no correlation, since one half does not vary."
    return (
        f"Odd and even epochs of one run agree at {with_interval(half)}, samples that are equally forgettable at "
        f"{number(half['chance'])}."
    )


def _rough(shares: pd.DataFrame) -> str:
    """Return a warning where shares have no interval."""
    return (
        ""
        if shares["low"].notna().any()
        else " Too few were forgotten for intervals: take no share for known."
    )


def _seeds(needed: pd.Series) -> str:
    """Return how many whole seeds suffice, and how many at either end of the interval."""
    if pd.isna(needed["estimate"]):
        return "not estimable"
    text = _whole(needed["estimate"])
    if pd.isna(needed["low"]):
        return text
    if isinf(needed["high"]):
        return f"{text} (95 % interval: {_whole(needed['low'])} or more, no upper limit)"
    return f"{text} (95 % interval {_whole(needed['low'])} to {_whole(needed['high'])})"


def _whole(seeds: float) -> str:
    return "more than any number" if isinf(seeds) else str(max(ceil(seeds), 1))
