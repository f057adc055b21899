"""What a comparison of pruned runs is called."""

import pandas as pd

from retention.reporting.words import percent

# Whose scores say what is kept, as a newcomer reads it; any other source is told without underscores.
WHOSE = {
    "same_seed": "the run itself",
    "next_seed": "a run of another seed",
    "other_seeds": "runs of other seeds",
    "other_architecture": "another network",
}
KEPT = {"most_forgotten": "forgot most", "least_forgotten": "forgot least"}


def in_words(row: pd.Series) -> str:
    """Return what a row compares, its score and whose it is without underscores."""
    comparison = str(row["comparison"])
    for name in (row["score"], row["source"]):
        if isinstance(name, str):
            comparison = comparison.replace(name, name.replace("_", " "))
    return comparison


def compared(row: pd.Series) -> tuple[str, str] | None:
    """Return in plain words what is compared, the first less the second; None where the row does not say enough."""
    if row["statistic"] not in ("gain_over_random", "transfer_loss"):
        return None
    if not isinstance(row.get("source"), str) or row.get("keep") not in KEPT:
        return None
    source, _, shuffled = row["source"].partition(", ")
    whose = WHOSE.get(source, source.replace("_", " ")) + (f" ({shuffled})" if shuffled else "")
    kept, end = f"{percent(row['keep_fraction'])} of the images", KEPT[row["keep"]]
    if row["statistic"] == "gain_over_random":
        return f"the {kept} that {whose} {end}", "as many images kept at random"
    return f"the {kept} that {WHOSE['same_seed']} {end}", f"those that {whose} {end}"
