"""A CSV with the columns `path` and `label`, and optionally `split`, `group` and `sample_id`.

`group_column` and `split_column` in the definition name other columns than `group` and `split`.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from retention.common.columns import require_columns
from retention.common.errors import UserError
from retention.common.lists import plural, shown
from retention.common.notes import tell
from retention.common.options import complete
from retention.data.image_files import SUFFIXES, open_image
from retention.data.names import own_groups, require_distinct
from retention.data.official import is_split
from retention.data.typed_tables import read_typed

__all__ = ["open_image", "read_index"]


def read_index(definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """List the rows of `definition["table"]`; relative paths start at the table's folder.

    Columns that nothing uses are noted. Raises `UserError` for a table that is none, for rows without path or label,
    for labels and groups that differ only in their spelling, and for files that are not there; with
    `on_bad_image: quarantine` these have a reason in the column `left_out`.
    """
    file = Path(definition["table"])
    if not file.is_file():
        raise UserError(f"{file}: there is no such table")
    rows = read_typed(file, ["path", "label"])
    grouping = definition.get("group_column", "group")
    splitting = definition.get("split_column", "split")
    require_columns(
        file,
        rows.columns,
        [definition[k] for k in ("group_column", "split_column") if k in definition],
    )
    _require_filled(file, rows)
    _tell_of_unused(file, rows, {"path", "label", splitting, "sample_id", grouping})
    require_distinct(rows["label"], definition, "label", file)
    ids = rows.get("sample_id", rows["path"])
    groups = ids
    if grouping in rows:
        groups = own_groups(rows[grouping], ids, definition)
        typed = rows.loc[groups == rows[grouping], grouping]
        require_distinct(typed, definition, "group", file)
    table = pd.DataFrame(
        {
            "sample_id": ids,
            "path": [(file.parent / path).as_posix() for path in rows["path"]],
            "class_name": rows["label"],
            "group": groups,
            "official_split": rows.get(splitting, ""),
        }
    )
    missing = ~table["path"].map(os.path.exists)
    if not missing.any():
        return table
    options = complete("dataset", definition)
    if options["on_bad_image"] == "stop":
        few = missing.mean() <= options["max_left_out"]
        way_on = ", or set on_bad_image: quarantine to go on without them" if few else ""
        raise UserError(_not_there(file, rows.loc[missing, "path"].tolist(), len(rows)) + way_on)
    return table.assign(left_out=missing.map({True: "there is no such file", False: ""}))


def _require_filled(file: Path, rows: pd.DataFrame) -> None:
    """Raise `UserError` naming the lines that lack a path or a label."""
    for name in ("path", "label"):
        empty = rows.index[rows[name].str.strip() == ""]
        if len(empty):
            raise UserError(
                f"{file}, line {shown(empty.tolist())}: path or label is empty ({name}); give both"
            )


def _tell_of_unused(file: Path, rows: pd.DataFrame, used: set[str]) -> None:
    """Note columns that nothing uses, and which of them look like the split."""
    unused = [name for name in rows.columns if name not in used]
    if unused:
        tell(
            f"{file}: columns not used: {shown([name or 'one without a name' for name in unused])}"
        )
    for name in unused:
        if is_split(rows[name].unique()):
            tell(
                f"{file}: column {name} has names of parts (train, val, test) and is not used; split_column: {name} "
                "makes it the official split"
            )


def _not_there(file: Path, paths: list[str], rows: int) -> str:
    """Return a line on paths at which there is no file, and what would find them."""
    return (
        f"{file}: {len(paths)} of {plural(rows, 'path')} lead to no file ({shown(paths)}); "
        f"{_remedy(file.parent, paths[0])}"
    )


def _remedy(folder: Path, path: str) -> str:
    """Return how a path that leads nowhere is to be written, as far as can be found out."""
    for suffix in sorted(SUFFIXES | {suffix.upper() for suffix in SUFFIXES}):
        if (folder / f"{path}{suffix}").is_file():
            return f"write them with their suffix, {suffix}"
    others = {
        "without blanks around them": path.strip(),
        "with / in place of \\": path.replace("\\", "/"),
        "without a / at the beginning": path.lstrip("/"),
    }
    for how, other in others.items():
        if other != path and (folder / other).is_file():
            return f"write them {how}"
    if Path(path).is_file():
        return f"paths start at the table's folder, {folder}, not where snakemake is run"
    return f"paths start at the table's folder, {folder}"
