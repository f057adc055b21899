"""F1 as a table for a paper."""

from retention.reporting.printed import Printed

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
    note="n counts samples.",
)
