"""The index of a data set: its images in an order that depends on their ids alone."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from retention.common.errors import UserError
from retention.common.notes import tell
from retention.common.options import complete
from retention.common.parts import load_part
from retention.data.inspection import inspect, notes_on_pixels, require_plausible_range
from retention.data.workers import in_order

COLUMNS = [
    "sample_index",
    "sample_id",
    "path",
    "label",
    "class_name",
    "group",
    "official_split",
    "width",
    "height",
    "digest",
]


def index_images(
    dataset: str, definition: Mapping, raw_folder: Path, workers: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the index and the quarantined images (sample_id, path, reason).

    The index has one row per image: `COLUMNS`, with width and height upright and in pixels, and a
    digest of the decoded pixels. Every image is decoded once, by `workers` processes.

    Raises `UserError` for a set without images, for repeated ids, for images that cannot be decoded (all of them named)
    unless the definition says `on_bad_image: quarantine`, and for a class that would vanish.
    """
    adapter = load_part("retention.data.adapters", definition["adapter"])
    table = adapter.read_index(definition, raw_folder)
    if table.empty:
        raise UserError(f"{dataset}: lists no image")
    table = table.sort_values("sample_id", ignore_index=True)
    repeated = table.loc[table["sample_id"].duplicated(), "sample_id"].unique()
    if len(repeated):
        raise UserError(f"{dataset}: sample_id {', '.join(repeated[:5])} stands more than once")
    found = in_order(partial(inspect, definition), table["path"].tolist(), workers)
    results = list(tqdm(found, total=len(table), desc=f"{dataset}: decoding", unit="img"))
    bad = pd.Series([isinstance(result, str) for result in results], dtype=bool)
    quarantined = table.loc[bad, ["sample_id", "path"]]
    quarantined["reason"] = [result for result in results if isinstance(result, str)]
    if bad.any() and complete("dataset", definition)["on_bad_image"] == "stop":
        lines = [
            f"{row.path}: cannot be decoded ({row.reason})" for row in quarantined.itertuples()
        ]
        advice = (
            "mend or remove these images, or set on_bad_image: quarantine to go on without them"
        )
        raise UserError("\n".join([*lines, f"{dataset}: {len(lines)} bad image(s); {advice}"]))
    vanished = sorted(set(table["class_name"]) - set(table.loc[~bad, "class_name"]))
    if vanished:
        raise UserError(
            f"{dataset}: no readable image is left of class {', '.join(vanished)}; mend its images"
        )
    table = table[~bad].reset_index(drop=True)
    seen = [result for result in results if not isinstance(result, str)]
    if "bits" not in definition:
        require_plausible_range(dataset, seen)
    table["width"] = pd.Series([one.width for one in seen], dtype="int32")
    table["height"] = pd.Series([one.height for one in seen], dtype="int32")
    table["digest"] = [one.digest for one in seen]
    table = _labelled(dataset, table)
    told = [line.removeprefix(f"warning: {dataset}: ") for line in warnings_about(dataset, table)]
    for line in (*told, *notes_on_pixels(seen, table["sample_id"])):
        tell(line)
    return table, quarantined


def warnings_about(dataset: str, table: pd.DataFrame) -> list[str]:
    """Return one line per thing about an index that its owner should know."""
    counts = table["class_name"].value_counts()
    single = sorted(counts.index[counts == 1])
    lines = []
    if single:
        lines.append(
            f"warning: {dataset}: a single image of class {', '.join(single)}; it will be in training, "
            "and nothing of the class is held out"
        )
    repeated = table["digest"].duplicated(keep=False).sum()
    if repeated:
        lines.append(f"warning: {dataset}: {repeated} images have the same pixels as another one")
    return lines


def _labelled(dataset: str, table: pd.DataFrame) -> pd.DataFrame:
    names = sorted(table["class_name"].unique())
    if len(names) < 2:
        raise UserError(f"{dataset}: has {len(names)} class; a classifier needs two")
    table.insert(0, "sample_index", pd.Series(range(len(table)), dtype="int32"))
    table["label"] = table["class_name"].map({n: i for i, n in enumerate(names)}).astype("int16")
    return table[COLUMNS]
