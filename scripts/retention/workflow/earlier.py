"""What changes in a study that was made before data sets had notes: said before its jobs run, with the key that keeps it.

Newer results have notes beside them and are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from retention.common.errors import UserError
from retention.common.options import complete

if TYPE_CHECKING:
    import pandas as pd

# Sets of torchvision of which only train and test were read.
MORE_PARTS = {"Flowers102", "DTD", "FGVCAircraft", "RenderedSST2", "Country211", "PCAM"}


def changes(study: Mapping, results: str | Path, datasets: list[str]) -> Iterator[str]:
    """Yield a line per data set of a study of which something is made otherwise than before.

    study: that of `load_study`; results: the study's folder.
    """
    for name in datasets:
        index, definition = Path(results, name, "index.parquet"), study["datasets"][name]
        if index.is_file() and not (index.parent / "notes.txt").exists():
            try:
                yield from _changes(name, definition, study["splits"][name], index)
            except (
                ImportError,
                UserError,
            ):  # Snakemake alone may have no pandas; jobs say what is wrong
                continue


def _changes(name: str, definition: Mapping, split: Mapping, index: Path) -> Iterator[str]:
    from retention.common.parquet_tables import read_parquet

    columns = ["sample_id", "path", "class_name", "group", "official_split", "split"]
    images = read_parquet(index, [*columns, "width", "height"])
    place = f"dataset_definitions.{name}"
    if found := _reading(definition, images) or _split(name, definition, split, images):
        reason, key = found
        yield f"{place}: {reason}; {key} keeps what there is"
    most = complete("dataset", definition)["max_aspect"]
    sides = images[["width", "height"]]
    longest = (sides.max(axis=1) / sides.min(axis=1)).max()
    if longest > most:
        yield (
            f"{place}: images longer than {most:g} short sides are now squeezed to that; max_aspect: "
            f"{longest + 1:.0f} keeps what there is"
        )
    inverted = complete("dataset", definition)["white_is_zero"] == "invert"
    if inverted and any(map(_has_white_zero, images["path"])):
        yield (
            f"{place}: 16-bit TIFFs whose header says that 0 is white are now inverted; white_is_zero: keep keeps what "
            "there is"
        )


def _has_white_zero(path: str) -> bool:
    """Return whether a file is a TIFF of 16 bits in which 0 is white; its header alone is read."""
    if not path.lower().endswith((".tif", ".tiff")):
        return False
    from PIL import Image

    from retention.data.depth import is_white_zero

    try:
        with Image.open(path) as image:
            return is_white_zero(image)
    except Exception:  # whatever is wrong with a file the index says
        return False


def _reading(definition: Mapping, images: pd.DataFrame) -> tuple[str, str] | None:
    """Return why other images or classes will be listed, and the key against it."""
    from retention.data.official import level_of_parts

    options = complete("dataset", definition)
    if "parts" not in options and options.get("name") in MORE_PARTS:
        parts = "{train: {split: train}, test: {split: test}}"
        return "all parts of the set are now read", f"parts: {parts}"
    ids = [name for name in images["sample_id"] if "/" in name]
    if options["adapter"] == "imagefolder" and options["part_folders"] and ids:
        level = level_of_parts(ids, options["folder"])
        if level == 0:
            return (
                "its first folders are now the parts of a split, no longer classes",
                "part_folders: false",
            )
        if level and not images["official_split"].any():
            return "the folders in its classes are now the parts of a split", "part_folders: false"
        if linked := _behind_links(options["folder"], {*ids}):
            return f"{linked} images behind links to folders are now read", "taking the links away"
    if options["system_files"] != "read" and _of_systems(options["adapter"], images):
        return "files that systems leave are now passed over", "system_files: read"
    return None


def _of_systems(adapter: str, images: pd.DataFrame) -> bool:
    """Return whether images of a table or folder are files that systems leave, by their paths or those below the folder."""
    from retention.data.listed_files import kind_of_system, kinds_of_systems

    if adapter == "csv":
        return any(kinds_of_systems(images["path"]).values())
    return adapter == "imagefolder" and any(
        kind_of_system(name.split("/")) for name in images["sample_id"]
    )


def _behind_links(folder: str, known: set[str]) -> int:
    """Return how many images there are behind links to folders that are not yet known."""
    from retention.data.image_files import files_below

    new = [Path(name) for name in files_below(Path(folder)).images if name not in known]
    return sum(any(Path(folder, way).is_symlink() for way in name.parents) for name in new)


def _split(
    name: str, definition: Mapping, split: Mapping, images: pd.DataFrame
) -> tuple[str, str] | None:
    """Return why images will change sides, and the key against it."""
    from retention.data.names import own_groups
    from retention.data.splits import split_samples

    def moved(images: pd.DataFrame) -> int:
        return int((split_samples(images, split, name) != images["split"]).sum())

    if definition["adapter"] == "csv":
        own = own_groups(images["group"], images["sample_id"], definition)
        if (own != images["group"]).any():
            return "images whose group is missing are now each their own", "missing_groups: []"
    if not moved(images):
        return None
    drawn = {**split, "strategy": "stratified_group"}
    if "strategy" not in split and (split_samples(images, drawn, name) == images["split"]).all():
        return (
            f"{moved(images)} images change sides, since the split that comes with them is now used",
            "split: {strategy: stratified_group}",
        )
    return (
        f"{moved(images)} images change sides, since a share was missed by more than 2 points",
        "split: {search: false}",
    )
