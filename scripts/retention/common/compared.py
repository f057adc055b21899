"""What stands in a row of paper_comparison.csv: our number beside one of the paper's."""

COMPARED = (
    "finding",
    "dataset",
    "architecture",
    "statistic",
    "reported",
    "estimate",
    "low",
    "high",
    "verdict",
    "reason",
)
