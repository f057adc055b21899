"""F1 in sentences."""

from collections.abc import Iterator

import pandas as pd

from retention.reporting.few import beside_few, told
from retention.reporting.words import number, p_text, with_interval

LOTS = "degenerate: "  # how a note begins where most places go by lot

TELLS_OF_EVENTS = True  # what it ranks or compares rests on forgetting events


def sentences(table: pd.DataFrame) -> Iterator[str]:
    """Yield the finding's sentences: number, interval, null, ceiling, what may not be concluded."""
    for _, row in claims(table).iterrows():
        seeds = "different seeds" if row["statistic"] == "jaccard" else "same seed, same data order"
        ceiling = "" if pd.isna(row["ceiling"]) else f", noise ceiling {number(row['ceiling'])}"
        of_pair = table[table["comparison"] == row["comparison"]].set_index("statistic")
        yield (
            f"- **{row['comparison']}**: the most-forgotten ({seeds}, n = {row['n']:.0f}) overlap with a Jaccard "
            f"of {with_interval(row)}; two random subsets reach {number(row['chance'])}{ceiling}. "
            f"{told(row)}{beside_few(row)}{_of_classes(of_pair)}"
        )
    yield "- An overlap below the ceiling may not be read as a difference of architectures if seeds of one architecture overlap as little."


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that answer the question: of different seeds, of equal ones where there are no others."""
    of_other_seeds = table[table["statistic"] == "jaccard"]
    same_seed = table[table["statistic"] == "jaccard_same_seed"]
    same_seed = same_seed[~same_seed["comparison"].isin(of_other_seeds["comparison"])]
    return pd.concat([of_other_seeds, same_seed])


def in_brief(row: pd.Series) -> tuple[str, str]:
    """Return what a row that is distinguishable from chance says, and of which runs."""
    more = "more" if row["estimate"] > row["chance"] else "fewer"
    names = row["comparison"]
    if isinstance(row["architecture"], str) and row["architecture"]:
        names = f"two seeds of {row['architecture']}"
    note = row.get("note")
    by_lot = (
        f"; {note.removeprefix(LOTS)}" if isinstance(note, str) and note.startswith(LOTS) else ""
    )
    numbers = f"overlap {number(row['estimate'])}, by chance {number(row['chance'])}{by_lot}"
    return (
        f"Two runs have {more} of their most forgotten images in common than by chance:",
        f"{names} ({numbers})",
    )


def _of_classes(of_pair: pd.DataFrame) -> str:
    """Return a sentence on what the classes explain of an overlap; "" within an architecture."""
    if "jaccard_null_within_class" not in of_pair.index:
        return ""
    by_class, beyond = of_pair.loc["jaccard_null_within_class"], of_pair.loc["jaccard_beyond_class"]
    tested = "" if pd.isna(beyond["p"]) else f"; the overlap beyond them is {p_text(beyond)}"
    return f" Classes alone reach {number(by_class['estimate'])}{tested}."
