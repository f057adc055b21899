"""multiverse_shares_known.csv: what is left of the multiverse by what is known of the paper.

A filled slot leaves the combinations that have its level, or to which it does not apply. The study's own sign is that of its
own combination, be it left or not.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from retention.common.multiverse_tables import FAULT
from retention.multiverse.shares import COLUMNS, having, shares_table

ENDS = {"least": "min", "greatest": "max"}  # of the estimates
CELL = ["finding", "dataset", "comparison", "statistic"]


def shares_by_known(
    table: pd.DataFrame, dimensions: Sequence[str], known: Mapping[str, str], text: str
) -> pd.DataFrame:
    """Return the shares of the combinations that are left, with a column known, which says what is known.

    table: that of `read_multiverse`; known: levels by dimension. Beside the shares of `shares_table` there are least and
    greatest, the ends of the estimates that are left; none where none is.
    """
    left = table[(table["kind"] != FAULT) & having(table, known) & table["estimate"].notna()]
    ends = []
    for cell, found in left.groupby(CELL, sort=False):
        of_cell = dict(zip(CELL, cell, strict=True)) | {"dimension": "", "of": len(found)}
        for share, name in ENDS.items():
            value = found["estimate"].agg(name)
            ends.append(
                of_cell | {"share": share, "value": value, "definition": f"{share} estimate"}
            )
    shares = pd.concat(
        [shares_table(table, dimensions, known), pd.DataFrame(ends, columns=COLUMNS)],
        ignore_index=True,
    )
    return shares.assign(known=text)
