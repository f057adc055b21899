"""F6 in sentences: of two runs and of held-out samples, the others only counted."""

from collections.abc import Iterator

import pandas as pd

from retention.reporting.words import number, p_text, series_of, with_interval

SPLITS = {"train": "training samples", "test": "held-out samples"}


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield the finding's sentences: number, interval, null, ceiling, what may not be concluded."""
    held_out = table[(table["size"] == 2) & (table["split"] == "test")]
    for comparison, rows in held_out.groupby("comparison", sort=False):
        found = rows.set_index("statistic")
        if "coverage_any" not in found.index:
            continue
        covered, averaged = found.loc["coverage_any"], found.loc["coverage_average"]
        yield (
            f"- **{comparison}** (n = {covered['n']:.0f} held-out samples): one of the two holds "
            f"{with_interval(covered, 3)}, their averaged probabilities {with_interval(averaged, 3)}; a "
            f"single run holds {number(covered['chance'], 3)}, members with independent errors would hold "
            f"{number(covered['ceiling'], 3)}. Both are wrong on {number(found.loc['double_fault', 'estimate'], 3)}; "
            f"their errors correlate at φ = {number(found.loc['error_correlation', 'estimate'])}."
        )
    yield from _mixed_differences(table)
    yield (
        "- More samples held by *any* member may not be read as a better classifier: nobody knows which member "
        "to believe. Nor may a gain over ensembles of the weaker architecture be called complementarity."
    )


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that answer the question: mixed ensembles less those of the more accurate architecture.

    Of two members on held-out samples these are all there are, of the others those that the seeds suffice to test.
    """
    first = (table["size"] == 2) & (table["split"] == "test")
    return table[_is_tested(table) & (first | table["p"].notna())]


def in_brief(row: pd.Series) -> tuple[str, str]:
    """Return what a row that is distinguishable from chance says, and of which ensembles."""
    more, sign = ("more", "+") if row["estimate"] > 0 else ("fewer", "")
    what = (
        f"Networks of different kinds together get {more} images right than as many of the more "
        "accurate kind:"
    )
    rule = row["definition"].split(";")[0]
    share = f"a share of {sign}{number(row['estimate'], 3)}"
    return what, f"{row['comparison']} ({SPLITS[row['split']]}, where {rule}: {share})"


def _is_tested(table: pd.DataFrame) -> pd.Series:
    """Return which rows are of the tests; of two members no majority is asked."""
    both_right = (table["statistic"] == "difference_majority_from_better") & (table["size"] == 2)
    return table["statistic"].str.endswith("_from_better") & ~both_right


def _mixed_differences(table: pd.DataFrame) -> Iterator[str]:
    """Yield mixed minus single architecture: two runs in words, and of the others those that differ."""
    statistic, found = table["statistic"], table["estimate"].notna()
    two = (table["size"] == 2) & (table["split"] == "test")
    tested = _is_tested(table) & found
    yield from _differences(table[tested & two])
    yield from _matched(table[statistic.isin(["difference_any_matched"]) & found & two])
    others = table[tested & ~two & table["p"].notna()]
    told = others[others["p_corrected"] < 0.05]
    if len(others):
        yield (
            f"- Of {len(others)} more such differences, for training samples and sets of three, {len(told) or 'none'} "
            f"{'is' if len(told) <= 1 else 'are'} distinguishable from chance (findings/ensemble_coverage.csv)"
            + (":" if len(told) else ".")
        )
    yield from _differences(told)
    matched = table[statistic == "difference_any_matched"].groupby("split")["estimate"].count()
    if none := [SPLITS[split] for split in SPLITS if matched.get(split, 1) == 0]:
        yield (
            f"- On {series_of(none)} no mixed ensemble has one of a single architecture with nearly its mean member "
            "accuracy: at equal accuracy nothing can be described."
        )


def _differences(rows: pd.DataFrame) -> Iterator[str]:
    for _, row in rows.iterrows():
        yield (
            f"- **{row['comparison']}**, {SPLITS[row['split']]}, "
            f"{row['definition'].split(';')[0]}: {with_interval(row, 3)}; {p_text(row)}."
        )


def _matched(rows: pd.DataFrame) -> Iterator[str]:
    """Yield what is described, not tested: the partners are only about as accurate."""
    for _, row in rows.iterrows():
        yield (
            f"- {row['comparison']}, {SPLITS[row['split']]}, at about equal accuracy, {row['definition'].split(';')[0]}: "
            f"{with_interval(row, 3)}; descriptive, not tested: members of the mixed ensembles are more accurate by "
            f"{number(row['imbalance'], 4)} than those of their partners ({row['note']})."
        )
