"""F1 in sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.reporting.few import beside_few, told
from retention.reporting.words import number, p_text, with_interval


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield the finding's sentences: number, interval, null, ceiling, what may not be concluded."""
    of_other_seeds = table[table["statistic"] == "jaccard"]
    same_seed = table[table["statistic"] == "jaccard_same_seed"]
    same_seed = same_seed[~same_seed["comparison"].isin(of_other_seeds["comparison"])]
    for _, row in pd.concat([of_other_seeds, same_seed]).iterrows():
        seeds = "different seeds" if row["statistic"] == "jaccard" else "same seed, same data order"
        ceiling = "" if pd.isna(row["ceiling"]) else f", noise ceiling {number(row['ceiling'])}"
        of_pair = table[table["comparison"] == row["comparison"]].set_index("statistic")
        yield (
            f"- **{row['comparison']}**: the most-forgotten ({seeds}, n = {row['n']:.0f}) overlap with a Jaccard "
            f"of {with_interval(row)}; two random subsets reach {number(row['chance'])}{ceiling}. "
            f"{told(row)}{beside_few(row)}{_of_classes(of_pair)}"
        )
    yield "- An overlap below the ceiling may not be read as a difference of architectures if seeds of one architecture overlap as little."


def _of_classes(of_pair: pd.DataFrame) -> str:
    """Return a sentence on what the classes explain of an overlap; "" within an architecture."""
    if "jaccard_null_within_class" not in of_pair.index:
        return ""
    by_class, beyond = of_pair.loc["jaccard_null_within_class"], of_pair.loc["jaccard_beyond_class"]
    tested = "" if pd.isna(beyond["p"]) else f"; the overlap beyond them is {p_text(beyond)}"
    return f" Classes alone reach {number(by_class['estimate'])}{tested}."
