"""Training and held-out samples: the official split, or one that never cuts through a group."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.lists import counted, listed, plural
from retention.common.notes import tell
from retention.common.options import complete, without_defaults
from retention.common.randomness import generator
from retention.data.nearest_split import Groups, nearer, off
from retention.data.official import is_split, part_of

REMEDY = "split: {strategy: stratified_group} draws one"


def split_samples(images: pd.DataFrame, split: Mapping, dataset: str) -> pd.Series:
    """Return "train" or "test" for every row of `images`.

    With the strategy `auto` the split is the one that comes with the images, where each has a part. What is chosen,
    and what is not used, is noted.

    Raises `UserError` when a class is left without training samples, where nothing at all can be held out, and where only some images have a part. A
    class without held-out samples is no error: an official split may have it so, and a class of one group cannot be
    shared.
    """
    split = complete("split", split)
    if "official_split" not in images:
        images = images.assign(official_split="")
    parts = images["official_split"].map(part_of)
    if _is_official(images, parts, split["strategy"], dataset):
        assigned = _of_parts(images, parts)
        _tell_of_unused(split)
    else:
        draws = generator("split", dataset, split["seed"])
        assigned = _by_group(images, split, draws)
        _require_held_out(assigned, images, dataset)
    empty = sorted(set(images["class_name"]) - set(images.loc[assigned == "train", "class_name"]))
    if empty:
        raise UserError(f"{dataset}: no training image of class {listed(empty)}; {REMEDY}")
    return assigned


def _require_held_out(assigned: pd.Series, images: pd.DataFrame, dataset: str) -> None:
    """Raise `UserError` where groups leave no image at all to hold out."""
    if (assigned == "test").any():
        return
    if images.groupby("class_name")["group"].nunique().max() > 1:
        raise UserError(
            f"{dataset}: no image at all is held out, as each group dealt is the last of its class; set split: "
            "{search: true}, or give finer groups"
        )
    first = images.drop_duplicates("class_name").sort_values("class_name")
    groups = [
        f"{name}: {group}" for name, group in zip(first["class_name"], first["group"], strict=True)
    ]
    raise UserError(
        f"{dataset}: no image at all is held out, as each class is one group ({listed(groups)}); give finer groups, or "
        "train and test of your own (split: {strategy: official})"
    )


def _is_official(images: pd.DataFrame, parts: pd.Series, strategy: str, dataset: str) -> bool:
    """Return whether the split is the one that comes with the images; note what is not used."""
    words = images["official_split"]
    given = f"the split that comes with the images ({counted(words[words != ''].value_counts())})"
    if strategy == "official" or (strategy == "auto" and (parts != "").any()):
        _require_parts(images, parts, dataset)
    if strategy == "official" or (strategy == "auto" and is_split(words.unique())):
        return True
    if strategy == "stratified_group" and (parts != "").any():
        tell(f"{given} is not used: split.strategy is stratified_group")
    elif (parts != "").any():
        tell(f"{given} is not used: it takes train and another part to make one")
    elif (words != "").any():
        tell(f"{given} is not used: it has no names of parts (train, val, test)")
    elif strategy == "auto":
        tell("no split comes with the images: one is drawn by class, groups kept whole")
    return False


def _require_parts(images: pd.DataFrame, parts: pd.Series, dataset: str) -> None:
    """Raise `UserError` naming the images that have no part of the split that comes with them."""
    lacking = images[parts == ""]
    if len(lacking):
        words = counted((lacking["official_split"].map(repr)).value_counts())
        raise UserError(
            f"{dataset}: {len(lacking)} of {plural(len(images), 'image')} have no part of the official split (train, "
            f"val or test) but {words}, the first is {lacking['sample_id'].iloc[0]}; give each one, or {REMEDY}"
        )


def _of_parts(images: pd.DataFrame, parts: pd.Series) -> pd.Series:
    """Return the split that comes with the images, and note it: all that is not train is held out."""
    assigned = parts.where(parts == "train", "test")
    counts = parts.value_counts()
    held_out = counted(counts.drop("train", errors="ignore")) or "none"
    tell(f"the split of the images is used: {counts.get('train', 0)} train; held out: {held_out}")
    sides = assigned.groupby(images["group"]).nunique()
    if cut := int((sides > 1).sum()):
        tell(
            f"the split of the images cuts through {plural(cut, 'group')}: images of one group are in training and held out"
        )
    return assigned


def _tell_of_unused(split: Mapping) -> None:
    """Note what is asked of a drawn split where none is drawn."""
    if unused := sorted({"test_fraction", "seed"} & {*without_defaults("split", split)}):
        keys = " and ".join(f"split.{name}" for name in unused)
        tell(f"{keys} is not used, but the split of the images; {REMEDY}")


def _by_group(images: pd.DataFrame, split: Mapping, draws: np.random.Generator) -> pd.Series:
    """Hold out whole groups, of each class the share that is asked for.

    They are dealt; where a share is missed that other groups would meet, the nearest is searched.
    """
    fraction = split["test_fraction"]
    test = _dealt(images, fraction, draws)
    groups = Groups.of(images)
    held_out = np.isin(groups.names, list(test))
    if split["search"]:
        held_out = nearer(groups, held_out, fraction, draws)
    for name, share in off(groups, held_out, fraction).items():
        largest = groups.largest(name)
        nearest = (
            "no choice of whole groups was found that is nearer, all classes together, and leaves each class of several "
            "groups on both sides"
            if split["search"]
            else "split: {search: true} looks for the nearest choice"
        )
        tell(
            f"of class {name} a share of {share:.2f} is held out, not {fraction:g}: its largest group has "
            f"{plural(largest, 'image')}; {nearest}"
        )
    names = groups.names[held_out]
    return pd.Series(np.where(images["group"].isin(names), "test", "train"), index=images.index)


def _dealt(images: pd.DataFrame, fraction: float, draws: np.random.Generator) -> set[str]:
    """Return the groups to hold out: dealt, rarest class first, until each has its share.

    A group belongs to the rarest of its classes, so that the patient who is in two classes is
    dealt where it is needed most.
    """
    size = images["class_name"].value_counts()
    rarest = (
        images.assign(size=images["class_name"].map(size))
        .sort_values(["size", "class_name", "sample_id"])
        .drop_duplicates("group")
        .set_index("group")["class_name"]
    )
    test: set[str] = set()
    for name in sorted(size.index, key=lambda name: (size[name], name)):
        groups = draws.permutation(np.sort(rarest.index[rarest == name].to_numpy(dtype=object)))
        members = images[images["class_name"] == name]
        held_out = int(members["group"].isin(test).sum())
        # The last group stays in training: a class that is never trained cannot be forgotten.
        for group in groups[:-1]:
            if held_out >= max(1, round(fraction * len(members))):
                break
            test.add(group)
            held_out += int((members["group"] == group).sum())
    return test


def class_counts(index: pd.DataFrame) -> pd.DataFrame:
    """Return label, class_name and the numbers of training and held-out samples of each class."""
    counts = index.groupby(["label", "class_name", "split"]).size().unstack(fill_value=0)
    return counts.reindex(columns=["train", "test"], fill_value=0).reset_index()


def duplicates(index: pd.DataFrame) -> pd.DataFrame:
    """Return the images that share all their pixels with another one, side by side.

    Columns digest, sample_id, class_name, split, across_splits (bool: the same pixels are trained on
    and held out).
    """
    seen = index[index["digest"] != ""]  # samples without images have none
    shared = seen[seen["digest"].duplicated(keep=False)].sort_values(["digest", "sample_id"])
    table = shared[["digest", "sample_id", "class_name", "split"]].reset_index(drop=True)
    table["across_splits"] = table.groupby("digest")["split"].transform("nunique") > 1
    return table
