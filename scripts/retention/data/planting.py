"""Labels planted wrong: a known share of the training samples, so that what finds wrong labels can be held against the truth.

A label belongs to an image, and duplicates of a group may differ: samples are changed one by one, groups are counted. What
a copy of an index with such labels has beside it are the true labels, in columns that no training reads.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.lists import plural
from retention.common.notes import tell

RANDOM, CONFUSIONS = "random", "confusions"
KINDS = (RANDOM, CONFUSIONS)
# Judgements. A class that gains more, or keeps fewer, would be another class to learn: what is measured then is no longer
# how wrong labels are found among right ones.
MOST_GAINED = 0.1  # of a class's size
LEAST_KEPT = 5  # samples of its own
TRUE = {"label": "true_label", "class_name": "true_class_name"}
COLUMNS = ("sample_index", "sample_id", "group", "label", "class_name")


def planted(
    index: pd.DataFrame, share: float, likelihood: np.ndarray, draws: np.random.Generator
) -> pd.DataFrame:
    """Return a copy of an index in which a share of the training samples has a wrong label.

    likelihood: float [C, C], of the classes in the order of their labels: how likely a sample of the class of the row is
    given the label of the column; the diagonal counts for nothing. Samples are drawn uniformly. A class gains at most a
    tenth of its training samples and keeps at least five of its own, so it may be that fewer are changed: that is noted.
    Adds the columns `true_label` and `true_class_name`. Raises `UserError` where no label can be changed.
    """
    names = class_names(index)
    if len(names) < 2:
        raise UserError(
            f"the data set has one class, {names.iloc[0]}, so that no label can be another"
        )
    training = np.flatnonzero((index["split"] == "train").to_numpy())
    own = names.index.get_indexer(index["label"].iloc[training])
    asked = round(share * len(training))
    changed = _drawn(own, asked, likelihood, draws)
    _tell(asked, len(changed), len(training), share)
    copy = index.assign(**{true: index[name] for name, true in TRUE.items()})
    rows, classes = training[[*changed]], [*changed.values()]
    for name, values in (("label", names.index), ("class_name", names)):
        column = copy[name].to_numpy(copy=True)
        column[rows] = np.asarray(values)[classes]
        copy[name] = column
    return copy.astype({name: index[name].dtype for name in TRUE})


def class_names(index: pd.DataFrame) -> pd.Series:
    """Return the class names of an index by label, in the order of the labels."""
    return index.drop_duplicates("label").set_index("label")["class_name"].sort_index()


def uniform(classes: int) -> np.ndarray:
    """Return the likelihood of labels that are wrong at random: of every other class the same, float [C, C]."""
    return 1.0 - np.eye(classes)


def confused(index: pd.DataFrame, tables: Iterable[pd.DataFrame]) -> np.ndarray:
    """Return the likelihood of labels that are wrong as runs are: how often they took a class for another, float [C, C].

    tables: confusions.csv of each run. Raises `UserError` where the runs confuse no two classes.
    """
    labels = class_names(index).index
    counts = np.zeros((len(labels), len(labels)))
    for table in tables:
        known = table[table["label"].isin(labels) & table["predicted"].isin(labels)]
        places = (labels.get_indexer(known[name]) for name in ("label", "predicted"))
        np.add.at(counts, tuple(places), known["count"].to_numpy(dtype=float))
    np.fill_diagonal(counts, 0.0)
    if not counts.any():
        raise UserError(
            "the runs take no training sample for one of another class, so that there are no confusions to plant by; "
            "leave confusions out of planted.kinds"
        )
    return counts


def planted_rows(copy: pd.DataFrame) -> pd.DataFrame:
    """Return the samples whose label was changed, as planted.csv has them.

    Columns sample_index, sample_id, group, label and class_name (the true ones), planted_label, planted_class_name.
    """
    changed = copy[copy["label"] != copy[TRUE["label"]]].sort_values("sample_index")
    rows = changed.assign(
        planted_label=changed["label"],
        planted_class_name=changed["class_name"],
        **{name: changed[true] for name, true in TRUE.items()},
    )
    return rows[[*COLUMNS, "planted_label", "planted_class_name"]].reset_index(drop=True)


def _drawn(
    own: np.ndarray, asked: int, likelihood: np.ndarray, draws: np.random.Generator
) -> dict[int, int]:
    """Return the class that each chosen sample is given, by its place in `own` (int [N], classes of training samples)."""
    sizes = np.bincount(own, minlength=len(likelihood))
    room, spare = np.floor(MOST_GAINED * sizes + 1e-9).astype(int), sizes - LEAST_KEPT
    likelihood = np.where(np.eye(len(likelihood), dtype=bool), 0.0, likelihood)
    found: dict[int, int] = {}
    for place in draws.permutation(len(own)):
        if len(found) == asked or not room.any():
            break
        weights = likelihood[own[place]] * (room > 0)
        if spare[own[place]] <= 0 or not weights.any():
            continue
        taken = int(draws.choice(len(weights), p=weights / weights.sum()))
        found[int(place)] = taken
        room[taken] -= 1
        spare[own[place]] -= 1
    return found


def _tell(asked: int, changed: int, training: int, share: float) -> None:
    """Note how many labels are wrong; raise `UserError` where there are none."""
    why = f"no class may gain more than {MOST_GAINED:.0%} of its training samples or keep fewer than {LEAST_KEPT} of its own"
    if not asked:
        raise UserError(
            f"a share of {share:g} of {plural(training, 'training sample')} is none; raise planted.share"
        )
    if not changed:
        raise UserError(f"no label can be planted wrong: {why}")
    tell(f"{plural(changed, 'label')} of {plural(training, 'training sample')} are planted wrong")
    if changed < asked:
        tell(f"{asked} were asked for: {why}")
