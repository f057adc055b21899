"""F2 in sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.reporting.words import (
    LEVEL,
    architectures_of,
    number,
    p_text,
    percent,
    series_of,
    with_interval,
)

RELEARNED = (
    "Images are relearned; no decay is there to fit. A curve that only falls (exponential decay) fits their histories worse "
    "than the same ones with their epochs shuffled:"
)


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield the finding's sentences: number, interval, null, ceiling, what may not be concluded."""
    relearned = [
        row["architecture"]
        for _, row in claims(table).iterrows()
        if only_rules_out(row) and row["p_corrected"] < LEVEL
    ]
    if relearned:
        yield f"- In plain words: images are relearned, and no decay is there to fit, for {series_of(relearned)}."
    found = table.set_index(["architecture", "statistic"])
    for name in architectures_of(table):
        r_squared, excess = (
            found.loc[(name, "mean_r_squared")],
            found.loc[(name, "excess_r_squared")],
        )
        constant = found.loc[(name, "constant_fraction")]
        if pd.isna(r_squared["estimate"]):
            yield f"- **{name}**: no curve can be judged, since every trace is constant and has no R²."
            continue
        null = (
            f"the same traces with their epochs shuffled reach {number(r_squared['chance'])}, so the "
            f"excess is {with_interval(excess)}, {p_text(excess)}"
            if pd.notna(r_squared["chance"])
            else "without R² of the same traces with their epochs shuffled, the excess is not estimable"
        )
        yield (
            f"- **{name}**: mean R² {with_interval(r_squared)}; {null}. "
            f"{percent(constant['estimate'])} of fitted traces are constant and have no R²."
        )
    differences = table[(table["statistic"] == "difference_excess") & table["estimate"].notna()]
    for _, row in differences.iterrows():
        matched = _matched(table, row["comparison"])
        yield (
            f"- **{row['comparison']}**: the excess differs by {with_interval(row)}; {p_text(row)}. Traces "
            f"with equally many forgetting events differ in R² by {matched}."
        )
    yield (
        "- A high mean R² alone may not be read as structured forgetting: traces without any dynamics "
        "reach one too. Below 0 the curve, which starts at 1 and only falls, is worse than the trace's "
        "own mean: lost samples are relearned."
    )


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that answer the question: R² beyond that of shuffled traces, and its differences."""
    return table[table["statistic"].isin(["excess_r_squared", "difference_excess"])]


def in_brief(row: pd.Series) -> tuple[str, str]:
    """Return what a row that is distinguishable from chance says, and of which runs."""
    if row["statistic"] == "difference_excess":
        what = "A forgetting curve gains more over shuffled epochs in some networks than in others:"
        return what, f"{row['comparison']} (goodness of fit {number(row['estimate'])})"
    by, who = number(abs(row["estimate"])), row["architecture"]
    if only_rules_out(row):
        return RELEARNED, f"{who} (goodness of fit {by} lower)"
    what = (
        "A forgetting curve (exponential decay) fits images' histories better than the same ones with their epochs "
        "shuffled:"
    )
    return what, f"{who} (goodness of fit {by} higher)"


def only_rules_out(row: pd.Series) -> bool:
    """Return whether a row says no more than that there is no decay: curves that only fall fit what rises worst."""
    return row["statistic"] == "excess_r_squared" and row["estimate"] < 0


def _matched(table: pd.DataFrame, comparison: str) -> str:
    found = table[
        (table["comparison"] == comparison) & (table["statistic"] == "difference_matched_events")
    ]
    return with_interval(found.iloc[0]) if len(found) else "not estimable"
