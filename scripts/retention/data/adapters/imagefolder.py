"""Any folder of class folders: <folder>/<class>/<image>."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from PIL import Image

from retention.common.errors import UserError

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm"}


def read_index(definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """List the images below `definition["folder"]`; `sample_id` is the path below it."""
    folder = Path(definition["folder"])
    if not folder.is_dir():
        raise UserError(f"{folder}: is not a folder; it should hold one folder per class")
    files = [
        file
        for file in folder.glob("*/**/*")
        if file.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]
    if not files:
        raise UserError(f"{folder}: holds no image in a class folder (<class>/<image>)")
    ids = [file.relative_to(folder).as_posix() for file in files]
    return pd.DataFrame(
        {
            "sample_id": ids,
            "path": [file.as_posix() for file in files],
            "class_name": [name.split("/")[0] for name in ids],
            "group": ids,
            "official_split": "",
        }
    )


def open_image(definition: Mapping, path: str) -> Image.Image:
    """Open an image file."""
    return Image.open(path)
