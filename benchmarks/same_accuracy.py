"""Held-out accuracy of this workflow and of the script most people would write, seed by seed.

Small networks, pretrained on MNIST, are fine-tuned on digits with one recipe by both; each seed has its
own split. Ours is run as configured by default: what `auto` chose is printed. The interval is
Student's over the seeds' differences; ±1 percentage point is what was asked.

    python benchmarks/same_accuracy.py --write             # half an hour on 2 cores
    python benchmarks/same_accuracy.py --models resnet --seeds 2 --train 100 --epochs 1
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from scipy.stats import t

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from handwriting import MODELS, prepare, pretrained
from plain_script import fine_tune
from record import record

from retention.data.adapters import package
from retention.training.finetuning import FineTuning
from retention.training.models import build_model, head_names, is_head_key
from retention.training.recipe import complete_recipe
from retention.training.run import RunNames, RunSettings
from retention.training.state import RunState
from retention.training.tracking import Samples
from retention.training.weight_files import read_weights

CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--train", type=int, default=400)
    parser.add_argument("--test", type=int, default=1200)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--pretraining", type=int, default=6, help="epochs")
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    recipe = {
        "epochs": arguments.epochs,
        "batch_size": 32,
        "learning_rate": 1e-3,
        "head_learning_rate": 2e-3,
        "weight_decay": 0.05,
        "threads": 1,
        "augmentation": {"crop_scale": [0.6, 1.0]},
        "head_warmup": {"epochs": 5, "learning_rate": 1e-2},
    }
    rows, chosen = [], complete_recipe(recipe, CPU)["precision"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model in arguments.models:
            weights = pretrained(model, folder, arguments.pretraining)
            for seed in range(arguments.seeds):
                place = folder / f"{model}{seed}"
                images = prepare("digits", place, arguments.train, arguments.test, seed)
                write_folders(images[0], place)
                row = {
                    "model": model,
                    "seed": seed,
                    "ours": ours(model, recipe, seed, weights, images, place / "state"),
                    "plain": plain(model, recipe, seed, weights, place),
                }
                print(row, flush=True)
                rows.append(row)
    table = pd.DataFrame(rows)
    ratios = {}
    for model, part in table.groupby("model"):
        difference = 100 * (part["ours"] - part["plain"])
        half = t.ppf(0.975, len(part) - 1) * difference.std() / np.sqrt(len(part))
        ratios |= {
            f"{model}_ours": part["ours"].mean(),
            f"{model}_plain": part["plain"].mean(),
            f"{model}_difference_pp": difference.mean(),
            f"{model}_low_pp": difference.mean() - half,
            f"{model}_high_pp": difference.mean() + half,
        }
    kept = ("seeds", "train", "test", "epochs", "pretraining")
    settings = {key: getattr(arguments, key) for key in kept} | {"precision": chosen}
    record("same_accuracy", settings, ratios, write=arguments.write, table=table)


def write_folders(table: pd.DataFrame, folder: Path) -> None:
    """Write the images as PNG into the folders that ImageFolder reads."""
    definition = {"adapter": "package", "loader": "digits"}
    for row in table.itertuples():
        place = folder / row.split / row.class_name
        place.mkdir(parents=True, exist_ok=True)
        image: Image.Image = package.open_image(definition, row.path)
        image.convert("RGB").save(place / f"{row.sample_index}.png")


def ours(model, recipe, seed, weights, images, state) -> float:
    """Return the held-out accuracy after the last epoch of our run."""
    settings = RunSettings(MODELS[model], complete_recipe(recipe, CPU), {}, {}, weights, "")
    names = RunNames("benchmark", "digits", model, "random", seed)
    samples = Samples.from_index(images[0])
    run = FineTuning(names, settings, samples, images[1], CPU, RunState(state, {}))
    return list(run.epochs())[-1]["test_accuracy"]


def plain(model, recipe, seed, weights, folder) -> float:
    """Return the held-out accuracy after the last epoch of the plain script."""
    torch.use_deterministic_algorithms(False)  # as it would be on its own
    heads = head_names(build_model(MODELS[model], 10))
    backbone = {k: v for k, v in read_weights(weights).items() if not is_head_key(k, heads)}
    return list(fine_tune(folder, MODELS[model], recipe, seed, backbone))[-1]["test_accuracy"]


if __name__ == "__main__":
    main()
