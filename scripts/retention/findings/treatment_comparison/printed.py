"""F7 as a table for a paper: treatments with their margin."""

from retention.reporting.controls import named_control, with_controls
from retention.reporting.judged_columns import METRICS, judged_columns
from retention.reporting.printed import Printed

PRINTED = Printed(
    {**METRICS, "difference": "difference, paired by seed"},
    digits=3,
    without=("Chance",),
    in_words=named_control,
    further=judged_columns,
    prepared=with_controls,
    note="n counts seeds. Equivalence is not corrected over the comparisons.",
)
