"""OCTDL (Kulyabin et al. 2024): retinal OCT, 7 classes, up to ten images of one patient."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from retention.common.columns import require_columns
from retention.common.errors import UserError
from retention.data.image_files import files_below, open_image

__all__ = ["open_image", "read_index"]


def read_index(definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """List the images of the labels file, joined by file name, the patient as group.

    OCTDL publishes no checksum of its images, so its own labels are held to: every row has its
    image and the class counts are those of the definition.
    """
    labels = raw_folder / "OCTDL_labels.csv"
    if not labels.is_file():
        raise UserError(f"{labels}: is missing; fetch the data set again")
    group = definition.get("group_column", "patient_id")
    rows = pd.read_csv(labels, dtype=str, keep_default_na=False)
    require_columns(labels, rows.columns, ["file_name", "disease", group])
    files = _images_below(raw_folder)
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
            "group": rows[group],
            "official_split": "",
        }
    )


def _images_below(folder: Path) -> dict[str, Path]:
    """Return the images by name without suffix; `UserError` when a name stands twice."""
    files: dict[str, Path] = {}
    for name in sorted(files_below(folder).images):
        file = folder / name
        if file.stem in files:
            raise UserError(f"{file}: has the name of {files[file.stem]}; labels name one of them")
        files[file.stem] = file
    return files
