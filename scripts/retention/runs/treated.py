"""Runs of several treatments: how they ended, and what they were shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import yaml

from retention.common.csv_tables import read_csv
from retention.common.errors import UserError
from retention.common.lists import listed
from retention.common.options import without_defaults
from retention.common.parquet_tables import read_parquet

FILES = ("run.yaml", "epochs.csv", "samples.parquet", "traces.parquet")
OF_EPOCHS = {
    "balanced_accuracy": "test_balanced_accuracy",
    "accuracy": "test_accuracy",
    "train_accuracy": "train_accuracy",
}
OF_SAMPLES = [
    "split",
    "sample_index",
    "label",
    "group",
    "forgetting_events",
    "mean_retention",
    "learned_for_good",
]
# what run.yaml records beside the treatment: what all runs, and those of an architecture, must share
OF_ALL, OF_ARCHITECTURE = ("dataset", "study"), ("recipe", "architecture_definition", "weights")

OPTIONS = {"recipe": "recipe", "architecture_definition": "architecture"}  # sections of the schema


@dataclass(frozen=True)
class TreatedRun:
    """One run: its treatment's definition, final metrics, what it was shown, held-out samples."""

    dataset: str
    architecture: str
    treatment: str
    seed: int
    definition: Mapping
    metrics: Mapping[str, float]
    presentations: int
    moved: float  # share of the presentations that random would have given to other samples
    held_out: pd.DataFrame  # sample_index, label, group, right at the last epoch; by sample_index
    facts: Mapping = field(default_factory=dict)  # run.yaml


def read_treated_runs(folders: Sequence[Path]) -> list[TreatedRun]:
    """Read the folders of runs, ordered as given.

    Raises `UserError` when a file or column is lacking, a run stands there twice, and where a difference
    would not be the treatment's: runs of several studies, of other held-out samples, or runs of one
    architecture of several recipes or with unequally many presentations.
    """
    runs = [_read(folder) for folder in folders]
    names = [(run.architecture, run.treatment, run.seed) for run in runs]
    if len(set(names)) < len(names):
        raise UserError(f"--runs: names a run twice: {max(names, key=names.count)}")
    _require_equal(runs, OF_ALL)
    _require_same_samples(runs)
    for architecture, group in by(runs, "architecture"):
        _require_equal(group, OF_ARCHITECTURE)
        totals = {run.presentations: run for run in group}
        if len(totals) > 1:
            shown = listed(
                f"{run.treatment} seed {run.seed}: {total}" for total, run in totals.items()
            )
            raise UserError(
                f"{architecture}: runs were presented unequally many samples ({shown}); only "
                "treatments of equal presentations can be compared"
            )
    return runs


def _require_equal(runs: Sequence[TreatedRun], names: Sequence[str]) -> None:
    """Raise `UserError` where run.yaml does not say the same of all runs."""
    for name in names:
        for run in runs:
            if not _same(run.facts, runs[0].facts, name):
                raise UserError(
                    f"--runs: {_named(runs[0])} and {_named(run)} differ in {name} (run.yaml); treatments are "
                    "compared where all else is equal"
                )


def _same(first: Mapping, second: Mapping, name: str) -> bool:
    """Return whether two run.yaml mean the same by a name.

    Weights are the same where their tensors are; runs of version 0.1.0 tell of the whole file alone.
    """
    if name == "weights":
        both = first.get("tensors_sha256") and second.get("tensors_sha256")
        name = "tensors_sha256" if both else "weights_sha256"
    return meant(first, name) == meant(second, name)


def meant(facts: Mapping, name: str) -> object:
    """Return what run.yaml says under a name; a map of options without those at their default."""
    value = facts.get(name)
    if name in OPTIONS and isinstance(value, Mapping):
        return without_defaults(OPTIONS[name], value)
    return value


