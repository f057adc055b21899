"""The index of a data set: its images in an order that depends on their ids alone."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from retention.common.errors import UserError
from retention.common.escapes import escaped
from retention.common.lists import SHOWN, counted, listed, plural
from retention.common.notes import tell
from retention.common.options import complete
from retention.common.parts import load_part
from retention.data.inspection import inspect, notes_on_pixels
from retention.data.leaving_out import allowing, quarantining
from retention.data.names import large_groups, missing_labels
from retention.data.official import is_split, part_of
from retention.data.ranges import note_on_clipped, notes_on_range, require_plausible_range
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
LEFT_OUT = ["sample_id", "path", "reason"]
UNREADABLE = "cannot be decoded"


def index_images(
    dataset: str, definition: Mapping, raw_folder: Path, workers: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the index and what is left out of it (sample_id, path, reason).

    The index has one row per image: `COLUMNS`, with width and height upright and in pixels, and a
    digest of the decoded pixels. Every image is decoded once, by `workers` processes. Adapters give rows that are
    not read a reason in a column `left_out`.

    Samples of which no image is known, their path is "", have neither size nor digest: 0, 0 and "".

    Raises `UserError` for a set without images, for repeated ids, for images that cannot be decoded
    unless the definition says `on_bad_image: quarantine`, where more is left out than `max_left_out` allows, for
    pixels that use little of their range, and for a class that would vanish.
    """
    adapter = load_part("retention.data.adapters", definition["adapter"])
    table = adapter.read_index(definition, raw_folder)
    if table.empty:
        raise UserError(f"{dataset}: lists no image")
    table = table.sort_values("sample_id", ignore_index=True)
    if (table["path"] == "").all():
        _require_unique(dataset, table["sample_id"])
        return _without_images(dataset, definition, table), pd.DataFrame(columns=LEFT_OUT)
    classes = set(table["class_name"]) - {""}  # "" is for what lies in no class folder
    parts = set(table["official_split"].map(part_of)) if "official_split" in table else set()
    table, left_out = _without_left_out(table)
    reasons = Counter(left_out["reason"])
    require_few_left_out(dataset, definition, left_out, reasons, len(table))
    _require_unique(dataset, table["sample_id"])
    found = in_order(partial(inspect, definition), table["path"].tolist(), workers)
    results = list(tqdm(found, total=len(table), desc=f"{dataset}: decoding", unit="img"))
    bad = pd.Series([isinstance(result, str) for result in results], dtype=bool)
    quarantined = table.loc[bad, ["sample_id", "path"]]
    quarantined["reason"] = [result for result in results if isinstance(result, str)]
    if bad.any():
        advice = _way_on(definition, bad, left_out, classes - set(table.loc[~bad, "class_name"]))
        _stop_or_go_on(dataset, definition, quarantined, advice)
        reasons[UNREADABLE] += len(quarantined)
        left_out = pd.concat([left_out, quarantined]).sort_values("sample_id", ignore_index=True)
    table = table[~bad].reset_index(drop=True)
    if vanished := sorted(classes - set(table["class_name"])):
        raise UserError(
            f"{dataset}: no readable image is left of class {listed(vanished)}; mend its images"
        )
    require_few_left_out(dataset, definition, left_out, reasons, len(table))
    _require_parts(dataset, parts, table)
    seen = [result for result in results if not isinstance(result, str)]
    if "bits" not in definition:
        require_plausible_range(dataset, seen)
    table["width"] = pd.Series([one.width for one in seen], dtype="int32")
    table["height"] = pd.Series([one.height for one in seen], dtype="int32")
    table["digest"] = [one.digest for one in seen]
    table = _labelled(dataset, table)
    on_range = (
        note_on_clipped(seen, table["sample_id"], definition["bits"])
        if "bits" in definition
        else notes_on_range(seen, table["class_name"])
    )
    for line in (
        *_on_left_out(dataset, left_out, reasons, len(table)),
        *notes_on(table, definition),
        *notes_on_pixels(seen, table["sample_id"]),
        *on_range,
    ):
        tell(line)
    return table, left_out


def _without_images(dataset: str, definition: Mapping, table: pd.DataFrame) -> pd.DataFrame:
    """Return the index of samples that have no images."""
    tell("has no images: it can not be trained on, and pages show its samples without pictures")
    for line in large_groups(table, definition):
        tell(line)
    table = table.assign(width=0, height=0, digest="").astype({"width": "int32", "height": "int32"})
    return _labelled(dataset, table)


