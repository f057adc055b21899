"""With which finding a figure is shown that lies in no finding's folder."""

from pathlib import PurePath

from retention.common.parts import part_names
from retention.measuring.declaration import DatasetFile, Figure


def finding_of(figure: Figure) -> str:
    """Return the finding whose table a figure reads, the first of several; "" for none."""
    tables = [
        PurePath(files.name) for files in figure.reads.values() if isinstance(files, DatasetFile)
    ]
    names = [table.stem for table in tables if table.parent.name == "findings"]
    return next((name for name in names if name in part_names("retention.findings")), "")
