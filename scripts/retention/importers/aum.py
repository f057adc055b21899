"""AUM (Pleiss et al. 2020): `full_aum_records.csv`, a row per sample and measurement."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from retention.common.columns import require_columns
from retention.common.csv_tables import read_csv
from retention.common.errors import UserError
from retention.common.lists import listed
from retention.importers._imported import IN_TRAINING, Imported

NAME, MEANS = "full_aum_records.csv", "aum_values.csv"
COLUMNS = ("sample_id", "num_measurements", "target_logit", "other_logit", "margin")


def read(source: Path, labels: Path | None) -> Imported:
    """Read the records, or the folder that has them; raise `UserError` where there are only means.

    Measurement n of a sample is epoch n here, from 1. A sample is right where its margin is above 0. Where it is 0 two
    logits are equal, and the first class counts, as everywhere here.
    """
    if labels is not None:
        raise UserError("--labels: AUM's records tell the labels; leave it out")
    path = source / NAME if source.is_dir() else source
    if path.name == MEANS or (source.is_dir() and not path.exists()):
        raise UserError(
            f"{source}: expected {NAME}, which has every measurement; {MEANS} holds means alone; record with "
            "AUMCalculator(…, compressed=False)"
        )
    table = read_csv(path)
    require_columns(path, table.columns, COLUMNS)
    first = table.drop_duplicates("sample_id").reset_index(drop=True)
    other = table["target_logit"] != table.groupby("sample_id")["target_logit"].transform("first")
    if other.any():
        raise UserError(
            f"{path}: the target_logit of {listed(table['sample_id'][other].unique())} changes; a sample has one label"
        )
    table["place"] = pd.Index(first["sample_id"]).get_indexer(table["sample_id"])

    def epochs() -> Iterator[tuple[str, np.ndarray, Mapping[str, Any]]]:
        for number, rows in table.groupby("num_measurements"):
            margin = rows["margin"].to_numpy(float)
            target, best = (rows[n].to_numpy() for n in ("target_logit", "other_logit"))
            right = (margin > 0) | ((margin == 0) & (target < best))
            values = {
                "correct": right,
                "margin": margin,
                "predicted": np.where(right, target, best),
            }
            yield f"{path}, measurement {number}", rows["place"].to_numpy(), values

    ids, gold, notes = (
        first["sample_id"].tolist(),
        first["target_logit"].to_numpy(),
        [f"{path}: {IN_TRAINING}"],
    )
    return Imported(ids, gold, epochs, first=1, notes=notes)
