"""An index of samples, with their labels and splits, as `TraceRecorder.write_index` writes it: Parquet or CSV.

`table` names it; `folder` is where its images are, if there are any. Columns: `label`, whole numbers from 0, and
optionally `sample_id`, `sample_index`, `class_name`, `split`, `group` and `path`. Without images a data set can not be
trained on: all its runs are `own_runs`.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from retention.common.columns import require_columns
from retention.common.errors import UserError
from retention.common.lists import listed, plural
from retention.common.notes import tell
from retention.common.parquet_tables import read_parquet
from retention.data.image_files import fault_of, open_image
from retention.data.typed_tables import read_typed

__all__ = ["has_images", "open_image", "read_index", "read_table"]

KINDS = (".parquet", ".csv")


def read_index(definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """List the samples; `label` is kept as it is, and `path` is "" for all where there are no images.

    Raises `UserError` for a table that is no index, and for images that are not there.
    """
    file = Path(definition["table"])
    table = read_table(file)
    _tell_of_gaps(file, table["label"])
    paths = _paths(definition, file, table)
    faults = paths.map(fault_of)
    if (wrong := faults != "").any():
        raise UserError(
            f"{file}: {int(wrong.sum())} of {plural(len(table), 'sample')} lead to no image ({faults[wrong].iloc[0]}): "
            f"{listed(paths[wrong])}; say in folder: where the paths begin, or leave folder and path away to go on "
            "without images"
        )
    return pd.DataFrame(
        {
            "sample_id": table["sample_id"],
            "path": paths if len(paths) else "",
            "label": table["label"],
            "class_name": table["class_name"],
            "group": table["group"],
            "official_split": table["split"],
        }
    )


def has_images(definition: Mapping) -> bool:
    """Tell whether a definition, or the index that it names, says where images are."""
    file = Path(definition["table"])
    return "folder" in definition or (file.is_file() and "path" in _read(file))


def read_table(file: Path) -> pd.DataFrame:
    """Return an index with `sample_index` (int64), `sample_id`, `label` (int64), `class_name`, `split` and `group`.

    What the file does not say is completed: samples are numbered as its rows, called by their numbers, of the split
    train, and groups of their own; classes are called by their labels. Raises `UserError` where labels are no whole
    numbers, or samples stand twice.
    """
    table = _read(file)
    if not len(table):
        raise UserError(f"{file}: has no row; give one row per sample")
    require_columns(file, table.columns, ["label"], "; an index has a row per sample")
    table["label"] = _whole(file, table, "label")
    if "sample_index" not in table:
        table["sample_index"] = range(len(table))
    table["sample_index"] = _whole(file, table, "sample_index")
    for name, other in (("sample_id", "sample_index"), ("class_name", "label")):
        if name not in table:
            table[name] = table[other]
        table[name] = table[name].astype(str)
    if "split" not in table:
        table["split"] = "train"
    table["group"] = table["group"].astype(str) if "group" in table else table["sample_id"]
    for name in ("sample_id", "sample_index"):
        twice = table[name][table[name].duplicated()].unique().tolist()
        if twice:
            raise UserError(
                f"{file}: {name} {listed(map(str, twice))} stand more than once; give each sample one row"
            )
    _require_one_name_a_label(file, table)
    return table


def _tell_of_gaps(file: Path, labels: pd.Series) -> None:
    """Note labels that are not 0 to K - 1: between them a network has classes of which no sample is known."""
    there = set(labels)
    if absent := [str(label) for label in range(max(there) + 1) if label not in there]:
        tell(
            f"{file}: no sample has the label {listed(absent)}; networks are taken to have {max(there) + 1} classes"
        )


def _read(file: Path) -> pd.DataFrame:
    if file.suffix not in KINDS:
        raise UserError(f"{file}: is no index; expected a file that ends in {' or '.join(KINDS)}")
    if file.suffix == ".csv":
        return read_typed(file, ["label"]).reset_index(drop=True)
    return read_parquet(file)


def _whole(file: Path, table: pd.DataFrame, name: str) -> pd.Series:
    """Return a column as int64; raise `UserError` where a value is no whole number from 0."""
    values = pd.to_numeric(table[name], errors="coerce")
    wrong = ~(values >= 0) | (values % 1 != 0)
    if wrong.any():
        raise UserError(
            f"{file}: {name} of {plural(int(wrong.sum()), 'row')} is no whole number from 0: "
            f"{listed(table[name][wrong].map(repr))}; names of classes go into a column class_name"
        )
    return values.astype("int64")


def _require_one_name_a_label(file: Path, table: pd.DataFrame) -> None:
    pairs = table[["label", "class_name"]].drop_duplicates()
    for name, other in (("label", "class_name"), ("class_name", "label")):
        if len(twice := pairs[pairs[name].duplicated(keep=False)]):
            said = [f"{row.label} {row.class_name}" for row in twice.sort_values(name).itertuples()]
            raise UserError(
                f"{file}: a {name} stands with several values of {other}: {listed(said)}; give each class one of both"
            )


def _paths(definition: Mapping, file: Path, table: pd.DataFrame) -> pd.Series:
    """Return where each image is, or nothing where there are none."""
    named = table["path"] if "path" in table else table["sample_id"]
    if "folder" not in definition and "path" not in table:
        return pd.Series(dtype=str)
    folder = Path(definition["folder"]) if "folder" in definition else file.parent
    return named.map(lambda path: (folder / str(path)).as_posix())
