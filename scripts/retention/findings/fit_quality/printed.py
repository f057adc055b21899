"""F2 as a table for a paper."""

from retention.reporting.printed import Printed

PRINTED = Printed(
    {
        "mean_r_squared": "mean R²",
        "excess_r_squared": "mean R² beyond shuffled traces",
        "constant_fraction": "share of constant traces",
        "difference_r_squared": "difference of mean R²",
        "difference_excess": "difference beyond shuffled traces",
        "difference_matched_events": "difference at equal forgetting events",
    },
    note="n counts samples whose trace varies, of shares all samples.",
)
