"""A described study, written by the commands: index, runs, and what findings read of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from retention.commands import describe_samples, split_dataset
from retention.common.yaml_files import write_yaml

EPOCHS, EACH = 8, 12
ACCURACIES = [
    f"{when}_{which}_accuracy"
    for when in ("initial", "final")
    for which in ("train", "test", "test_balanced")
]


def command(module, *words):
    """Run a command's main on words of any type."""
    module.main([str(word) for word in words])


def write_study(
    folder: Path, classes: Sequence[str], architectures: Sequence[str], seeds: Sequence[int]
) -> Path:
    """Write a study of runs that are right by lot, a quarter of the samples held out; return its folder.

    folder: is called as the data set.
    """
    draws, number = np.random.default_rng(3), len(classes) * EACH
    label = np.arange(number) % len(classes)
    names = [f"{sample:03d}" for sample in range(number)]
    images = pd.DataFrame({"sample_index": range(number), "sample_id": names, "label": label})
    images["class_name"], images["group"] = np.array(classes)[label], names
    images["official_split"] = np.where(np.arange(number) % 4 == 3, "test", "train")
    images["digest"] = names
    folder.mkdir(parents=True)
    images.to_parquet(folder / "images.parquet")
    files = {"images": folder / "images.parquet", "output": folder / "index.parquet"}
    files |= {name: folder / f"{name}.csv" for name in ("classes", "duplicates")}
    words = [word for name, path in files.items() for word in (f"--{name}", path)]
    command(split_dataset, "--dataset", folder.name, "--split", '{"strategy": "official"}', *words)
    order = pd.read_parquet(files["output"]).sort_values(["split", "sample_index"])
    for architecture in architectures:
        for seed in seeds:
            wrong = draws.random((EPOCHS, number)) >= 0.7
            predicted = np.where(wrong, (label + 1) % len(classes), label)
            run = folder / "runs" / architecture / str(seed)
            run.mkdir(parents=True)
            _write_traces(run, label, predicted, draws)
            words = ["--traces", run / "traces.parquet", "--index", files["output"]]
            words += ["--output", run / "samples.parquet", "--confusions", run / "confusions.csv"]
            words += [
                "--dynamics",
                '{"shuffles": 5}',
                "--dataset",
                folder.name,
                "--architecture",
                architecture,
                "--seed",
                seed,
            ]
            command(describe_samples, *words)
            last = np.eye(len(classes))[predicted[-1][order["sample_index"]]]
            np.save(run / "probabilities.npy", last[None].astype(np.float16))
            np.save(run / "class_centroids.npy", draws.normal(size=(len(classes), 6)))
            facts = {"study": "1", "dataset": folder.name, "architecture": architecture}
            facts |= {"treatment": "random", "treatment_definition": {}, "seed": seed}
            facts |= {"pretrained": False} | dict.fromkeys(ACCURACIES, 0.7)
            write_yaml(run / "run.yaml", facts)
    return folder


def _write_traces(
    run: Path, label: np.ndarray, predicted: np.ndarray, draws: np.random.Generator
) -> None:
    traces = {"sample_index": np.tile(np.arange(len(label)), EPOCHS)}
    traces |= {"epoch": np.repeat(np.arange(EPOCHS), len(label))}
    traces |= {"correct": (predicted == label).ravel(), "predicted": predicted.ravel()}
    traces |= {"loss": draws.random(predicted.size)}
    pd.DataFrame(traces).to_parquet(run / "traces.parquet")
