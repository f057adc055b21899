"""F4 in sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.common.lists import plural
from retention.reporting.words import class_names, number, p_text, percent, with_interval

TELLS_OF_EVENTS = True  # what it ranks or compares rests on forgetting events


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield the finding's sentences: number, interval, null, ceiling, what may not be concluded."""
    for name, rows in table[table["statistic"] == "class_hazard"].groupby("architecture"):
        ranked = rows[rows["estimate"].notna()].sort_values("estimate")
        named = class_names(ranked) + ranked["n"].map(", n = {:.0f}".format)
        if len(ranked) and not ranked["estimate"].any():
            yield f"- **{name}**: no sample of {len(ranked)} classes was ever forgotten."
        elif len(ranked) > 1:
            yield (
                f"- **{name}**: most forgotten of {len(ranked)} classes is {named.iloc[-1]} (hazard "
                f"{_hazard(ranked.iloc[-1])}), least {named.iloc[0]} ({_hazard(ranked.iloc[0])})."
            )
        if len(ranked) < len(rows):
            unranked = len(rows) - len(ranked)
            were = "was" if unranked == 1 else "were"
            yield f"- **{name}**: {plural(unranked, 'class', 'classes')} {were} never at risk in a run and not ranked."
    table = table[table["estimate"].notna()]
    for _, row in table[table["statistic"] == "kendalls_w"].iterrows():
        yield (
            f"- Class rankings of {row['comparison']} agree with W = {number(row['estimate'])} "
            f"({number(row['chance'])} when labels are permuted), {row['note']}; {p_text(row)}."
        )
    for _, row in table[table["statistic"] == "similarity_spearman"].iterrows():
        partial = table[
            (table["comparison"] == row["comparison"])
            & (table["statistic"] == "similarity_spearman_partial")
        ].iloc[0]
        yield (
            f"- {row['comparison']}: nearness of the closest other class correlates with class "
            f"hazard at {number(row['estimate'])} over {row['n']:.0f} classes, {p_text(row)}; with class "
            f"size taken off at {number(partial['estimate'])}, {p_text(partial)}."
        )
    for _, row in table[table["statistic"] == "family_share_forgetting"].iterrows():
        yield (
            f"- {row['comparison']}: when forgotten, {percent(row['estimate'])} of samples are "
            f"taken for a class of their own family ({percent(row['chance'])} when family "
            f"labels are permuted); {p_text(row)}."
        )
    yield (
        "- Classes are fixed, not sampled: nothing is said of classes that are not in the data set. The most "
        "and the least forgotten are named because their numbers are extreme: those of few samples are "
        "partly luck, for which their intervals make no allowance."
    )


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that answer the question: agreement on classes, and what may explain it."""
    tested = ["kendalls_w", "similarity_spearman", "family_share_forgetting"]
    return table[table["statistic"].isin(tested)]


def in_brief(row: pd.Series) -> tuple[str, str]:
    """Return what a row that is distinguishable from chance says, and of which runs."""
    estimate, chance = number(row["estimate"]), number(row["chance"])
    if row["statistic"] == "kendalls_w":
        more = "more" if row["estimate"] > row["chance"] else "less"
        what = f"Runs agree {more} than by chance on which classes are forgotten:"
        return what, f"{row['comparison']} (W = {estimate}, chance {chance})"
    if row["statistic"] == "similarity_spearman":
        more = "more" if row["estimate"] > 0 else "less"
        what = f"Classes that are near another class are forgotten {more}:"
        return what, f"{row['comparison']} (ρ = {estimate})"
    more = "more" if row["estimate"] > row["chance"] else "less"
    what = (
        f"Forgotten samples are taken for a class of their own family {more} often than by chance:"
    )
    shares = f"{percent(row['estimate'])}, chance {percent(row['chance'])}"
    return what, f"{row['comparison']} ({shares})"


def _hazard(row: pd.Series) -> str:
    """Return a class's hazard with its interval, and on how few groups it rests where its row says so."""
    note = row.get("note")
    digits = 2 if row["estimate"] >= 0.1 else 3 if row["estimate"] >= 0.01 else 4
    return with_interval(row, digits) + (f"; {note}" if pd.notna(note) and note else "")
