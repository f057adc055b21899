"""Any folder of class folders: <folder>/<class>/<image>."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.data.image_files import SUFFIXES, open_image

__all__ = ["open_image", "read_index"]


def read_index(definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """List the images below `definition["folder"]`; `sample_id` is the path below it.

    Files that are passed over are counted on standard output. Raises `UserError` for a class folder
    without a recognised image: its class would vanish.
    """
    folder = Path(definition["folder"])
    if not folder.is_dir():
        raise UserError(f"{folder}: is not a folder; it should hold one folder per class")
    visible = [
        file
        for file in folder.glob("*/**/*")
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]
    files = [file for file in visible if file.suffix.lower() in SUFFIXES]
    known = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
    if not files:
        raise UserError(
            f"{folder}: holds no image in a class folder (<class>/<image>); known are {known}"
        )
    ids = [file.relative_to(folder).as_posix() for file in files]
    beside = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    classes = {name.split("/")[0] for name in ids}
    if empty := sorted(e.name for e in beside if e.is_dir() and e.name not in classes):
        raise UserError(
            f"{folder}: no image in {', '.join(empty)} (known are {known}); convert what is there, "
            "or move these folders elsewhere"
        )
    others = [file for file in visible if file.suffix.lower() not in SUFFIXES] + beside
    if passed := sorted(file for file in others if file.is_file()):
        print(
            f"warning: {folder}: {len(passed)} files passed over, the first is {passed[0]}; images "
            f"lie in class folders and end in {known}"
        )
    return pd.DataFrame(
        {
            "sample_id": ids,
            "path": [file.as_posix() for file in files],
            "class_name": [name.split("/")[0] for name in ids],
            "group": ids,
            "official_split": "",
        }
    )
