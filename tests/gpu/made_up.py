"""Images and runs that the checks on a GPU share: made up on the spot, nothing is fetched."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import torch
import yaml
from small_run import outputs_in, results_of

from retention.common.options import complete
from retention.common.parquet_tables import write_parquet
from retention.data.image_cache import ImageCache
from retention.training.finetuning import FineTuning
from retention.training.run import RunNames, RunSettings
from retention.training.state import RunState
from retention.training.tracking import Samples

CLASSES = 4
# Nothing is `auto`, so that jsonschema, which checks what a user writes, need not be there.
RECIPE = {
    "epochs": 2,
    "batch_size": 32,
    "evaluation_batch_size": 64,
    "learning_rate": 1e-3,
    "head_learning_rate": 1e-3,
    "weight_decay": 0.05,
    "threads": 1,
    "precision": "bf16",
    "evaluation_precision": "checked_bf16",
    "channels_last": True,
    "augmentation": {"crop_scale": [0.5, 1.0], "flip": True},
    "head_warmup": {"epochs": 1, "learning_rate": 1e-3},
}
FP32 = {"precision": "fp32", "evaluation_precision": "fp32", "channels_last": False}


@dataclass(frozen=True)
class Scale:
    """How large the networks and images are: those of a GPU, or tiny ones in a dry run on a CPU.

    models: one with convolutions, one with attention, as timm names them. sides: pixels of their images; the
    last is what speed is measured at. images: of a check. batch: of the measurements, which
    train on `files` JPEGs, each `repeats` times an epoch.
    """

    models: tuple[str, str]
    sides: tuple[int, ...]
    images: int
    batch: int
    files: int
    repeats: int
    workers: int


REAL = Scale(("resnet18", "deit_small_patch16_224"), (64, 224), 4096, 256, 2048, 4, 8)
TINY = Scale(("test_resnet", "test_vit"), (32,), 96, 8, 16, 2, 1)


def scale_for(device: torch.device) -> Scale:
    """Return the sizes for a device."""
    return REAL if device.type == "cuda" else TINY


def definition_of(model: str, side: int) -> dict:
    """Return an architecture's definition, with random weights, for images of `side` pixels."""
    keywords = {} if "resnet" in model else {"img_size": side}
    return {"timm": model, "image_size": side, "weights": "none", "model_kwargs": keywords}


def write_images(folder: Path, side: int, train: int, test: int = 32) -> Path:
    """Write an index and a cache of noisy square images, each class with a brightness of its own; return the folder."""
    folder.mkdir(parents=True)
    draws, count, pixels = np.random.default_rng(0), train + test, side * side * 3
    labels = draws.integers(0, CLASSES, count)
    own = 80 + 30 * labels + draws.normal(0, 15, count)  # classes overlap: some samples are hard
    images = np.empty((count, pixels), np.uint8)
    for row, brightness in zip(images, own, strict=True):
        row[:] = draws.normal(brightness, 60, pixels).clip(0, 255)
    np.save(folder / "pixels.npy", images.ravel())
    index = np.arange(count)
    layout = {"sample_index": index, "offset": index * pixels, "height": side, "width": side}
    write_parquet(folder / "layout.parquet", pd.DataFrame(layout))
    split = np.where(index < train, "train", "test")
    table = pd.DataFrame({"sample_index": index, "label": labels, "split": split})
    write_parquet(folder / "index.parquet", table)
    return folder


def make_run(
    images: Path,
    state: Path,
    device: torch.device,
    definition: Mapping,
    changes: Mapping,
    store: Mapping = MappingProxyType({"probabilities": "all"}),
) -> FineTuning:
    """Return a run on the images in a folder; changes: what its recipe has in place of `RECIPE`'s."""
    recipe = complete("recipe", {**RECIPE, **changes})
    settings = RunSettings(definition, recipe, {}, store, None, "code")
    samples = Samples.from_index(pd.read_parquet(images / "index.parquet"))
    cache = ImageCache(images / "pixels.npy", images / "layout.parquet")
    names = RunNames("check", "noise", definition["timm"], "random", 0)
    return FineTuning(names, settings, samples, cache, device, RunState(state, {"run": "this"}))


def finished(run: FineTuning, folder: Path) -> tuple[dict, dict[str, bytes]]:
    """Execute a run; return its run.yaml, and the files that a repeated run must give to the byte."""
    folder.mkdir(parents=True, exist_ok=True)
    run.execute(outputs_in(folder))
    return yaml.safe_load((folder / "run.yaml").read_text(encoding="utf-8")), results_of(folder)


def differing(first: Mapping[str, bytes], second: Mapping[str, bytes]) -> list[str]:
    """Return the names of the files whose bytes differ."""
    return [name for name in first if first[name] != second[name]]


def require(condition: object, what: str) -> None:
    """Fail a check with one line; an assertion alone would say nothing without pytest."""
    if not condition:
        raise AssertionError(what)
