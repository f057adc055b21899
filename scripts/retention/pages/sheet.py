"""Every sample of a data set, with what each run says of it: what pages show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow.parquet import read_schema

from retention.common.columns import require_columns
from retention.common.errors import UserError
from retention.common.parquet_tables import read_parquet
from retention.dynamics.trace_table import read_traces
from retention.measuring.same_runs import require_same_runs, rows_of
from retention.pages.indexed import KEYS, paths_of
from retention.runs.reading import identity_of

OF_SAMPLE = ["sample_id", "path", "label", "class_name", "group"]
NEEDED = [*KEYS, "label", "class_name", "forgetting_events", "never_learned", "hazard"]
DESCRIBE = "; describe the run with --index, which has its labels (scripts/describe_samples.py)"
NEVER_LEARNED, FORGOTTEN, NEVER_FORGOTTEN = "never learned", "forgotten", "never forgotten"


@dataclass(frozen=True)
class DescribedRun:
    """One run: its samples.parquet, rows as in the sheet, and the file of its traces where that is known."""

    architecture: str
    seed: int
    described: pd.DataFrame
    traces: Path | None = None


@dataclass(frozen=True)
class Sheet:
    """N samples of a data set and R runs, which are ordered by architecture and seed.

    samples: [N] rows of split, sample_index, sample_id, path ("" where unknown), label, class_name and group.
    """

    dataset: str
    samples: pd.DataFrame
    runs: tuple[DescribedRun, ...]

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def architectures(self) -> list[str]:
        """Return the names of the architectures, each once, in the order of the runs."""
        return list(dict.fromkeys(run.architecture for run in self.runs))

    def statistic(self, name: str, architecture: str | None = None) -> np.ndarray:
        """Return a column of the runs (of one architecture's, if named), float [R, N]."""
        for run in (runs := self._runs(architecture)):
            require_columns(f"samples.parquet of {run.architecture}", run.described.columns, [name])
        return np.stack([run.described[name].to_numpy(dtype=float) for run in runs])

    def mean(self, name: str, architecture: str | None = None) -> np.ndarray:
        """Return a column's mean over runs that have a finite value, float [N]; NaN where none has one."""
        values = self.statistic(name, architecture)
        known = np.isfinite(values)
        total = np.where(known, values, 0.0).sum(axis=0)
        return np.divide(
            total, known.sum(axis=0), where=known.any(axis=0), out=np.full(len(self), np.nan)
        )

    def status(self, architecture: str | None = None) -> np.ndarray:
        """Return what became of each sample in each run, str [R, N]: never learned, forgotten, never forgotten."""
        never = self.statistic("never_learned", architecture) > 0
        lost = self.statistic("forgetting_events", architecture) > 0
        return np.select([never, lost], [NEVER_LEARNED, FORGOTTEN], NEVER_FORGOTTEN)

    def only(self, places: np.ndarray) -> "Sheet":
        """Return the sheet of some samples alone; places: int or bool [N]."""
        runs = tuple(
            DescribedRun(
                run.architecture,
                run.seed,
                run.described.iloc[_whole(places)].reset_index(drop=True),
                run.traces,
            )
            for run in self.runs
        )
        return Sheet(self.dataset, self.samples.iloc[_whole(places)].reset_index(drop=True), runs)

    def of(self, architecture: str) -> "Sheet":
        """Return the sheet of an architecture's runs alone, whose epochs may be other than another's."""
        return Sheet(self.dataset, self.samples, tuple(self._runs(architecture)))

    @cached_property
    def histories(self) -> "Histories | None":
        """Return what each run said at each epoch, None where a run's traces are unknown. Reads the files."""
        paths = [run.traces for run in self.runs if run.traces is not None]
        return _histories(paths, self.samples) if len(paths) == len(self.runs) else None

    def _runs(self, architecture: str | None) -> list[DescribedRun]:
        return [run for run in self.runs if architecture in (None, run.architecture)]


@dataclass(frozen=True)
class Histories:
    """What R runs said of N samples at E epochs.

    epochs: int [E]; correct: bool [R, N, E]; predicted: int [R, N, E], None where a file lacks it.
    """

    epochs: np.ndarray
    correct: np.ndarray
    predicted: np.ndarray | None


def read_sheet(
    samples: Sequence[Path],
    index: Path | None = None,
    traces: Sequence[Path] = (),
    statistics: Sequence[str] | None = None,
) -> Sheet:
    """Read samples.parquet files of one data set, an index for the paths of images, and the runs' traces.

    traces: one file per run in the order of `samples`, or none; those of other runs are refused. statistics: the columns that the runs keep, as far as
    they have them, which bounds the memory; all of them if left out.
    Raises `UserError` naming the file where runs differ in data set or samples, or columns are lacking.
    """
    if traces:
        require_same_runs(samples, traces)
    runs: list[DescribedRun] = []
    first: tuple[Path, dict[str, str], pd.DataFrame] | None = None
    for place, path in enumerate(samples):
        identity = identity_of(path)
        table = _read_run(path, statistics, with_names=first is None)
        first = first or (path, identity, table)
        _require_alike(path, identity, table, first)
        of_run = traces[place] if traces else None
        runs.append(DescribedRun(identity["architecture"], int(identity["seed"]), table, of_run))
    _require_once(samples, runs)
    if first is None:
        raise UserError("--samples: names no file; expected samples.parquet of every run")
    _, identity, table = first
    runs.sort(key=lambda run: (run.architecture, run.seed))
    return Sheet(identity["dataset"], _of_samples(table, index), tuple(runs))


def _whole(places: np.ndarray) -> np.ndarray:
    return np.flatnonzero(places) if np.asarray(places).dtype == bool else places


def _read_run(path: Path, statistics: Sequence[str] | None, with_names: bool) -> pd.DataFrame:
    """Read a run's table; of some statistics alone the names of its samples are kept `with_names` only."""
    present = read_schema(path).names
    require_columns(path, present, NEEDED, DESCRIBE)
    columns = None
    if statistics is not None:
        wanted = {*NEEDED, *OF_SAMPLE} if with_names else {*NEEDED} - {*OF_SAMPLE}
        columns = [name for name in present if name in {*wanted, *statistics}]
    return read_parquet(path, columns).sort_values(KEYS, ignore_index=True)


def _require_once(paths: Sequence[Path], runs: Sequence[DescribedRun]) -> None:
    seen: dict[tuple[str, int], Path] = {}
    for path, run in zip(paths, runs, strict=True):
        name = run.architecture, run.seed
        if name in seen:
            other = seen[name]
            both = f"{path} is there twice," if other == path else f"{other} and {path} are both"
            raise UserError(
                f"--samples: {both} {run.architecture}, seed {run.seed}; name each run once"
            )
        seen[name] = path


def _require_alike(
    path: Path,
    identity: Mapping[str, str],
    table: pd.DataFrame,
    first: tuple[Path, Mapping[str, str], pd.DataFrame],
) -> None:
    other_path, known, other = first
    for key, of_one, without in (("dataset", "data set", ""), ("treatment", "treatment", "random")):
        one, another = identity.get(key, without), known.get(key, without)
        if one != another:
            raise UserError(
                f"{path}: is of the {of_one} {one}, {other_path} of {another}; a page shows one {of_one}"
            )
    if not table[KEYS].equals(other[KEYS]):
        raise UserError(f"{path}: has other samples than {other_path}; a page shows one data set")


def _of_samples(table: pd.DataFrame, index: Path | None) -> pd.DataFrame:
    """Return what identifies the samples, as text that may be empty; of the index what the table lacks."""
    found = table[[name for name in [*KEYS, *OF_SAMPLE] if name in table]].copy()
    if index is not None:
        paths = paths_of(found, index)
        if "path" not in found:
            found["path"] = paths
    for name in ("sample_id", "path", "group"):
        found[name] = found[name].fillna("").astype(str) if name in found else ""
    unnamed = found["sample_id"] == ""
    found.loc[unnamed, "sample_id"] = found.loc[unnamed, "sample_index"].astype(str)
    found["class_name"] = found["class_name"].astype(object).fillna("").astype(str)
    return found[[*KEYS, *OF_SAMPLE]]


def _histories(paths: Sequence[Path], samples: pd.DataFrame) -> Histories:
    """Read the traces of runs and keep those of some samples."""
    correct, predicted, epochs = [], [], None
    for path in paths:
        found = read_traces(path)
        epochs = found.epochs if epochs is None else epochs
        if not np.array_equal(epochs, found.epochs):
            raise UserError(
                f"{path}: has the epochs {found.epochs[0]} to {found.epochs[-1]}, another run of the data set "
                f"{epochs[0]} to {epochs[-1]}; a page shows runs of equally many"
            )
        rows = rows_of(path, found.keys, samples)
        correct.append(found.correct[rows])
        if found.predicted is not None:
            predicted.append(found.predicted[rows])
    known = len(predicted) == len(paths)
    return Histories(np.asarray(epochs), np.stack(correct), np.stack(predicted) if known else None)
