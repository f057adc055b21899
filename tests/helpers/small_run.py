"""A run small enough to be trained in a second, and made of everything a real one has."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from retention.common.parquet_tables import write_parquet
from retention.data.image_cache import ImageCache
from retention.training.finetuning import FineTuning
from retention.training.recipe import complete_recipe, digest_of_recipe
from retention.training.run import RunNames, RunOutputs, RunSettings
from retention.training.state import RunState
from retention.training.tracking import Samples

SIDE = 32
LABELS = np.array([0] * 20 + [1] * 17 + [2] * 3 + [3])  # a class of one
CPU = torch.device("cpu")
TRAIN = 33  # batches of 16: the last one holds a single sample
RECIPE = {
    "epochs": 8,
    "batch_size": 16,
    "evaluation_batch_size": 7,
    "learning_rate": 3e-3,
    "head_learning_rate": 1e-2,
    "weight_decay": 0.01,
    "threads": 1,
    "precision": "fp32",  # on every machine: the tests compare with plain torch
    "evaluation_precision": "fp32",
    "augmentation": {"crop_scale": [0.6, 1.0], "flip": True, "color": 0.1},
    "head_warmup": {"epochs": 2, "learning_rate": 1e-2},
}
DEFINITION = {"timm": "test_resnet", "weights": "none", "image_size": SIDE}


def write_images(folder: Path) -> None:
    """Write an index and an image cache of noisy images, each class with a brightness of its own."""
    draws = np.random.default_rng(0)
    count, pixels = len(LABELS), SIDE * SIDE * 3
    order = draws.permutation(count)
    labels = LABELS[order]
    images = draws.normal(80 + 30 * labels[:, None], 60, (count, pixels)).clip(0, 255)
    np.save(folder / "pixels.npy", images.astype(np.uint8).ravel())
    index = np.arange(count)
    layout = {"sample_index": index, "offset": index * pixels, "height": SIDE, "width": SIDE}
    write_parquet(folder / "layout.parquet", pd.DataFrame(layout))
    split = np.where(index < TRAIN, "train", "test")
    table = pd.DataFrame({"sample_index": index, "label": labels, "split": split})
    write_parquet(folder / "index.parquet", table)


def outputs_in(folder: Path) -> RunOutputs:
    return RunOutputs(
        traces=folder / "traces.parquet",
        epochs=folder / "epochs.csv",
        run=folder / "run.yaml",
        centroids=folder / "centroids.npy",
        probabilities=folder / "probabilities.npy",
        final_weights=folder / "final.safetensors",
    )


def make_run(
    images: Path, state: Path, recipe=None, definition=None, seed=0, treatment=None, reviews=None
) -> FineTuning:
    """Return the run on the images in a folder, its state in another."""
    whole = complete_recipe({**RECIPE, **(recipe or {})}, CPU)
    settings = RunSettings(
        definition={**DEFINITION, **(definition or {})},
        recipe=whole,
        treatment=treatment or {},
        store={"probabilities": "all"},
        weights=None,
        code_version="code",
        reviews=reviews,
    )
    samples = Samples.from_index(pd.read_parquet(images / "index.parquet"))
    cache = ImageCache(images / "pixels.npy", images / "layout.parquet")
    names = RunNames("study", "noise", "resnet", "random", seed)
    identity = {"recipe": digest_of_recipe(whole), "seed": str(seed)}
    return FineTuning(names, settings, samples, cache, CPU, RunState(state, identity))


def results_of(folder: Path) -> dict[str, bytes]:
    """Return what must be the same bytes however often the run was interrupted."""
    names = ("traces.parquet", "centroids.npy", "probabilities.npy", "final.safetensors")
    return {name: (folder / name).read_bytes() for name in names}
