"""OCTDL (Kulyabin et al. 2024): retinal OCT, 7 classes, up to ten images of one patient."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.common.storage import require_columns
from retention.data.adapters.imagefolder import open_image

__all__ = ["open_image", "read_index"]


def read_index(definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """List the images of the labels file, joined by file name, the patient as group.

    OCTDL publishes no checksum of its images, so its own labels are held to: every row has its
    image and the class counts are those of the definition.
    """
    labels = raw_folder / "OCTDL_labels.csv"
    rows = pd.read_csv(labels, dtype=str, keep_default_na=False)
    require_columns(labels, rows.columns, ["file_name", "disease", "patient_id"])
    files = {file.stem: file for file in sorted(raw_folder.rglob("*.jpg"))}
    missing = [name for name in rows["file_name"] if name not in files]
    if missing:
        raise UserError(
            f"{raw_folder}: {len(missing)} of {len(rows)} images of {labels.name} are missing, "
            f"the first is {missing[0]}.jpg; fetch the archive again"
        )
    counts = rows["disease"].value_counts().to_dict()
    if counts != dict(definition["class_counts"]):
        raise UserError(
            f"{labels}: class counts {counts} are not the {definition['class_counts']} expected"
        )
    return pd.DataFrame(
        {
            "sample_id": rows["file_name"],
            "path": [files[name].as_posix() for name in rows["file_name"]],
            "class_name": rows["disease"],
            "group": rows["patient_id"],
            "official_split": "",
        }
    )
