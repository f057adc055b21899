"""The runs of a study with their traces: what every combination is evaluated on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata
from retention.dynamics.events import events
from retention.dynamics.trace_table import SAMPLE, Traces, read_traces
from retention.runs.reading import Run, column, identity_of, read_runs

CONFIDENCE = "confidence"


@dataclass(frozen=True)
class Study:
    """R runs of the same N training samples.

    correct: of each run bool [N, E]; confidence: of each run float [N, E], the probability of the label's class, None
    where a run's traces have none. Runs may differ in E.
    """

    runs: Sequence[Run]
    correct: Sequence[np.ndarray]
    confidence: Sequence[np.ndarray] | None

    @cached_property
    def forgotten(self) -> np.ndarray:
        """Who was forgotten at least once, bool [R, N]."""
        return column(self.runs, "forgetting_events") > 0

    @cached_property
    def never_learned(self) -> np.ndarray:
        """Who was right at no epoch, bool [R, N]."""
        return column(self.runs, "never_learned") > 0

    @cached_property
    def architectures(self) -> dict[str, list[int]]:
        """The rows of the runs of each architecture."""
        names = [run.architecture for run in self.runs]
        return {
            name: [row for row, one in enumerate(names) if one == name]
            for name in sorted(set(names))
        }

    def seeds(self, rows: Sequence[int]) -> list[int]:
        """Return the seeds of some runs."""
        return [self.runs[row].seed for row in rows]


def read_study(traces: Sequence[Path], samples: Sequence[Path]) -> Study:
    """Read traces.parquet and samples.parquet of the same runs, the files of a run at the same place in both lists.

    Raises `UserError` where the lists differ in length, where traces are not those that samples were described from, and
    where these are by another definition than ours: the multiverse has its own.
    """
    if len(traces) != len(samples):
        raise UserError(
            f"--traces: names {len(traces)} files, --samples {len(samples)}; name those of the same runs in the same order"
        )
    runs = read_runs(samples)
    if runs[0].definition:
        raise UserError(
            f"{samples[0]}: its decay constants are by the definition {runs[0].definition}, and the multiverse fits "
            "every definition itself; describe it without --definition"
        )
    places = {_name_of(path): place for place, path in enumerate(samples)}
    correct, confidence = [], []
    for run in runs:
        place = places[run.architecture, run.seed]
        wanted = _whole_columns(traces[place])
        of_run = read_traces(traces[place], wanted)
        rows = _rows(of_run, run, traces[place], samples[place])
        correct.append(np.ascontiguousarray(of_run.correct[rows]))
        _require_same(correct[-1], run, traces[place], samples[place])
        if wanted:
            confidence.append(np.ascontiguousarray(of_run.whole[CONFIDENCE][rows]))
    return Study(runs, correct, confidence if len(confidence) == len(runs) else None)


def _whole_columns(traces: Path) -> list[str]:
    """Return which columns are read at every epoch; raise `UserError` where there is no Parquet file."""
    read_metadata(traces)
    return [CONFIDENCE] if CONFIDENCE in pq.read_schema(traces).names else []


def _name_of(samples: Path) -> tuple[str, int]:
    identity = identity_of(samples)
    return identity["architecture"], int(identity["seed"])


def _rows(traces: Traces, run: Run, path: Path, samples: Path) -> np.ndarray:
    """Return which row of the traces is each of the run's training samples, int [N]."""
    shared = [name for name in SAMPLE if name in traces.keys and name in run.samples]
    if not shared:
        raise UserError(
            f"{path}: names its samples otherwise than {samples}; expected sample_index or sample_id in both"
        )
    training = np.ones(len(traces.keys), dtype=bool)
    if traces.has_splits:
        training = (traces.keys["split"] == "train").to_numpy()
    keys = pd.Index(traces.keys[shared[0]][training])
    found = keys.get_indexer(pd.Index(run.samples[shared[0]])) if keys.is_unique else None
    if found is None or (found < 0).any():
        raise UserError(
            f"{path}: lacks training samples that {samples} has; name the files of the same runs in the same order"
        )
    return np.flatnonzero(training)[found]


def _require_same(correct: np.ndarray, run: Run, traces: Path, samples: Path) -> None:
    lost = events(correct)[0].sum(axis=1)
    wrong = lost != run.samples["forgetting_events"].to_numpy()
    if wrong.any():
        index = run.samples["sample_index"][wrong].iloc[0]
        raise UserError(
            f"{traces}: forgets {wrong.sum()} samples another number of times than {samples} says, the first is "
            f"sample_index {index}; name the files of the same runs in the same order"
        )
