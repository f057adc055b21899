"""Folders of finished runs whose final accuracies are planted."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from retention.common.csv_tables import write_csv
from retention.common.options import defaults
from retention.common.parquet_tables import write_parquet
from retention.common.yaml_files import write_yaml

PRUNED = {"sampler": "random", "keep_fraction": 0.5, "prune_by": "decay_constant"}
PRUNED |= {"keep": "most_forgotten"}
DEFINITIONS = {
    "random": {"sampler": "random"},
    "class_balanced": {"sampler": "class_balanced"},
    "spaced_repetition": {"sampler": "spaced_repetition", "source": "next_seed"},
    "sr_same_seed": {"sampler": "spaced_repetition", "source": "same_seed"},
    "adaptive": {"sampler": "adaptive_spaced_repetition"},
    "spaced_repetition_shuffled": {"sampler": "spaced_repetition", "source": "next_seed"}
    | {"shuffle": "within_class"},
    "keep_50_random": {"sampler": "random", "keep_fraction": 0.5, "prune_by": "random"},
    "keep_50_same_seed": PRUNED | {"source": "same_seed"},
    "keep_50_next_seed": PRUNED | {"source": "next_seed"},
    "keep_25_random": {"sampler": "random", "keep_fraction": 0.25, "prune_by": "random"},
    "keep_25_same_seed": PRUNED | {"source": "same_seed", "keep_fraction": 0.25},
    "keep_25_next_seed": PRUNED | {"source": "next_seed", "keep_fraction": 0.25},
    "keep_50_other_architecture": PRUNED | {"source": "other_architecture"},
}


def write_run(
    folder: Path,
    treatment: str,
    seed: int,
    right: np.ndarray,
    architecture: str = "a",
    presentations: int | np.ndarray = 3,
    **recorded: object,
) -> Path:
    """Write a run that holds the held-out samples of `right` (bool, even labels 0, odd 1) at its end.

    recorded: what its run.yaml has otherwise.
    """
    folder = folder / architecture / treatment / f"seed{seed}"
    number, epochs = len(right), 2
    labels = np.arange(number) % 2
    names = {"dataset": "d", "architecture": architecture, "treatment": treatment, "seed": seed}
    facts = names | {"treatment_definition": DEFINITIONS[treatment]}
    facts |= {"study": "s", "recipe": {"epochs": epochs - 1}}
    write_yaml(folder / "run.yaml", facts | recorded)
    balanced = np.mean([right[labels == label].mean() for label in (0, 1)])
    last = {"train_accuracy": 0.9, "test_accuracy": right.mean()}
    last |= {"test_balanced_accuracy": balanced}
    epoch = {"epoch": np.arange(epochs)}
    write_csv(folder / "epochs.csv", pd.DataFrame(epoch | last))
    samples = pd.DataFrame(
        {
            "split": np.repeat(["test", "train"], number),
            "sample_index": np.arange(2 * number),
            "label": np.tile(labels, 2),
            "class_name": np.tile(labels, 2).astype(str),
            "group": np.arange(2 * number).astype(str),
            "forgetting_events": 1.0,
            "mean_retention": 0.8,
            "learned_for_good": np.where(np.r_[right, right], 0.0, np.nan),
        }
    )
    write_parquet(folder / "samples.parquet", samples, {k: str(v) for k, v in names.items()})
    traces = samples[["split", "sample_index"]].assign(presentations=0)
    traces.loc[traces["split"] == "train", "presentations"] = presentations
    write_parquet(folder / "traces.parquet", traces)
    return folder


def definition_of(folder: Path) -> dict:
    return yaml.safe_load((folder / "run.yaml").read_text())["treatment_definition"]


STATISTICS = defaults("statistics")


def rights(draws, share, number=400):
    """Exactly round(share · number) held-out samples right, which ones by lot."""
    right = np.zeros(number, dtype=bool)
    right[draws.permutation(number)[: round(share * number)]] = True
    return right
