"""F4 in sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.common.lists import plural
from retention.reporting.words import (
    LEVEL,
    class_names,
    number,
    p_equals,
    p_text,
    percent,
    series_of,
    with_interval,
)

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
                f"{_unranked(rows)}"
            )
        elif len(ranked) < len(rows):
            yield f"- **{name}**:{_unranked(rows)}"
    known = table[table["estimate"].notna()]
    yield from _agreements(known[known["statistic"] == "kendalls_w"])
    partial = known[known["statistic"] == "similarity_spearman_partial"].set_index("comparison")
    yield from _similarities(known[known["statistic"] == "similarity_spearman"], partial)
    yield from _families(known[known["statistic"] == "family_share_forgetting"])
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
        return what, f"{row['comparison']} (agreement {estimate}, by chance {chance})"
    if row["statistic"] == "similarity_spearman":
        more = "more" if row["estimate"] > 0 else "less"
        what = f"Classes that look like another class to the network before fine-tuning are forgotten {more}:"
        return what, f"{row['comparison']} (rank correlation {estimate})"
    more = "more" if row["estimate"] > row["chance"] else "less"
    what = (
        f"Forgotten images are taken for a class of their own family {more} often than by chance:"
    )
    shares = f"{percent(row['estimate'])}, by chance {percent(row['chance'])}"
    return what, f"{row['comparison']} ({shares})"


def _unranked(rows: pd.DataFrame) -> str:
    """Return how many classes have no hazard, as a sentence after a blank; "" where all have one."""
    unranked = int(rows["estimate"].isna().sum())
    if not unranked:
        return ""
    if unranked == len(rows):
        return " no class was at risk in every run, so none is ranked."
    were, are = ("was", "is") if unranked == 1 else ("were", "are")
    return f" {plural(unranked, 'class', 'classes')} {were} never at risk in a run and {are} not ranked."


def _agreements(rows: pd.DataFrame) -> Iterator[str]:
    """Yield how class rankings agree: those that are told from chance each, the others in one line."""
    clear, rest = _parted(rows)
    for _, row in clear.iterrows():
        yield (
            f"- Class rankings of {row['comparison']} agree with W = {number(row['estimate'])} "
            f"({number(row['chance'])} when labels are permuted), {row['note']}; {p_text(row)}."
        )
    over = rest.get("note", pd.Series("", index=rest.index)).astype(object).fillna("")
    for note, ours in rest.groupby(over, sort=False):
        found = [
            f"{number(row['estimate'])} for {row['comparison']} ({number(row['chance'])})"
            for _, row in ours.iterrows()
        ]
        ranked = f", {note}," if note else ""
        yield (
            f"- Class rankings{ranked} agree with W = {series_of(found)}; in brackets when labels are permuted. "
            f"{_none_told(ours)}"
        )


def _similarities(rows: pd.DataFrame, partial: pd.DataFrame) -> Iterator[str]:
    """Yield whether near classes are forgotten more: a line for each that is told from chance, one for the others."""
    what = "nearness of the closest other class correlates with class hazard"
    tested = rows["p_corrected"] >= LEVEL
    tested &= ~(partial["p_corrected"].reindex(rows["comparison"]) < LEVEL).to_numpy()
    for _, row in rows[~tested].iterrows():
        other = partial.loc[row["comparison"]] if row["comparison"] in partial.index else None
        beside = (
            ""
            if other is None
            else f"; with class size taken off at {number(other['estimate'])}, {p_text(other)}"
        )
        yield (
            f"- {row['comparison']}: {what} at {number(row['estimate'])} over {row['n']:.0f} classes, "
            f"{p_text(row)}{beside}."
        )
    if tested.any():
        found = [
            f"{number(row['estimate'])} for {row['comparison']} over {row['n']:.0f} classes"
            + _taken_off(partial, row["comparison"])
            for _, row in rows[tested].iterrows()
        ]
        yield f"- {what[0].upper()}{what[1:]} at {series_of(found)}. {_none_told(rows[tested])}"


def _taken_off(partial: pd.DataFrame, comparison: str) -> str:
    if comparison not in partial.index:
        return ""
    return f" ({number(partial.loc[comparison, 'estimate'])} with class size taken off)"


def _families(rows: pd.DataFrame) -> Iterator[str]:
    """Yield how often a forgotten sample is taken for its own family: as `_agreements` does."""
    clear, rest = _parted(rows)
    for _, row in clear.iterrows():
        yield (
            f"- {row['comparison']}: when forgotten, {percent(row['estimate'])} of samples are "
            f"taken for a class of their own family ({percent(row['chance'])} when family "
            f"labels are permuted); {p_text(row)}."
        )
    if len(rest):
        found = [
            f"{percent(row['estimate'])} for {row['comparison']} ({percent(row['chance'])})"
            for _, row in rest.iterrows()
        ]
        yield (
            f"- When forgotten, samples are taken for a class of their own family: {series_of(found)}; in brackets when "
            f"family labels are permuted. {_none_told(rest)}"
        )


def _parted(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that have a line each, and those that were tested and are not told from chance."""
    folded = rows["p_corrected"] >= LEVEL
    return rows[~folded], rows[folded]


def _none_told(rows: pd.DataFrame) -> str:
    """Return a sentence: that nothing is told from chance, and the smallest corrected p."""
    least = f"corrected {p_equals(rows['p_corrected'].min())}"
    if len(rows) == 1:
        return f"It is not distinguishable from chance ({least})."
    return f"None of the {len(rows)} is distinguishable from chance (smallest {least})."


def _hazard(row: pd.Series) -> str:
    """Return a class's hazard with its interval, and on how few groups it rests where its row says so."""
    note = row.get("note")
    digits = 2 if row["estimate"] >= 0.1 else 3 if row["estimate"] >= 0.01 else 4
    return with_interval(row, digits) + (f"; {note}" if pd.notna(note) and note else "")
