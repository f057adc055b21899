"""F5 in sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.reporting.words import architectures_of, number, p_text, with_interval

TELLS_OF_EVENTS = True  # what it ranks or compares rests on forgetting events


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield the finding's sentences: number, interval, null, ceiling, what may not be concluded."""
    found = table.set_index(["architecture", "statistic"])
    for name in architectures_of(table):
        row = found.loc[(name, "spearman")]
        partial = found.loc[(name, "spearman_partial_class")]
        text = (
            f"- **{name}**: loss at epoch 0 and decay constant from epoch 1 on correlate at "
            f"ρ = {with_interval(row)} within a run, {p_text(row)}; with the class taken off "
            f"{with_interval(partial)}"
        )
        if (name, "spearman_across_seeds") in found.index:
            across = found.loc[(name, "spearman_across_seeds")]
            text += f"; across seeds {with_interval(across)}, {p_text(across)}"
        yield text + "."
    yield "- A correlation within a run may not be used to choose samples for another run; one across seeds may, where it is distinguishable from chance."


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that answer the question: loss against decay, within a run and across seeds."""
    return table[table["statistic"].isin(["spearman", "spearman_across_seeds"])]


def in_brief(row: pd.Series) -> tuple[str, str]:
    """Return what a row that is distinguishable from chance says, and of which runs."""
    faster = "faster" if row["estimate"] > 0 else "slower"
    run = "the same run" if row["statistic"] == "spearman" else "runs of other seeds"
    what = f"Images with a larger loss before the first epoch are forgotten {faster} in {run}:"
    return what, f"{row['architecture']} (rank correlation {number(row['estimate'])})"
