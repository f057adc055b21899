"""How often a clean evaluation in bf16 records another correctness than one in fp32.

Small networks, pretrained on other digits, are fine-tuned on MNIST; after every epoch the same weights
are evaluated in both precisions, and the traces that each would have recorded are compared. On a
CPU without bf16 the numbers are the same in kind, since it is emulated with the same rounding.

    python benchmarks/evaluation_precision.py --write          # some minutes on 2 cores
    python benchmarks/evaluation_precision.py --train 100 --test 50 --epochs 3 --seeds 1 --pretraining 1
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

from retention.training.finetuning import FineTuning, RunNames, RunSettings
from retention.training.recipe import complete_recipe
from retention.training.state import RunState
from retention.training.tracking import Samples, evaluate

CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=int, default=400)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--pretraining", type=int, default=6, help="epochs")
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = prepare("mnist", folder / "mnist", arguments.train, arguments.test)
        for model in MODELS:
            weights = pretrained(model, folder, arguments.pretraining)
            for precision in ("fp32", "bf16"):
                # Training in emulated bf16 takes ten times as long: one seed of it.
                for seed in range(arguments.seeds if precision == "fp32" else 1):
                    names = RunNames("benchmark", "mnist", model, precision, seed)
                    both = trained(names, weights, images, folder / "state", arguments.epochs)
                    rows.append({"model": model, "training": precision} | compared(*both))
    table = pd.DataFrame(rows).groupby(["model", "training"], sort=False).mean().reset_index()
    print(table.round(5).to_string(index=False))
    ratios = {
        f"{row.model}_{row.training}_{key}": getattr(row, key)
        for row in table.itertuples()
        for key in ("flips_per_event", "events_changed", "hazard_correlation")
        if np.isfinite(getattr(row, key))
    }
    settings = {key: getattr(arguments, key) for key in ("train", "test", "epochs", "seeds")}
    record("evaluation_precision", settings, ratios, write=arguments.write, table=table)


def trained(names, weights, images, state, epochs) -> tuple[np.ndarray, ...]:
    """Train one run; return correct bool [epochs, N] and margins, in fp32 and in bf16."""
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
    found = {"fp32": [], "bf16": []}
    for _ in run.epochs():
        for precision, records in found.items():
            bf16 = precision == "bf16"
            records.append(evaluate(run.model, run.maker, samples, 128, bf16))
    run.state.clear()
    return tuple(
        np.stack([record[key] for record in found[precision]])
        for key in ("correct", "margin")
        for precision in ("fp32", "bf16")
    )


def compared(correct, other, margin, rounded) -> dict[str, float]:
    """Return how two records [epochs, N] of the same weights differ."""
    flips = correct != other
    lost, found = (c[:-1] & ~c[1:] for c in (correct, other))
    error = np.abs(margin - rounded)
    return {
        "flips": flips.mean(),
        "events": lost.mean(),
        "flips_per_event": flips.mean() / lost.mean() if lost.any() else np.nan,
        "events_changed": (lost != found).sum() / lost.sum() if lost.any() else np.nan,
        "hazard_correlation": spearmanr(lost.sum(axis=0), found.sum(axis=0)).statistic,
        "margin_error": np.median(error),
        "margin_error_99": np.quantile(error, 0.99),
        "flip_margin_max": np.abs(margin[flips]).max() if flips.any() else 0.0,
        "near_0.1": (np.abs(margin) < 0.1).mean(),
        "near_0.5": (np.abs(margin) < 0.5).mean(),
        "near_1": (np.abs(margin) < 1.0).mean(),
        "logit_scale": np.median(np.abs(margin)),
        "accuracy": correct[-1].mean(),
    }


if __name__ == "__main__":
    main()
