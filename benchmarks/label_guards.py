"""When does a run's word that a label is wrong hold? Where the bounds of `suspects.by_heart` and `suspects.weak` come from.

Of runs on copies whose labels were planted wrong (`snakemake planted`): each run is looked at as if it had ended after 2, 4, 8,
… epochs. `flagged` are the training samples whose label is not what the run predicted most often, as `label_not_predicted`
counts. Of them `held` is the share that was planted, `found` the share of the planted labels that is flagged, and `ranked` the
share of these among the first so many by mean error norm.

    python benchmarks/label_guards.py results/mine/mine_planted_random_1 results/mine/mine_planted_confusions_1

Without folders a classifier is simulated: a logistic regression on handwritten digits, 8 % of their labels planted wrong, that
takes gradient steps until it knows them by heart.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pandas as pd
from record import record

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from retention.common.parquet_tables import read_parquet

SHARE, RATE = 0.08, 400.0  # planted labels; length of a gradient step


def of_run(label, held_out, predicted, error_norm, planted):
    """Return a row per length of a run.

    label: int [N], held_out: bool [N], planted: bool [N]; predicted: int [N, E], error_norm: float [N, E].
    """
    rows, epochs, length = [], predicted.shape[1], 2
    while length <= epochs:
        said, training = predicted[:, :length], ~held_out
        counts = np.stack([(said == one).sum(axis=1) for one in np.unique(label)], axis=1)
        own = np.take_along_axis(counts, np.searchsorted(np.unique(label), label)[:, None], axis=1)
        flagged = (counts.max(axis=1) > own[:, 0]) & training
        order = np.argsort(-error_norm[:, :length].mean(axis=1)[training], kind="stable")
        first = planted[training][order][: planted.sum()]
        right = said[:, -1] == label
        rows.append(
            {
                "evaluations": length,
                "training": right[training].mean(),
                "held out": right[held_out].mean(),
                "flagged": int(flagged.sum()),
                "held": planted[flagged].mean() if flagged.any() else np.nan,
                "found": flagged[planted].mean(),
                "ranked": first.mean(),
            }
        )
        length *= 2
    return rows


def of_copy(folder: Path):
    """Return the rows of all runs on a copy."""
    index = read_parquet(folder / "index.parquet").sort_values(["split", "sample_index"])
    label = index["label"].to_numpy()
    planted = label != index["true_label"].to_numpy()
    rows = []
    for path in sorted(folder.glob("runs/*/random/seed*/traces.parquet")):
        traces = read_parquet(path)
        wide = {
            name: traces.pivot(index=["split", "sample_index"], columns="epoch", values=name)
            for name in ("predicted", "error_norm")
        }
        held_out = (index["split"] != "train").to_numpy()
        found = of_run(label, held_out, *(table.to_numpy() for table in wide.values()), planted)
        rows += [{"run": "/".join(path.parts[-4:-1]), "copy": folder.name} | row for row in found]
    return rows


def simulated(epochs: int):
    """Return the rows of a logistic regression on random features of scikit-learn's digits, trained by gradient steps."""
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(0)
    pixels, true = load_digits(return_X_y=True)
    features = np.maximum(pixels / 16 @ rng.normal(size=(64, 1200)) + rng.normal(size=1200), 0)
    features -= features.mean(axis=0)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    held_out = rng.random(len(true)) < 0.5
    planted = (rng.random(len(true)) < SHARE) & ~held_out
    label = np.where(planted, (true + rng.integers(1, 10, len(true))) % 10, true)
    wanted, weights = np.eye(10)[label], np.zeros((features.shape[1], 10))
    predicted, norms = [], []
    for _ in range(epochs):
        for _ in range(10):
            logits = features @ weights
            chances = np.exp(logits - logits.max(axis=1, keepdims=True))
            chances /= chances.sum(axis=1, keepdims=True)
            error = (chances - wanted)[~held_out]
            weights -= RATE * features[~held_out].T @ error / (~held_out).sum()
        predicted.append(chances.argmax(axis=1))
        norms.append(np.linalg.norm(chances - wanted, axis=1))
    rows = of_run(label, held_out, np.stack(predicted, 1), np.stack(norms, 1), planted)
    return [{"run": "simulated", "copy": "digits"} | row for row in rows]


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument(
        "copies", type=Path, nargs="*", help="folders of copies with planted labels"
    )
    parser.add_argument("--epochs", type=int, default=64, help="of the simulated classifier")
    parser.add_argument("--write", action="store_true", help="keep the table in results/")
    options = parser.parse_args()
    rows = [row for folder in options.copies for row in of_copy(folder)]
    table = pd.DataFrame(rows or simulated(options.epochs))
    print(table.to_string(index=False, float_format="{:.3f}".format))
    last = table.iloc[-1]
    ratios = {name: float(last[name]) for name in ("found", "ranked")}
    settings = {"copies": [folder.name for folder in options.copies], "epochs": options.epochs}
    record("label_guards", settings, ratios, options.write, table)


if __name__ == "__main__":
    main()
