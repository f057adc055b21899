"""Training and held-out samples: the official split, or one that never cuts through a group."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.options import complete
from retention.common.randomness import generator


def split_samples(images: pd.DataFrame, split: Mapping, dataset: str) -> pd.Series:
    """Return "train" or "test" for every row of `images`.

    Raises `UserError` when a class is left without training samples. One without held-out samples
    is no error: an official split may have it so, and a class of one group cannot be shared.
    """
    split = complete("split", split)
    if split["strategy"] == "official":
        assigned = images["official_split"]
        wrong = images.loc[~assigned.isin(["train", "test"]), "sample_id"]
        if len(wrong):
            raise UserError(
                f"{dataset}: {len(wrong)} images have no official split (train or test), the first "
                f"is {wrong.iloc[0]}; set split.strategy: stratified_group"
            )
    else:
        draws = generator("split", dataset, split["seed"])
        assigned = _by_group(images, split["test_fraction"], draws)
    empty = sorted(set(images["class_name"]) - set(images.loc[assigned == "train", "class_name"]))
    if empty:
        raise UserError(f"{dataset}: no training image of class {', '.join(empty)}")
    return assigned


def _by_group(images: pd.DataFrame, fraction: float, draws: np.random.Generator) -> pd.Series:
    """Send whole groups to the held-out side, rarest class first, until each has its share.

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
    return pd.Series(np.where(images["group"].isin(test), "test", "train"), index=images.index)


def class_counts(index: pd.DataFrame) -> pd.DataFrame:
    """Return label, class_name and the numbers of training and held-out samples of each class."""
    counts = index.groupby(["label", "class_name", "split"]).size().unstack(fill_value=0)
    return counts.reindex(columns=["train", "test"], fill_value=0).reset_index()


def duplicates(index: pd.DataFrame) -> pd.DataFrame:
    """Return the images that share all their pixels with another one, side by side.

    Columns digest, sample_id, class_name, split, across_splits (bool: the same pixels are trained on
    and held out).
    """
    shared = index[index["digest"].duplicated(keep=False)].sort_values(["digest", "sample_id"])
    table = shared[["digest", "sample_id", "class_name", "split"]].reset_index(drop=True)
    table["across_splits"] = table.groupby("digest")["split"].transform("nunique") > 1
    return table
