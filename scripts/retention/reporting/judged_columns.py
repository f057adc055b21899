"""What a paper prints beside comparisons of treatments: the margin, and what it is held against."""

import pandas as pd

from retention.reporting.paper_table import NONE, Column, interval, numbers

# What treatments are compared by, at the last epoch; the row of an arm has it as its statistic.
METRICS = {
    "accuracy": "final accuracy",
    "balanced_accuracy": "final balanced accuracy",
    "train_accuracy": "final accuracy on training samples",
}


def judged_columns(rows: pd.DataFrame) -> list[Column]:
    """Return margin, 90 % interval and smallest detectable difference."""
    margins = [NONE if pd.isna(margin) else f"±{margin:g}" for margin in rows["margin"]]
    return [
        Column("Margin", {"Margin": list(rows["margin"])}, margins, is_number=True),
        interval("90 % interval", rows["low_90"], rows["high_90"], 3),
        numbers("Smallest detectable difference", rows["smallest_detectable"], 3),
    ]