def _require_same_samples(runs: Sequence[TreatedRun]) -> None:
    """Raise `UserError` where runs hold out other samples: they are paired by sample_index."""
    same = ["sample_index", "label", "group"]
    for run in runs:
        if not run.held_out[same].equals(runs[0].held_out[same]):
            raise UserError(
                f"--runs: {_named(runs[0])} and {_named(run)} hold out other samples (sample_index, label and "
                "group of samples.parquet)"
            )


def _named(run: TreatedRun) -> str:
    return f"{run.architecture} {run.treatment} seed {run.seed}"


def _read(folder: Path) -> TreatedRun:
    for name in FILES:
        if not (folder / name).is_file():
            raise UserError(f"{folder}: lacks {name}; give the folders of finished runs")
    facts = yaml.safe_load((folder / "run.yaml").read_text(encoding="utf-8"))
    last = read_csv(folder / "epochs.csv").iloc[-1]
    if pd.isna(last["test_accuracy"]):
        raise UserError(
            f"{folder}: nothing is held out; treatments are compared on held-out samples"
        )
    samples = read_parquet(folder / "samples.parquet", OF_SAMPLES)
    training, held_out = (samples[samples["split"] == name] for name in ("train", "test"))
    held_out = held_out.sort_values("sample_index", ignore_index=True)
    metrics = {name: float(last[column]) for name, column in OF_EPOCHS.items()}
    metrics["forgetting_events"] = float(training["forgetting_events"].mean())
    metrics["mean_retention"] = float(training["mean_retention"].mean())
    presentations, moved = _shown(folder / "traces.parquet")
    return TreatedRun(
        **{name: facts[name] for name in ("dataset", "architecture", "treatment", "seed")},
        definition=facts["treatment_definition"],
        metrics=metrics,
        presentations=presentations,
        moved=moved,
        held_out=held_out[["sample_index", "label", "group"]].assign(
            right=held_out["learned_for_good"].notna()
        ),
        facts=facts,
    )


def _shown(path: Path) -> tuple[int, float]:
    """Return how many samples a run was shown, and the share of them that random would not have.

    That share, the dose, is Σ|r − 1| / 2N, r a sample's presentations per epoch: 0 where all were
    presented equally often, 1 − f where only a fraction f was. Reads an epoch at a time.
    """
    stored = pq.ParquetFile(path)
    if "presentations" not in stored.schema_arrow.names:
        raise UserError(f"{path}: lacks the column presentations, how often samples were shown")
    shown = pd.Series(dtype=np.int64)
    for group in range(stored.num_row_groups):
        rows = stored.read_row_group(group, ["split", "sample_index", "presentations"]).to_pandas()
        of_epoch = rows[rows["split"] == "train"].groupby("sample_index")["presentations"].sum()
        shown = shown.add(of_epoch, fill_value=0)
    total = int(shown.sum())
    rates = shown * len(shown) / total if total else shown
    return total, float((rates - 1).abs().mean() / 2)


def by(runs: Sequence[TreatedRun], name: str) -> Iterator[tuple[str, list[TreatedRun]]]:
    """Yield the runs of each value of an attribute, in the order in which they first come."""
    for value in dict.fromkeys(getattr(run, name) for run in runs):
        yield value, [run for run in runs if getattr(run, name) == value]


def paired(first: Sequence[TreatedRun], second: Sequence[TreatedRun], metric: str) -> np.ndarray:
    """Return first minus second of the seeds that both have, float [S]; raise `UserError` without any."""
    other = {run.seed: run.metrics[metric] for run in second}
    shared = [run for run in first if run.seed in other]
    if not shared:
        raise UserError(
            f"{first[0].architecture}: {first[0].treatment} and {second[0].treatment} share no seed"
        )
    return np.array([run.metrics[metric] - other[run.seed] for run in shared])


def of_seeds(runs: Sequence[TreatedRun], metric: str) -> np.ndarray:
    """Return a final metric of each run, float [S]."""
    return np.array([run.metrics[metric] for run in runs])