def require_few_left_out(
    dataset: str, definition: Mapping, left_out: pd.DataFrame, reasons: Counter, read: int
) -> None:
    """Raise `UserError` where a larger share of the files is left out than the definition allows.

    left_out: as `index_images` returns it; reasons: how many for what; read: how many are read.
    """
    share = len(left_out) / max(len(left_out) + read, 1)
    most = complete("dataset", definition)["max_left_out"]
    if share > most:
        raise UserError(
            f"{dataset}: {_how_many(left_out, read)}, more than max_left_out: {most:g} allows: {counted(reasons)}; "
            f"mend or convert them ({listed(left_out['path'].tolist())}), or set max_left_out: "
            f"{allowing(share)} in dataset_definitions.{dataset}"
        )


def notes_on(table: pd.DataFrame, definition: Mapping) -> Iterator[str]:
    """Yield one sentence per thing about an index that its owner should know."""
    counts = table["class_name"].value_counts()
    if single := sorted(counts.index[counts == 1]):
        yield (
            f"a single image of class {listed(single)}; it will be in training, "
            "and nothing of the class is held out"
        )
    yield from missing_labels(table["class_name"], definition)
    yield from large_groups(table, definition)
    if repeated := int(table["digest"].duplicated(keep=False).sum()):
        labels = table.groupby("digest")["class_name"].transform("nunique")
        split = table.loc[labels > 1, "sample_id"]
        more = (
            f"; {len(split)} of them stand in two classes or more, the first is {split.iloc[0]}"
            if len(split)
            else ""
        )
        yield f"{repeated} images have the same pixels as another one{more}"


def _without_left_out(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that are to be read, and `LEFT_OUT` of the others."""
    if "left_out" not in table:
        return table, pd.DataFrame(columns=LEFT_OUT)
    out = table["left_out"] != ""
    left_out = table[out].rename(columns={"left_out": "reason"})
    return table[~out].reset_index(drop=True), left_out[LEFT_OUT].reset_index(drop=True)


def _require_unique(dataset: str, ids: pd.Series) -> None:
    repeated = ids[ids.duplicated()].unique().tolist()
    if repeated:
        raise UserError(
            f"{dataset}: {plural(len(repeated), 'sample_id')} stand more than once: {listed(repeated)}; give each "
            "image its own"
        )


def _require_parts(dataset: str, parts: set[str], table: pd.DataFrame) -> None:
    """Raise `UserError` where so much of a split is lost that another would be drawn in silence; else tell of what is.

    parts: those of all images, before any was left out.
    """
    if not is_split(parts - {""}):
        return
    left = set(table["official_split"].map(part_of)) - {""}
    if not (lost := sorted(parts - {""} - left)):
        return
    told = f"no readable image is left of {listed(lost)} in the split that comes with the images"
    if is_split(left):
        tell(f"{told}; {listed(sorted(left))} are used")
    else:
        raise UserError(
            f"{dataset}: {told}; mend its images, or take the parts out of the table or folders to have a split drawn"
        )


def _way_on(
    definition: Mapping, bad: pd.Series, left_out: pd.DataFrame, vanishing: set[str]
) -> str:
    """Return what to do about bad images (bool, one per image that is read): keys that suffice, if any do."""
    if vanishing:
        return (
            f"mend these images: without them no image is left of class {listed(sorted(vanishing))}"
        )
    share = (int(bad.sum()) + len(left_out)) / (len(bad) + len(left_out))
    return f"mend or remove these images, or {quarantining(definition, share)}"


def _stop_or_go_on(
    dataset: str, definition: Mapping, quarantined: pd.DataFrame, advice: str
) -> None:
    """Raise `UserError` naming bad images, the first ten, unless they are to be quarantined."""
    if complete("dataset", definition)["on_bad_image"] == "quarantine":
        return
    lines = [
        escaped(f"{row.path}: {UNREADABLE} ({row.reason})")
        for row in quarantined[:SHOWN].itertuples()
    ]
    number = plural(len(quarantined), "bad image")
    which = f", the first {SHOWN} above" if len(quarantined) > SHOWN else ""
    raise UserError("\n".join([*lines, f"{dataset}: {number}{which}; {advice}"]))


def _how_many(left_out: pd.DataFrame, read: int) -> str:
    verb = "is" if len(left_out) == 1 else "are"
    return f"{len(left_out)} of {len(left_out) + read} files {verb} left out"


def _on_left_out(
    dataset: str, left_out: pd.DataFrame, reasons: Counter, read: int
) -> Iterator[str]:
    if len(left_out):
        yield (
            f"{_how_many(left_out, read)}: {counted(reasons)}; data/index/{dataset}/quarantine.csv names them"
        )


def _labelled(dataset: str, table: pd.DataFrame) -> pd.DataFrame:
    names = sorted(table["class_name"].unique())
    if len(names) < 2:
        raise UserError(f"{dataset}: has {len(names)} class; a classifier needs two")
    table.insert(0, "sample_index", pd.Series(range(len(table)), dtype="int32"))
    if "label" not in table:
        table["label"] = table["class_name"].map({n: i for i, n in enumerate(names)})
    table["label"] = table["label"].astype("int16")
    return table[COLUMNS]
