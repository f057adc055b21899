"""Traces of a training of one's own in the numbering of a study: which of the study's samples each of theirs is."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from retention.common.errors import UserError
from retention.common.files import atomic_path
from retention.common.lists import listed, plural
from retention.common.parquet_tables import with_metadata

TYPES = {
    "split": pa.string(),
    "sample_index": pa.int32(),
    "epoch": pa.int16(),
    "correct": pa.bool_(),
    "loss": pa.float32(),
    "margin": pa.float32(),
    "confidence": pa.float32(),
    "error_norm": pa.float32(),
    "predicted": pa.int16(),
    "presentations": pa.int32(),
}


def places_in(
    path: Path, keys: pd.DataFrame, index: pd.DataFrame, own: pd.DataFrame | None = None
) -> np.ndarray:
    """Return the `sample_index` that each sample of traces has in a study, int64 [N].

    keys: a row per sample of the traces at `path`, with `sample_id` or `sample_index` or both. index: the study's. own:
    the index that the traces were recorded with, which says the `sample_id` of each `sample_index`. Samples are found by
    `sample_id`, else by their path; where neither `keys` nor `own` have one, numbers are the study's.
    Raises `UserError` where samples are not the study's, and where the study has others.
    """
    if "sample_id" in keys:
        found = _by_name(path, keys["sample_id"].astype(str), index)
    else:
        numbers = keys["sample_index"]
        if len(twice := numbers[numbers.duplicated()]):
            raise UserError(
                f"{path}: sample_index {listed(map(str, twice))} stand in two splits; number samples through, or give "
                "each a sample_id"
            )
        if own is not None:
            names = numbers.map(own.set_index("sample_index")["sample_id"])
            _refuse(path, numbers[names.isna()].map(str), "are not in the index of its data set")
            found = _by_name(path, names, index)
        else:
            known = numbers.isin(index["sample_index"])
            _refuse(path, numbers[~known].map(str), "are no sample_index of the data set")
            found = numbers.to_numpy(np.int64)
    lacking = index[~index["sample_index"].isin(found)]
    _refuse(path, lacking["sample_id"], "of the data set are not in the traces", "record all, or ")
    return found


def _by_name(path: Path, names: pd.Series, index: pd.DataFrame) -> np.ndarray:
    """Return the number of each sample by its name: `sample_id`, or where none is known by it, `path`."""
    by_path = index["path"].astype(str)
    columns = [index["sample_id"].astype(str)] + ([by_path] if by_path.is_unique else [])
    known = max((pd.Index(column) for column in columns), key=lambda one: names.isin(one).sum())
    places = known.get_indexer(pd.Index(names))
    _refuse(path, names[places < 0], f"are none of the data set's ({listed(known[:2])}, …)")
    return index["sample_index"].to_numpy(np.int64)[places]


def _refuse(path: Path, names: Sequence[str], fault: str, remedy: str = "") -> None:
    if len(names):
        raise UserError(
            f"{path}: {plural(len(names), 'sample')} {fault}: {listed(names)}; {remedy}give the data set the index that "
            "the traces were recorded with (adapter: index)"
        )


def require_consistent(
    path: Path,
    keys: pd.DataFrame,
    correct: np.ndarray,
    predicted: np.ndarray | None,
    samples: pd.DataFrame,
) -> None:
    """Raise `UserError` where traces were recorded with other splits or labels than a study has.

    keys [N], correct bool [N, E], predicted int [N, E] or None: of the traces. samples: the study's rows of the same
    samples in their order, with `sample_id`, `split` and `label`; splits of traces are train or another word.
    """
    names = samples["sample_id"].to_numpy()
    elsewhere = (keys["split"].to_numpy() == "train") != (samples["split"].to_numpy() == "train")
    if elsewhere.any():
        raise UserError(
            f"{path}: {plural(int(elsewhere.sum()), 'sample')} were trained on there and are held out in the data set, or "
            f"the other way round: {listed(names[elsewhere])}; give the data set the index that the traces were recorded "
            "with (adapter: index)"
        )
    if predicted is None:
        return
    wrong = ((predicted == samples["label"].to_numpy()[:, None]) != correct).any(axis=1)
    if wrong.any():
        raise UserError(
            f"{path}: of {plural(int(wrong.sum()), 'sample')} `correct` and `predicted` do not fit the label in the data "
            f"set: {listed(names[wrong])}; were other labels trained on? A data set of folders or "
            "a CSV numbers classes by their sorted names; adapter: index keeps the numbers that traces were recorded with"
        )


def write_placed(
    source: Path,
    output: Path,
    keys: pd.DataFrame,
    samples: pd.DataFrame,
    metadata: Mapping[str, str],
) -> None:
    """Write traces with a study's numbers and splits, sorted, a row group per epoch; columns that none reads are left out.

    keys: a row per sample of the traces, as they tell samples apart; samples: the study's rows of the same samples.
    """
    names = [name for name in pq.read_schema(source).names if name in TYPES]
    names = ["split", "sample_index", *(n for n in names if n not in ("split", "sample_index"))]
    schema = with_metadata(
        pa.schema([(name, TYPES[name]) for name in names]).empty_table(), metadata
    ).schema
    by = [name for name in ("split", "sample_index", "sample_id") if name in keys]
    told = pq.read_schema(source).names
    by = [name for name in by if name in told]
    places = keys[by].assign(
        new_index=samples["sample_index"].to_numpy(), new_split=samples["split"].to_numpy()
    )
    with (
        atomic_path(output) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for epoch in _epochs(source):
            rows = epoch.drop(columns=["new_index", "new_split"], errors="ignore").merge(
                places, on=by, validate="one_to_one"
            )
            rows = rows.assign(sample_index=rows["new_index"], split=rows["new_split"])
            rows = rows.sort_values(["split", "sample_index"])[names]
            table = pa.Table.from_pandas(rows, preserve_index=False).cast(schema)
            writer.write_table(table, row_group_size=len(table))


def _epochs(source: Path) -> Iterator[pd.DataFrame]:
    """Yield the rows of each epoch in order, a row group at a time where each holds one epoch."""
    file = pq.ParquetFile(source)
    numbers = [
        file.read_row_group(n, columns=["epoch"]).to_pandas()["epoch"]
        for n in range(file.num_row_groups)
    ]
    firsts = [int(of_group.iloc[0]) for of_group in numbers]
    if all(of_group.nunique() == 1 for of_group in numbers) and len(set(firsts)) == len(firsts):
        for _, group in sorted(zip(firsts, range(len(firsts)), strict=True)):
            yield file.read_row_group(group).to_pandas(ignore_metadata=True)
    else:
        whole = file.read().to_pandas(ignore_metadata=True)
        for _, rows in whole.groupby("epoch", sort=True):
            yield rows
