"""Runs that were trained elsewhere, made up: what `TraceRecorder` writes of them, and an index of their samples."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from retention import TraceRecorder
from retention.commands import index_dataset, split_dataset
from retention.common.parquet_tables import read_parquet

SAMPLES, CLASSES, EPOCHS = 60, 3, 6
# Neither numbers nor names are in the order in which a study numbers samples: by name.
LABELS = np.random.default_rng(1).permutation(np.arange(SAMPLES) % CLASSES)
NAMES = [f"{chr(97 + n * 7 % 26)}{n:02d}.png" for n in range(SAMPLES)]
SPLITS = np.array(["val" if n % 5 == 0 else "train" for n in range(SAMPLES)])
CLASS_NAMES = ["zebra", "cat", "owl"]  # labels are not in the order of names


def logits_of(architecture: str, seed: int, epoch: int) -> np.ndarray:
    """Return logits float [N, C] that are right the more often the later it is, some samples seldom."""
    draws = np.random.default_rng([len(architecture), seed, epoch])
    logits = draws.normal(size=(SAMPLES, CLASSES))
    ease = np.random.default_rng(7).uniform(0, 2, SAMPLES)
    logits[np.arange(SAMPLES), LABELS] += ease * epoch / 3
    return logits


def record_run(folder: Path, architecture: str, seed: int, **names: str) -> Path:
    """Record a run of samples with names and splits, and its probabilities beside it; return the file of traces."""
    path = folder / f"{architecture}_{seed}.parquet"
    told = {"dataset": "shots", "architecture": architecture, "seed": seed} | names
    recorder = TraceRecorder(path, LABELS, ids=NAMES, splits=SPLITS, **told)
    for epoch in range(EPOCHS):
        logits = logits_of(architecture, seed, epoch)
        with recorder.epoch(epoch) as record:
            record(np.arange(SAMPLES), logits)
    exponentials = np.exp(logits)
    np.save(path.with_suffix(".npy"), exponentials / exponentials.sum(axis=1, keepdims=True))
    recorder.close()
    recorder.write_index(folder / "index.parquet", CLASS_NAMES)
    return path


def write_own_images(folder: Path) -> None:
    """Write an image of 24 pixels for each sample."""
    folder.mkdir()
    for name, label in zip(NAMES, LABELS, strict=True):
        noise = np.random.default_rng(NAMES.index(name)).integers(0, 255, (24, 24, 3))
        noise[: 8 * (label + 1)] = 255
        Image.fromarray(noise.astype(np.uint8)).save(folder / name)


def options(**named: object) -> list[str]:
    """Return options of a command line, `own_index` as --own-index."""
    return [
        word
        for name, value in named.items()
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]


def index_samples(place: Path, dataset: str, definition: Mapping[str, object]) -> pd.DataFrame:
    """Index and split samples of the adapter `index` as the workflow does; return place/study_output, the study's index."""
    images = place / "images.parquet"
    outputs = {"fetched": place / "fetched.yaml", "quarantine": place / "quarantine.csv"}
    outputs |= {"output": images, "notes": place / "notes.txt"}
    index_dataset.main(options(dataset=dataset, definition=json.dumps(definition), **outputs))
    made = {name: place / f"study_{name}" for name in ("output", "classes", "duplicates")}
    split = json.dumps({"strategy": "official"})
    split_dataset.main(options(dataset=dataset, split=split, images=images, **made))
    return read_parquet(made["output"])


def write_recorded(folder: Path, files: list[Path]) -> None:
    """Write what a training elsewhere recorded of the images, and the index of its samples."""
    index = pd.DataFrame({"sample_id": map(str, files), "label": [0] * 4 + [1] * 4})
    index["split"] = ["train", "train", "train", "test"] * 2
    index.to_csv(folder / "recorded.csv", index=False)
    epochs = [index.assign(epoch=epoch, correct=epoch > 0) for epoch in range(3)]
    pd.concat(epochs)[["sample_id", "split", "epoch", "correct"]].to_parquet(
        folder / "recorded.parquet"
    )
