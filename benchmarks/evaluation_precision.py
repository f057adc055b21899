"""How often a clean evaluation in bf16, or in checked bf16, records another correctness than in fp32.

Small networks, pretrained on MNIST, are fine-tuned on digits; after every epoch the same weights
are evaluated in all three ways, and the traces that each would have recorded are compared. On a
CPU without bf16 the numbers are the same in kind, since it is emulated with the same rounding.

    python benchmarks/evaluation_precision.py --write          # some minutes on 2 cores
    python benchmarks/evaluation_precision.py --models resnet --train 100 --epochs 3 --seeds 1
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from handwriting import MODELS, prepare, pretrained
from record import record
from scipy.stats import spearmanr

from retention.training.finetuning import FineTuning
from retention.training.recipe import complete_recipe
from retention.training.run import RunNames, RunSettings
from retention.training.state import RunState
from retention.training.tracking import Evaluation, Samples, evaluate

CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=int, default=300)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=1)
    # Training in emulated bf16 takes ten times as long.
    parser.add_argument("--training", nargs="+", default=["fp32"], help="precisions")
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--pretraining", type=int, default=4, help="epochs")
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = prepare("digits", folder / "digits", arguments.train, arguments.test)
        for model in arguments.models:
            weights = pretrained(model, folder, arguments.pretraining)
            for precision in arguments.training:
                for seed in range(arguments.seeds):
                    names = RunNames("benchmark", "digits", model, precision, seed)
                    found = trained(names, weights, images, folder / "state", arguments.epochs)
                    for way in ("bf16", "checked_bf16"):
                        labels = {"model": model, "training": precision, "evaluation": way}
                        rows.append(labels | compared(found["fp32"], found[way]))
    kinds = ["model", "training", "evaluation"]
    table = pd.DataFrame(rows).groupby(kinds, sort=False).mean().reset_index()
    print(table.round(5).to_string(index=False))
    ratios = {
        f"{row.model}_{row.training}_{row.evaluation}_{key}": getattr(row, key)
        for row in table.itertuples()
        for key in ("flips_per_event", "events_changed", "hazard_correlation")
        if np.isfinite(getattr(row, key))
    }
    settings = {key: getattr(arguments, key) for key in ("train", "test", "epochs", "seeds")}
    record("evaluation_precision", settings, ratios, write=arguments.write, table=table)


def trained(names, weights, images, state, epochs) -> dict[str, dict[str, np.ndarray]]:
    """Train one run; return correct bool [epochs, N] and margins of each way of evaluating."""
    table, cache = images
    recipe = {
        "epochs": epochs,
        "learning_rate": 1e-3,
        "precision": names.treatment,
        "threads": 1,
        "augmentation": {"crop_scale": [0.6, 1.0]},
        "head_warmup": {"epochs": 5, "learning_rate": 1e-2},
    }
    settings = RunSettings(
        MODELS[names.architecture], complete_recipe(recipe, CPU), {}, {}, weights, ""
    )
    samples = Samples.from_index(table)
    run = FineTuning(names, settings, samples, cache, CPU, RunState(state, vars(names)))
    found = {"fp32": [], "bf16": [], "checked_bf16": []}
    for _ in run.epochs():
        for way, records in found.items():
            records.append(evaluate(run.model, run.maker, samples, Evaluation(32, way)).record)
    run.state.clear()
    return {
        way: {key: np.stack([record[key] for record in records]) for key in ("correct", "margin")}
        for way, records in found.items()
    }


def compared(exact: dict, rounded: dict) -> dict[str, float]:
    """Return how a record [epochs, N] of the same weights differs from the exact one."""
    correct, other, margin = exact["correct"], rounded["correct"], np.abs(exact["margin"])
    flips = correct != other
    lost, found = (c[:-1] & ~c[1:] for c in (correct, other))
    error = np.abs(exact["margin"] - rounded["margin"])
    return {
        "flips": flips.mean(),
        "events": lost.mean(),
        "flips_per_event": flips.mean() / lost.mean() if lost.any() else np.nan,
        "events_changed": (lost != found).sum() / lost.sum() if lost.any() else np.nan,
        "hazard_correlation": spearmanr(lost.sum(axis=0), found.sum(axis=0)).statistic,
        "margin": np.median(margin),
        "margin_error": np.median(error),
        "margin_error_99": np.quantile(error, 0.99),
        "largest_flipped_margin": margin[flips].max() if flips.any() else 0.0,
        "in_fp32": (error < 1e-5).mean(),
        "accuracy": correct[-1].mean(),
    }


if __name__ == "__main__":
    main()
