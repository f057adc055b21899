"""Counts of forgetting events by epoch, and what is told of the first epoch."""

import pandas as pd

TOLD = (
    "lie between epoch 0, before fine-tuning, and epoch 1. Other protocols do not have this step."
)


def counts(*forgotten, first=0, test=9):
    """Return epoch_counts.csv of a run that forgot so many training samples, and other held-out ones, at each epoch."""
    pieces = [
        pd.DataFrame({"split": split, "epoch": range(first, first + len(lost)), "forgotten": lost})
        for split, lost in (("test", [test] * len(forgotten)), ("train", forgotten))
    ]
    return pd.concat(pieces, ignore_index=True)
