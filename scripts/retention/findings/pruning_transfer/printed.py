"""F8 as a table for a paper: prunings with their margin."""

from retention.reporting.controls import named_control, with_controls
from retention.reporting.judged_columns import METRICS, judged_columns
from retention.reporting.printed import Printed
from retention.reporting.pruned import in_arms

PRINTED = Printed(
    {
        **METRICS,
        "cost_of_pruning": "change by keeping fewer at random",
        "gain_over_random": "gain over as many kept at random",
        "transfer_loss": "loss by scores of another run",
    },
    digits=3,
    without=("Chance",),
    in_words=named_control,
    further=judged_columns,
    prepared=lambda rows: with_controls(in_arms(rows)),
    note="n counts seeds. Equivalence is not corrected over the comparisons.",
)
