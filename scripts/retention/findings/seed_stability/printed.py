"""F3 as a table for a paper."""

from retention.reporting.printed import Printed

SOURCES = {
    "class": "class",
    "sample": "sample",
    "class_x_architecture": "class × architecture",
    "sample_x_architecture": "sample × architecture",
    "seed": "seed",
    "class_x_seed": "class × seed",
    "residual": "residual",
}
PRINTED = Printed(
    {
        "spearman": "Spearman's ρ of two seeds",
        "kendall": "Kendall's τ of two seeds",
        "spearman_ever_forgotten": "Spearman's ρ among the ever forgotten",
        "split_half": "odd against even epochs of a run",
        "reliability_of_mean": "reliability of the mean over seeds",
        **{
            f"variance_of_ranks_{name}": f"share of rank variance: {what}"
            for name, what in SOURCES.items()
        },
    },
    note="n counts samples.",
)
