"""The runs of a study as matrices, runs by training samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from retention.common.columns import require_columns
from retention.common.errors import UserError
from retention.common.lists import listed
from retention.common.parquet_tables import read_metadata, read_parquet
from retention.runs.scores import score_of

NEEDED = ("split", "sample_index", "label", "class_name", "group", "never_learned")

DESCRIBE = (
    "; describe the run with --index, which has its labels and groups (scripts/describe_samples.py)"
)


@dataclass(frozen=True)
class Run:
    """One run's training samples, ordered by sample_index."""

    dataset: str
    architecture: str
    seed: int
    samples: pd.DataFrame
    treatment: str = "random"
    chances: Mapping[str, float] = field(
        default_factory=dict
    )  # of its split half, as describe_samples found them
    definition: str = ""  # of its decay constants and R², as describe_samples was told; "": ours


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """Read samples.parquet files, ordered by architecture and seed.

    Raises `UserError` when a run is not named in its file's metadata or has no training sample, and
    when runs repeat or differ in data set, treatment, definition, samples, labels or groups.
    """
    runs = []
    for path in paths:
        identity = identity_of(path)
        table = read_parquet(path)
        require_columns(path, table.columns, NEEDED, DESCRIBE)
        training = table[table["split"] == "train"].sort_values("sample_index", ignore_index=True)
        if training.empty:
            splits = listed(sorted(map(str, table["split"].unique()))) or "none"
            raise UserError(
                f"{path}: has no sample of the split train, which findings are about; its splits: "
                f"{splits}"
            )
        seed = int(identity["seed"])
        treatment = identity.get("treatment", "random")
        run = Run(identity["dataset"], identity["architecture"], seed, training, treatment)
        definition = identity.get("definition", "")
        runs.append(replace(run, chances=chances_in(identity), definition=definition))
        _require_same_samples(runs[0], runs[-1], paths[0], path)
    names = [(run.architecture, run.seed) for run in runs]
    if len(set(names)) < len(names):
        raise UserError(f"--samples: names a run twice: {max(names, key=names.count)}")
    return sorted(runs, key=lambda run: (run.architecture, run.seed))


def definition_of(path: Path) -> str:
    """Return by which definition a samples.parquet says its decay constants and R² are, as JSON; "" for ours."""
    return read_metadata(path).get("definition", "")


def chances_in(metadata: Mapping[str, str]) -> dict[str, float]:
    """Return what `split_half` is held against, from the metadata of a samples.parquet."""
    return {
        name: float(text) for name, text in metadata.items() if name.startswith("split_half_chance")
    }


def _require_same_samples(first: Run, other: Run, first_path: Path, path: Path) -> None:
    for key, of_one in (("dataset", "data set"), ("treatment", "treatment")):
        one, another = getattr(first, key), getattr(other, key)
        if one != another:
            raise UserError(
                f"{path}: is of the {of_one} {another}, {first_path} of {one}; a finding is about one "
                f"{of_one}"
            )
    if other.definition != first.definition:
        one, another = (run.definition or "ours" for run in (first, other))
        raise UserError(
            f"{path}: its decay constants are by the definition {another}, those of {first_path} by {one}; describe all "
            "runs by one --definition (scripts/describe_samples.py)"
        )
    if not np.array_equal(first.samples["sample_index"], other.samples["sample_index"]):
        raise UserError(f"{path}: has other training samples than {first_path}")
    for name in ("label", "class_name", "group"):
        values = other.samples[name]
        _refuse(path, f"lack {name}", other, values.isna())
        wrong = values != first.samples[name]
        _refuse(path, f"have another {name} than in {first_path}", other, wrong)


def _refuse(path: Path, fault: str, run: Run, wrong: pd.Series) -> None:
    if wrong.any():
        index = run.samples["sample_index"][wrong].iloc[0]
        raise UserError(
            f"{path}: {wrong.sum()} samples {fault}, the first is sample_index {index}; describe all "
            "runs with one --index (scripts/describe_samples.py)"
        )


def identity_of(path: Path) -> dict[str, str]:
    """Return what names the run of a samples.parquet; `UserError` where its metadata do not."""
    identity = read_metadata(path)
    for key in ("dataset", "architecture", "seed"):
        if key not in identity:
            raise UserError(
                f"{path}: its metadata lack {key!r}; describe it with --dataset, --architecture "
                "and --seed (scripts/describe_samples.py)"
            )
    try:
        int(identity["seed"])
    except ValueError as error:
        raise UserError(
            f"{path}: the seed in its metadata is {identity['seed']!r}; expected a whole number, "
            "describe it with --seed (scripts/describe_samples.py)"
        ) from error
    return identity


def by_architecture(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Group runs by architecture."""
    return {
        name: [run for run in runs if run.architecture == name]
        for name in sorted({run.architecture for run in runs})
    }


def scores(runs: Sequence[Run], name: str) -> np.ndarray:
    """Return a score of every run, float [R, N]."""
    return np.stack([score_of(run.samples, name) for run in runs])


def column(runs: Sequence[Run], name: str) -> np.ndarray:
    """Return a column of every run as float [R, N]; raise `UserError` where a run lacks it."""
    for run in runs:
        if name not in run.samples:
            raise UserError(
                f"{run.architecture}, seed {run.seed}: samples.parquet lacks the column {name}"
            )
    return np.stack([run.samples[name].to_numpy(dtype=float) for run in runs])


def events_at_risk(runs: Sequence[Run]) -> tuple[np.ndarray, np.ndarray]:
    """Return forgetting events and epochs at risk of every run, float [R, N].

    Where a table lacks the epochs, they follow from the hazard, (events + ½) / (epochs + 1).
    """
    events = column(runs, "forgetting_events")
    if all("epochs_at_risk" in run.samples for run in runs):
        return events, column(runs, "epochs_at_risk")
    hazard = column(runs, "hazard")
    return events, np.where(np.isfinite(hazard), (events + 0.5) / hazard - 1, 0.0)
