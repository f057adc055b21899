"""F3 as a table for a paper."""

from retention.reporting.printed import Printed
from retention.reporting.sources import SHARES, SOURCES

PRINTED = Printed(
    {
        "spearman": "Spearman's ρ of two seeds",
        "kendall": "Kendall's τ of two seeds",
        "spearman_ever_forgotten": "Spearman's ρ among the ever forgotten",
        "split_half": "odd against even epochs of a run",
        "reliability_of_mean": "reliability of the mean over seeds",
        **{
            f"{SHARES}{name}": f"share of the ranks' variance: {what}"
            for name, what in SOURCES.items()
        },
    },
    note="n counts samples.",
)
