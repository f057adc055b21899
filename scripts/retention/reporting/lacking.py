"""Classes without a hazard, which figures of classes can not draw."""

import pandas as pd

from retention.common.lists import plural
from retention.reporting.words import class_names

NAMED, LONGEST = (
    3,
    30,
)  # classes that are named, and letters of a name, beyond which they are counted


def not_drawn(finding: pd.DataFrame) -> str:
    """Return which classes have no hazard in any architecture, in words; "" where all have one.

    finding: the table of class_forgetting.
    """
    rows = finding[finding["statistic"] == "class_hazard"]
    known = rows["estimate"].notna().groupby(class_names(rows)).any()
    names = [str(name) for name in known.index[~known]]
    if len(names) > NAMED or any(len(name) > LONGEST for name in names):
        return plural(len(names), "class", "classes")
    return f"{'class' if len(names) == 1 else 'classes'} {', '.join(names)}" if names else ""
