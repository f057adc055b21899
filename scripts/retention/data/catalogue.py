"""The index of a data set: its images in an order that depends on their ids alone."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.data.adapters import ADAPTERS


def index_images(dataset: str, definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """Return one row per image: sample_index, sample_id, path, label, class_name, group,
    official_split, width, height (pixels as stored).

    Raises `UserError` for repeated ids and for images that cannot be opened, all of them named.
    """
    adapter = ADAPTERS[definition["adapter"]]
    table = adapter.read_index(definition, raw_folder).sort_values("sample_id", ignore_index=True)
    repeated = table.loc[table["sample_id"].duplicated(), "sample_id"].unique()
    if len(repeated):
        raise UserError(f"{dataset}: sample_id {', '.join(repeated[:5])} stands more than once")
    sizes, bad = [], []
    for path in table["path"]:
        try:
            with adapter.open_image(definition, path) as image:
                sizes.append(image.size)
        except OSError as error:
            bad.append(f"{path}: is no readable image ({error})")
    if bad:
        raise UserError("\n".join(bad))
    names = sorted(table["class_name"].unique())
    if len(names) < 2:
        raise UserError(f"{dataset}: has {len(names)} class; a classifier needs two")
    table.insert(0, "sample_index", pd.Series(range(len(table)), dtype="int32"))
    table["label"] = table["class_name"].map({n: i for i, n in enumerate(names)}).astype("int16")
    table["width"] = pd.Series([width for width, _ in sizes], dtype="int32")
    table["height"] = pd.Series([height for _, height in sizes], dtype="int32")
    order = "sample_index sample_id path label class_name group official_split width height"
    return table[order.split()]
