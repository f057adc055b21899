"""A CSV with the columns `path` and `label`, and optionally `split`, `group` and `sample_id`.

`group_column` in the definition names another column than `group`.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from retention.common.columns import require_columns
from retention.common.errors import UserError
from retention.data.image_files import open_image

__all__ = ["open_image", "read_index"]


def read_index(definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """List the rows of `definition["table"]`; relative paths start at the table's folder.

    Columns that nothing uses are printed.
    """
    file = Path(definition["table"])
    if not file.is_file():
        raise UserError(f"{file}: there is no such table")
    try:
        rows = pd.read_csv(file, dtype=str, keep_default_na=False)
    except ValueError as error:  # no CSV, or no UTF-8
        raise UserError(f"{file}: cannot be read as CSV ({error})") from error
    grouping = definition.get("group_column", "group")
    require_columns(file, rows.columns, ["path", "label"])
    if "group_column" in definition:
        require_columns(file, rows.columns, [grouping])
    used = {"path", "label", "split", "sample_id", grouping}
    if unused := [name for name in rows.columns if name not in used]:
        print(f"{file}: columns not used: {', '.join(unused)}")
    for number, row in enumerate(rows.itertuples(), start=2):
        if not row.path or not row.label:
            raise UserError(f"{file}, line {number}: path or label is empty; give both")
    ids = rows.get("sample_id", rows["path"])
    return pd.DataFrame(
        {
            "sample_id": ids,
            "path": [(file.parent / path).as_posix() for path in rows["path"]],
            "class_name": rows["label"],
            "group": _filled(rows[grouping], ids) if grouping in rows else ids,
            "official_split": rows.get("split", ""),
        }
    )


def _filled(groups: pd.Series, ids: pd.Series) -> pd.Series:
    """Give every row without a group one of its own, with a name that no group in use begins with."""
    alone = "ungrouped: "
    while groups.str.startswith(alone).any():
        alone = "_" + alone
    return groups.where(groups.str.strip() != "", alone + ids)
