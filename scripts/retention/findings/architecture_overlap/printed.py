"""F1 as a table for a paper."""

import pandas as pd

from retention.reporting.printed import Printed


def _without_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows but for correlations of one architecture's seeds: F3 tests those, and prints them."""
    of_one = table["architecture"].notna()  # of two architectures it is empty
    return table[(table["statistic"] != "spearman") | ~of_one]


PRINTED = Printed(
    {
        "jaccard": "Jaccard overlap, different seeds",
        "jaccard_same_seed": "Jaccard overlap, same seed",
        "jaccard_null_within_class": "Jaccard overlap that classes alone give",
        "jaccard_beyond_class": "Jaccard overlap beyond the classes",
        "spearman": "Spearman's ρ of the scores",
        "rank_biased_overlap": "rank-biased overlap",
        "never_learned_jaccard": "Jaccard overlap of the never learned",
    },
    prepared=_without_seeds,
    note="n counts samples. How scores of two seeds of one architecture correlate stands with F3.",
)
