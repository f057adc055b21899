"""CUB-200-2011 (Wah et al. 2011): 200 bird species with an official split."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.data.image_files import open_image

__all__ = ["open_image", "read_index"]


def read_index(definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """List the images, joined on the image id that all of its files carry."""
    folder = raw_folder / "CUB_200_2011"
    images = _read(folder / "images.txt", "image", "path")
    labels = _read(folder / "image_class_labels.txt", "image", "class")
    split = _read(folder / "train_test_split.txt", "image", "is_training")
    names = _read(folder / "classes.txt", "class", "class_name")
    rows = (
        images.merge(labels, on="image", validate="1:1")
        .merge(split, on="image", validate="1:1")
        .merge(names, on="class", validate="m:1")
    )
    if len(rows) != len(images):
        raise UserError(f"{folder}: {len(images) - len(rows)} images lack a label or a split")
    return pd.DataFrame(
        {
            "sample_id": rows["path"],
            "path": [(folder / "images" / path).as_posix() for path in rows["path"]],
            "class_name": rows["class_name"],
            "group": rows["path"],
            "official_split": rows["is_training"].map({"1": "train", "0": "test"}),
        }
    )


def _read(file: Path, *columns: str) -> pd.DataFrame:
    if not file.is_file():
        raise UserError(f"{file}: is missing from the archive; fetch it again")
    return pd.read_csv(file, sep=" ", header=None, names=list(columns), dtype=str)
