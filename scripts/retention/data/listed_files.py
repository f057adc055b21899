"""Rows of a table whose paths lead to no image of the data set: files that systems leave, folders, parts not used."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import takewhile
from pathlib import Path

import pandas as pd

from retention.common.lists import counted, listed, plural
from retention.common.notes import tell
from retention.common.options import complete
from retention.data.image_files import A_FOLDER
from retention.data.official import side_by_side
from retention.data.system_files import hidden_by_system, left_by_system, left_over


def without_system_files(file: Path, rows: pd.DataFrame, definition: Mapping) -> pd.DataFrame:
    """Return the rows without those of files that systems leave, which are counted in a note.

    rows: with a column `path`. The folder in which all of them lie may be called as it likes. With `system_files: read`
    in the definition all rows are returned.
    """
    if complete("dataset", definition)["system_files"] == "read":
        return rows
    kinds = rows["path"].map(kinds_of_systems(rows["path"]))
    if not (kinds != "").any():
        return rows
    number = int((kinds != "").sum())
    verb = "names a file" if number == 1 else "name files"
    tell(
        f"{file}: {plural(number, 'row')} that {verb} which systems leave {'is' if number == 1 else 'are'} passed over: "
        f"{counted(Counter(kinds[kinds != '']))}; system_files: read takes them"
    )
    return rows[kinds == ""]


def kinds_of_systems(paths: Iterable[str]) -> dict[str, str]:
    """Return by its path what a file is counted as that a system left, "" for another."""
    ways = {path: path.split("/") for path in paths}
    by_level = zip(*(way[:-1] for way in ways.values()), strict=False)
    shared = sum(1 for _ in takewhile(lambda folders: len({*folders}) == 1, by_level))
    return {path: kind_of_system(way[shared:]) for path, way in ways.items()}


def kind_of_system(way: list[str]) -> str:
    """Return what the first folder of a system on the way to a file is counted as, or the file itself."""
    *folders, name = way
    kinds = [*map(left_by_system, folders), left_over(name)]
    hidden = ("hidden" for part in way if hidden_by_system(part))
    return next(filter(None, kinds), "") or next(hidden, "")


def tell_of_parts(file: Path, rows: pd.DataFrame) -> None:
    """Note folders on the way to images that look like the parts of a split, where no column says one.

    rows: with columns `path` and `label`. Folders that are called as labels are classes.
    """
    parts = side_by_side({tuple(path.split("/")[:-1]) for path in rows["path"]})
    if not {part.rpartition("/")[2] for part in parts} <= {*rows["label"]}:
        tell(
            f"{file}: paths lie in folders that look like parts ({listed(parts)}), and no column says the split; "
            "a column split with train, val and test makes it the official one"
        )


def no_file(file: Path, paths: list[str], fault: str, rows: int) -> str:
    """Return a line on paths that lead to a folder or to a pipe, as `fault_of` says; rows: of how many."""
    what = "a folder" if fault == A_FOLDER else "no regular file (a pipe, a device)"
    return (
        f"{file}: {len(paths)} of {plural(rows, 'path')} {'leads' if len(paths) == 1 else 'lead'} to {what} "
        f"({listed(paths)}); give a row to each image, and take these out"
    )
