"""F5 as a table for a paper."""

from retention.reporting.printed import Printed

PRINTED = Printed(
    {
        "spearman": "loss against decay, same run, ρ",
        "spearman_partial_class": "loss against decay, class taken off, ρ",
        "spearman_across_seeds": "loss against decay of other seeds, ρ",
        "loss_agreement": "loss of two seeds, ρ",
    },
    note="n counts samples.",
)
