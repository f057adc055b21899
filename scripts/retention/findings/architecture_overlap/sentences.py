"""F1 in sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.reporting.words import number, p_text, with_interval


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield the finding's sentences: number, interval, null, ceiling, what may not be concluded."""
    of_other_seeds = table[table["statistic"] == "jaccard"]
    same_seed = table[table["statistic"] == "jaccard_same_seed"]
    same_seed = same_seed[~same_seed["comparison"].isin(of_other_seeds["comparison"])]
    for _, row in pd.concat([of_other_seeds, same_seed]).iterrows():
        seeds = "different seeds" if row["statistic"] == "jaccard" else "same seed, same data order"
        ceiling = "" if pd.isna(row["ceiling"]) else f", noise ceiling {number(row['ceiling'])}"
        within = table[
            (table["comparison"] == row["comparison"])
            & (table["statistic"] == "jaccard_null_within_class")
        ]
        by_class = f", {number(within['estimate'].iloc[0])} by class alone" if len(within) else ""
        yield (
            f"- **{row['comparison']}**: the most-forgotten ({seeds}, n = {row['n']:.0f}) overlap with a Jaccard "
            f"of {with_interval(row)}; two random subsets reach {number(row['chance'])}{by_class}"
            f"{ceiling}. {p_text(row).capitalize()}. {row['note'].capitalize()}."
        )
    yield "- An overlap below the ceiling may not be read as a difference of architectures if seeds of one architecture overlap as little."
