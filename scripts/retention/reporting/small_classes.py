"""How far one held-out image of a small class moves balanced accuracy."""

from collections.abc import Iterator, Sequence

import pandas as pd

from retention.common.lists import listed, plural
from retention.reporting.words import as_text, number

BALANCED = "balanced_accuracy"  # the mean over the classes of the share that is right
FEWEST = 5  # held-out images of a class: fewer are told of


def small_classes(
    comparisons: pd.DataFrame, classes: pd.DataFrame, evaluated: Sequence[int]
) -> Iterator[str]:
    """Yield a line on the classes of which single images move what treatments are compared by; none where no class is small.

    comparisons: rows of F7 or F8 of a data set. classes: its classes.csv. evaluated: how many held-out images its runs
    evaluate; where that is not all of them, nothing can be told of the classes.
    """
    if BALANCED not in set(comparisons.get("metric", [])):
        return
    held_out = classes[classes["test"] > 0]
    if any(count != held_out["test"].sum() for count in evaluated):
        return
    few = held_out[held_out["test"] < FEWEST].sort_values("test")
    if few.empty:
        return
    told = listed(
        f"class {as_text(str(name))} by {number(1 / (len(held_out) * images), 3)} ({plural(int(images), 'held-out image')})"
        for name, images in zip(few["class_name"], few["test"], strict=True)
    )
    margins = comparisons.get("margin", pd.Series(dtype=float)).dropna()
    margin = f" The margin is ±{margins.iloc[0]:g}." if len(margins) else ""
    yield (
        f"- Balanced accuracy counts all {len(held_out)} classes alike, so one image of a small class moves it far: "
        f"of {told}.{margin}"
    )
