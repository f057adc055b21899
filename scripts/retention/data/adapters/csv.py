"""A CSV with the columns `path` and `label`, and optionally `split`, `group` and `sample_id`.

`group_column` and `split_column` in the definition name other columns than `group` and `split`.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from retention.common.columns import require_columns
from retention.common.errors import UserError
from retention.common.lists import counted, listed, plural
from retention.common.notes import tell
from retention.common.options import complete
from retention.data.image_files import ABSENT, fault_of, open_image
from retention.data.leaving_out import quarantining
from retention.data.listed_files import no_file, tell_of_parts, without_system_files
from retention.data.names import own_groups, require_distinct
from retention.data.official import is_split, part_of, plain_part_of
from retention.data.typed_tables import read_typed
from retention.data.wrong_paths import remedy

__all__ = ["open_image", "read_index"]

YES_AND_NO = (("1", "0"), ("true", "false"), ("yes", "no"), ("1.0", "0.0"), ("t", "f"), ("y", "n"))


def read_index(definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """List the rows of `definition["table"]`; relative paths start at the table's folder.

    Columns that nothing uses are noted. Raises `UserError` for a table that is none, for rows without path or label,
    for labels and groups that differ only in their spelling, and for files that are not there; with
    `on_bad_image: quarantine` these have a reason in the column `left_out`.
    """
    file = Path(definition["table"])
    if file.is_dir():
        raise UserError(
            f"{file}: is a folder; table: names a CSV file; adapter: imagefolder reads class folders"
        )
    if not file.is_file():
        what = "is no regular file" if file.exists() else "there is no such table"
        raise UserError(f"{file}: {what}")
    rows = read_typed(file, ["path", "label"])
    grouping = definition.get("group_column", "group")
    splitting = definition.get("split_column", "split")
    require_columns(
        file,
        rows.columns,
        [definition[k] for k in ("group_column", "split_column") if k in definition],
    )
    if rows.empty:
        raise UserError(f"{file}: has a header and no row; give one row per image")
    rows = without_system_files(file, rows, definition)
    _require_filled(file, rows)
    if "split_column" in definition:
        _require_parts(file, splitting, rows[splitting])
    elif splitting not in rows:
        _require_words(file, rows, {grouping})
        tell_of_parts(file, rows)
    _tell_of_unused(file, rows, {"path", "label", splitting, "sample_id", grouping})
    require_distinct(rows["label"], definition, "label", file)
    ids = rows.get("sample_id", rows["path"])
    _require_once(file, rows, ids)
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
    faults = table["path"].map(fault_of)
    missing = faults != ""
    if not missing.any():
        return table
    if complete("dataset", definition)["on_bad_image"] == "stop":
        gone = set(rows["label"]) - set(rows.loc[~missing, "label"])
        way_on = "" if gone else f", or {quarantining(definition, missing.mean())}"
        if (nowhere := faults == ABSENT).any():
            raise UserError(_not_there(file, rows["path"], nowhere) + way_on)
        fault = faults[missing].iloc[0]
        paths = rows.loc[faults == fault, "path"].tolist()
        raise UserError(no_file(file, paths, fault, len(rows)) + way_on)
    return table.assign(left_out=faults)


def _require_filled(file: Path, rows: pd.DataFrame) -> None:
    """Raise `UserError` naming the lines that lack a path or a label."""
    for name in ("path", "label"):
        empty = rows.index[rows[name].str.strip() == ""]
        if len(empty):
            raise UserError(
                f"{file}, line {listed(empty.tolist())}: path or label is empty ({name}); give both"
            )


def _require_once(file: Path, rows: pd.DataFrame, ids: pd.Series) -> None:
    """Raise `UserError` naming the lines that stand for one image, and whether these differ in their labels."""
    again = ids.duplicated(keep=False)
    if not again.any():
        return
    labels = rows["label"][again].groupby(ids[again]).nunique()
    lines = [
        f"{name} (lines {listed(found.index.tolist())})"
        for name, found in ids[again].groupby(ids[again], sort=False)
    ]
    differ = int((labels > 1).sum())
    which = f"{differ} of them with different labels" if differ else "their labels agree"
    column = "sample_id" if "sample_id" in rows else "path"
    remedy = "keep one row of each" if column == "path" else "give each image its own, once"
    raise UserError(
        f"{file}: {plural(len(lines), column)} {'stands' if len(lines) == 1 else 'stand'} more than once, {which}: "
        f"{listed(lines)}; {remedy}"
    )


def _require_parts(file: Path, name: str, words: pd.Series) -> None:
    """Raise `UserError` where the column that is to be the split has not one name of a part."""
    if not words.map(part_of).any():
        raise UserError(
            f"{file}: split_column: {name} has no names of parts (train, val, test) but "
            f"{counted(words.map(repr).value_counts())}; write these in it, or take split_column away"
        )


def _require_words(file: Path, rows: pd.DataFrame, used: set[str]) -> None:
    """Raise `UserError` for a column such as is_train that says the split by 1 and 0, or yes and no.

    One called test or valid alone may be a result: it is noted. Columns in use say what they are used for.
    """
    for name in set(rows.columns) - used:
        bare = name.casefold().removeprefix("is")
        part, words = plain_part_of(bare), set(rows[name].str.strip().str.casefold())
        if not part or not any(words == {one, other} for one, other in YES_AND_NO):
            continue
        yes = "train and test" if part == "train" else f"{part} and train"
        said = f"{file}: column {name}"
        if bare == name.casefold() != "train":
            tell(
                f"{said} holds {' and '.join(sorted(words))} and is not used; where it says the split, write {yes} in a "
                "column split in place of these"
            )
        else:
            raise UserError(
                f"{said} says the split by {' and '.join(sorted(words))}; write {yes} in a column split in place of these, "
                "or take the column away"
            )


def _tell_of_unused(file: Path, rows: pd.DataFrame, used: set[str]) -> None:
    """Note columns that nothing uses, and which of them look like the split."""
    unused = [name for name in rows.columns if name not in used]
    if unused:
        names = [name if name.strip() else "one without a name" for name in unused]
        tell(f"{file}: columns not used: {listed(names)}")
    for name in unused:
        if is_split(rows[name].unique()):
            called = name if name.strip() else "without a name"
            key = "" if name.strip() else "a name and "
            tell(
                f"{file}: column {called} has names of parts (train, val, test) and is not used; {key}split_column: "
                f"{name.strip() or 'that name'} makes it the official split"
            )
        elif name.strip().casefold() == "split":
            words = counted(rows[name].map(repr).value_counts())
            tell(
                f"{file}: column {name} is not used; where it holds train and val or test alone, and not {words}, "
                f"split_column: {name} makes it the official split"
            )


def _not_there(file: Path, paths: pd.Series, nowhere: pd.Series) -> str:
    """Return a line on paths at which there is no file, and what would find them."""
    absent = paths[nowhere].tolist()
    return (
        f"{file}: {len(absent)} of {plural(len(paths), 'path')} lead to no file ({listed(absent)}); "
        f"{remedy(file.parent, absent)}"
    )
