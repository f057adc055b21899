"""F7 as a table for a paper: treatments with their margin."""

from retention.reporting.judged_columns import METRICS, judged_columns
from retention.reporting.printed import Printed

PRINTED = Printed(
    {**METRICS, "difference": "difference, paired by seed"},
    digits=3,
    without=("Chance",),
    further=judged_columns,
    note="n counts seeds. Equivalence is not corrected over the comparisons.",
)
