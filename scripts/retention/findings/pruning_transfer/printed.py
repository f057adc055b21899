"""F8 as a table for a paper: prunings with their margin."""

from retention.reporting.controls import is_control, with_controls
from retention.reporting.judged_columns import METRICS, judged_columns
from retention.reporting.printed import Printed
from retention.reporting.pruned import in_words

PRINTED = Printed(
    {
        **METRICS,
        "cost_of_pruning": "random pruning less none",
        "gain_over_random": "gain over random pruning",
        "transfer_loss": "loss by scores of another run",
    },
    digits=3,
    without=("Chance",),
    in_words=lambda row: f"{'Control, ' * is_control(row)}{in_words(row)}",
    further=judged_columns,
    prepared=with_controls,
    note="n counts seeds. Equivalence is not corrected over the comparisons.",
)
