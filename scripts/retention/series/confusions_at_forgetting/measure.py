"""What training samples of each class are taken for at their forgetting events, counted over an architecture's runs.

| statistic | count | estimate |
|---|---|---|
| events | forgetting events of a class in all runs | the same per run |
| share | events at which the class was taken for the class at `taken_for` | share of the class's events |

Columns architecture, seeds (how many), statistic, place and class_name (of the true class), group (its family, empty without
families), taken_for (the place of the predicted class), count and estimate. Every class has a row `events` of each
architecture; pairs that never happened have none. Places are one order for all architectures: alike classes beside each
other, whole families together. A class that is predicted and has no training sample is called by its label.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from retention.common.columns import require_columns
from retention.common.csv_tables import TEXT, read_csv
from retention.common.errors import UserError
from retention.common.parquet_tables import read_parquet
from retention.findings.class_forgetting.structure import families_of
from retention.pages.sheet import read_sheet
from retention.runs.reading import identity_of
from retention.series.confusions_at_forgetting.alike import alike_order

COLUMNS = [
    *("architecture", "seeds", "statistic", "place", "class_name", "group", "taken_for"),
    *("count", "estimate"),
]
NEEDED = ["occasion", "label", "predicted", "count"]


def read(samples: Sequence[Path], confusions: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from samples.parquet and confusions.csv of the runs in one order.

    Raises `UserError` where the lists differ in length, and where a table has other labels or events than the samples.
    """
    if len(samples) != len(confusions):
        raise UserError(
            f"--confusions: names {len(confusions)} files, --samples {len(samples)}; name those of the same runs in the same order"
        )
    sheet = read_sheet(samples, statistics=[])
    training = sheet.samples[sheet.samples["split"] == "train"]
    names = training.drop_duplicates("label").set_index("label")["class_name"].sort_index()
    words = () if is_numeric_dtype(names.index) else ("label", "predicted")
    counts: dict[str, list[pd.DataFrame]] = {}
    for of_run, path in zip(samples, confusions, strict=True):
        table = _at_forgetting(path, words, names)
        _require_same_events(path, table, of_run)
        counts.setdefault(identity_of(of_run)["architecture"], []).append(table)
    return {"names": names, "counts": counts}


def measure(
    names: pd.Series,
    counts: Mapping[str, Sequence[pd.DataFrame]],
    families: str | Mapping[str, str] = "",
) -> pd.DataFrame:
    """Return the table, architectures by name, classes in their order.

    names: of the classes by label; counts: of each architecture's runs label, predicted and count at forgetting events;
    families: "last_word" of a class name, a map from class to family, or "" where there are none.
    """
    predicted = {
        label for tables in counts.values() for one in tables for label in one["predicted"]
    }
    unknown = sorted(predicted - set(names.index))
    names = pd.concat([names, pd.Series([f"label {label}" for label in unknown], unknown, str)])
    matrices = {name: _matrix(counts[name], names.index) for name in sorted(counts)}
    known = families_of(names.to_numpy(dtype=str), families)
    group = np.full(len(names), "") if known is None else known
    order = alike_order(np.mean([_shares(m) for m in matrices.values()], axis=0), group)
    pieces = [
        _of_architecture(
            matrix[np.ix_(order, order)], names.to_numpy()[order], group[order]
        ).assign(architecture=name, seeds=len(counts[name]))
        for name, matrix in matrices.items()
    ]
    table = pd.concat(pieces, ignore_index=True)
    table.loc[table["statistic"] == "events", "estimate"] /= table["seeds"]
    return table[COLUMNS]


def _at_forgetting(path: Path, words: Sequence[str], names: pd.Series) -> pd.DataFrame:
    table = read_csv(path, {*TEXT, *words})
    require_columns(path, table.columns, NEEDED)
    unknown = sorted(set(table["label"]) - set(names.index), key=str)
    if unknown:
        raise UserError(
            f"{path}: {unknown[0]} is no label of --samples, which has {names.index[0]} to {names.index[-1]}; name the "
            "files of the same runs in the same order"
        )
    return table.loc[table["occasion"] == "forgetting", ["label", "predicted", "count"]]


def _require_same_events(path: Path, table: pd.DataFrame, of_run: Path) -> None:
    """Raise `UserError` where a table counts other forgetting events of a class than the run's samples have."""
    samples = read_parquet(of_run, ["split", "label", "forgetting_events"])
    training = samples[samples["split"] == "train"]
    expected = training.groupby("label")["forgetting_events"].sum()
    counted = table.groupby("label")["count"].sum().reindex(expected.index, fill_value=0)
    wrong = (expected != counted).to_numpy()
    if wrong.any():
        label = expected.index[wrong][0]
        raise UserError(
            f"{path}: counts {counted[label]:.0f} forgetting events of the label {label}, {of_run} has "
            f"{expected[label]:.0f}; name the files of the same runs in the same order"
        )


def _matrix(tables: Sequence[pd.DataFrame], labels: pd.Index) -> np.ndarray:
    """Return how often each class was taken for each other at its forgetting events, int [C, C]."""
    matrix = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for table in tables:
        places = labels.get_indexer(table["label"]), labels.get_indexer(table["predicted"])
        np.add.at(matrix, places, table["count"].to_numpy(dtype=np.int64))
    return matrix


def _shares(matrix: np.ndarray) -> np.ndarray:
    """Return the share of each class's events by what it was taken for, float [C, C]; 0 of a class without events."""
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


def _of_architecture(matrix: np.ndarray, names: np.ndarray, group: np.ndarray) -> pd.DataFrame:
    events, shares = matrix.sum(axis=1), _shares(matrix)
    of_classes = {"statistic": "events", "place": np.arange(len(matrix)), "taken_for": pd.NA}
    of_classes |= {"count": events, "estimate": events.astype(float)}
    place, taken_for = np.nonzero(matrix)
    of_pairs = {"statistic": "share", "place": place, "taken_for": taken_for}
    of_pairs |= {"count": matrix[place, taken_for], "estimate": shares[place, taken_for]}
    pieces = [pd.DataFrame(of).astype({"taken_for": "Int64"}) for of in (of_classes, of_pairs)]
    table = pd.concat(pieces, ignore_index=True)
    return table.assign(class_name=names[table["place"]], group=group[table["place"]])
