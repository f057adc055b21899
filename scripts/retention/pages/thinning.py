"""A page of a large data set shows some of its samples, so drawn that the picture stays what it is."""

import numpy as np

from retention.common.randomness import generator
from retention.pages.sheet import Sheet

AT_MOST = 6000  # samples of a page that stays smooth and below 15 MB


def representatives(sheet: Sheet, at_most: int = AT_MOST) -> np.ndarray:
    """Return the places of at most so many samples, int, ascending; the same ones whenever the sheet is.

    Of samples in the order of split, class and statuses in all runs, and within by lot, every k-th is taken: so
    each split, class and status keeps its share to within one sample.
    """
    count = len(sheet)
    if count <= at_most:
        return np.arange(count)
    lot = generator("representatives", sheet.dataset, count).random(count)
    keys = sheet.samples[["split", "class_name"]].assign(status=_often(sheet), lot=lot)
    order = keys.sort_values(["split", "class_name", "status", "lot"]).index.to_numpy()
    taken = np.floor((np.arange(at_most) + 0.5) * count / at_most).astype(int)
    return np.sort(order[taken])


def _often(sheet: Sheet) -> np.ndarray:
    """Return of each sample in how many runs it was forgotten and never learned, as one number, int [N]."""
    never, lost = sheet.statistic("never_learned") > 0, sheet.statistic("forgetting_events") > 0
    return never.sum(axis=0) * (len(sheet.runs) + 1) + (lost & ~never).sum(axis=0)
