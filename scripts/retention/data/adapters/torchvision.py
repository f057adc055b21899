"""Any classification set of torchvision.datasets by its class name.

torchvision (and with it torch) is imported when it is used: the other adapters start faster.
"""

import inspect
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import pandas as pd
from PIL import Image

from retention.common.errors import UserError
from retention.data.official import part_of

LABELS = ("targets", "_labels", "labels", "y")  # where torchvision's sets keep them


class ImageSet(Protocol):
    """What is taken of a set of torchvision: its samples, image and label first. Some keep the labels beside them, too."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int) -> tuple[Any, ...]: ...


def fetch(definition: Mapping, raw_folder: Path) -> None:
    """Let torchvision download and verify the set's parts into `raw_folder`."""
    for part in _parts(definition):
        _load(definition, str(raw_folder), part, download=True)


def read_index(definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """List the images of every part; `sample_id` is the part and the place in it."""
    tables = []
    for part in _parts(definition):
        data = _load(definition, str(raw_folder), part)
        labels = _labels(data)
        if None in labels:
            raise UserError(
                f"torchvision.datasets.{definition['name']}: the part {part} has images without labels; name in parts "
                "those that have them, such as parts: {train: {split: train}}"
            )
        names = getattr(data, "classes", None)
        rows = range(len(labels))
        table = pd.DataFrame({"sample_id": [f"{part}-{row:07d}" for row in rows]})
        table["path"] = [f"{raw_folder}::{part}::{row}" for row in rows]
        table["class_name"] = [str(names[y]) if names else f"{y:04d}" for y in labels]
        table["group"] = table["sample_id"]
        table["official_split"] = part if part_of(part) else ""
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def open_image(definition: Mapping, path: str) -> Image.Image:
    """Return the image that `read_index` gave the path."""
    folder, part, row = path.rsplit("::", 2)
    image = _load(definition, folder, part)[int(row)][0]
    return image if isinstance(image, Image.Image) else Image.fromarray(image)


def _parts(definition: Mapping) -> dict[str, dict]:
    """Return the constructor arguments of each part: as configured, or as the class takes them."""
    if "parts" in definition:
        return definition["parts"]
    kind = _kind(definition["name"])
    names = _parameters(kind)
    if "train" in names:
        return {"train": {"train": True}, "test": {"train": False}}
    if "split" in names and "split" not in definition.get("options", {}):
        return {part: {"split": part} for part in _splits(kind)}
    return {"all": {}}


def _parameters(kind: type) -> set[str]:
    """Return what a class can be constructed with: where it passes more on, to the class that it extends."""
    found: set[str] = set()
    for one in kind.__mro__:
        parameters = inspect.signature(one).parameters
        found |= set(parameters)
        if not any(value.kind is value.VAR_KEYWORD for value in parameters.values()):
            break
    return found


@cache
def _splits(kind: type) -> tuple[str, ...]:
    """Return the parts that a set has: torchvision names them where it is asked for one that there is not.

    What would be read twice is left out: `trainval` where there is `train`.
    """
    try:
        with TemporaryDirectory() as folder:
            kind(folder, split="?")
        told = ""
    except (
        ValueError,
        RuntimeError,
        OSError,
        TypeError,
    ) as error:  # some look for their files first
        told = str(error)
    known = re.findall(r"'([^']+)'", told.partition("Valid values are")[2])
    parts = [name for name in known if part_of(name)] or ["train", "test"]
    return tuple(name for name in parts if name != "trainval" or "train" not in parts)


def _kind(name: str) -> type:
    from torchvision import datasets

    kind = getattr(datasets, name, None)
    if not isinstance(kind, type):
        raise UserError(f"torchvision has no data set called {name!r}; see its documentation")
    return kind


def _load(definition: Mapping, folder: str, part: str, download: bool = False) -> ImageSet:
    arguments = {**definition.get("options", {}), **_parts(definition)[part]}
    return _cached(definition["name"], folder, json.dumps(arguments, sort_keys=True), download)


@cache
def _cached(name: str, folder: str, arguments: str, download: bool) -> ImageSet:
    kind = _kind(name)
    parameters = inspect.signature(kind).parameters
    given = json.loads(arguments)
    if "root" in parameters:
        given["root"] = folder
    if "download" in parameters:
        given["download"] = download
    try:
        return kind(**given)
    except (RuntimeError, OSError, ValueError, TypeError) as error:
        text = " ".join(str(error).split())[:300]
        place = f"; run again, or put its files by hand where it looks for them below {folder}"
        advice = place if download else ""
        raise UserError(f"torchvision.datasets.{name} with {arguments}: {text}{advice}") from error


def _labels(data: ImageSet) -> list[int | None]:
    for name in LABELS:
        values = getattr(data, name, None)
        if values is not None and len(values) == len(data):
            return [None if value is None else int(value) for value in values]
    return [int(data[row][1]) for row in range(len(data))]
