"""A digest of what training takes from a split: which samples there are, their labels and parts.

Names, paths and groups are not in it: they change no step of training.
"""

import hashlib
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.common.yaml_files import read_stated

TAKEN = ("sample_index", "label", "split")


def digest_of_split(index: pd.DataFrame) -> dict[str, int | str]:
    """Return the number of samples and the sha256 of the columns `TAKEN`, rows in their order."""
    digest = hashlib.sha256()
    for name in ("sample_index", "label"):
        digest.update(index[name].to_numpy(dtype="<i8").tobytes())
    digest.update("\n".join(index["split"].astype(str)).encode())
    return {"samples": len(index), "sha256": digest.hexdigest()}


def require_split(stated: Path, index: pd.DataFrame, path: Path) -> None:
    """Raise `UserError` where the index at `path` is not the one whose digest is stated."""
    if read_stated(stated) != digest_of_split(index):
        raise UserError(
            f"{path}: is not the split that {stated} tells of; split the data set again (snakemake data)"
        )
