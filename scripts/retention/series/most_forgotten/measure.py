"""The training samples of each class that are forgotten most, over all runs: those that the gallery would show first.

Columns class_name, label, place (from 1, the most forgotten), sample_index, samples (of the class), forgotten (how many of
these some run lost), events (the sample's forgetting events in all runs) and estimate (its hazard, mean over the runs that
learned it). A class of which nothing was forgotten has one row without a place.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.pages.chosen import Standing, most_forgotten, standing_of
from retention.pages.sheet import Sheet, read_sheet

COLUMNS = [
    *("class_name", "label", "place", "sample_index"),
    *("samples", "forgotten", "events", "estimate"),
]
EACH = 8  # samples of a class


def read(samples: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from samples.parquet of the runs."""
    return {"sheet": read_sheet(samples, statistics=["confidence"])}


def measure(sheet: Sheet) -> pd.DataFrame:
    """Return the table, classes by label; raise `UserError` where there is no training sample."""
    training = sheet.only((sheet.samples["split"] == "train").to_numpy())
    if not len(training):
        splits = sorted(set(sheet.samples["split"]))
        raise UserError(
            f"--samples: has no sample of the split train, which the series is about; its splits: {', '.join(splits)}"
        )
    standing = standing_of(training)
    rows = [
        row
        for _, places in sorted(training.samples.groupby("label").indices.items())
        for row in _of_class(training.samples, np.sort(places), standing)
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"place": "Int64", "sample_index": "Int64"})


def _of_class(samples: pd.DataFrame, places: np.ndarray, standing: Standing) -> Iterator[dict]:
    chosen = most_forgotten(standing, EACH, places)
    of_class = {name: samples[name].iloc[places[0]] for name in ("class_name", "label")}
    of_class |= {"samples": len(places), "forgotten": chosen.of}
    if not chosen.of:
        yield of_class
    for place, sample in enumerate(chosen.places, start=1):
        yield of_class | {
            "place": place,
            "sample_index": samples["sample_index"].iloc[sample],
            "events": standing.events[sample],
            "estimate": standing.hazard[sample],
        }
