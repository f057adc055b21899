"""What a comparison of pruned runs is called."""

import pandas as pd


def in_words(row: pd.Series) -> str:
    """Return what a row compares, its score and whose it is without underscores."""
    comparison = str(row["comparison"])
    for name in (row["score"], row["source"]):
        if isinstance(name, str):
            comparison = comparison.replace(name, name.replace("_", " "))
    return comparison
