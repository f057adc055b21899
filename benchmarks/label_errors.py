"""Which ranking finds wrong labels? Ours beside cleanlab, AUM with threshold samples, EL2N, forgetting, and two baselines.

Wrong labels are planted in real images of packages (`label_sets.py`): at random, in the next class alone, and on the images that a
linear classifier is unsure of; none, 0.5, 1, 2, 6 and 10 % of the training and of the held-out images. A small network
(`label_training.py`) is trained 5, 10, 20 and 40 epochs. Every method has five trainings or fewer of it (`label_scores.py`). Each
draw has other images, other wrong labels and other trainings, so the spread over draws holds all three.

What is reviewed is fixed beforehand: the first 4 % of the ranking, and the first 100 images. Methods with a cut of their own have
it beside. `chosen` are the epochs with the highest held-out accuracy by the given labels, which a user sees, too. Differences in
average precision are those of `error_norm` from the others in the same draw, with a t interval of 95 % over draws.

    pip install cleanlab==2.9.0
    python benchmarks/label_errors.py --draws 5 --store F --write
    python benchmarks/label_errors.py --sets digits_400 --draws 1 --shares 0.06
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import itertools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from record import record
from scipy.stats import t as student
from sklearn.metrics import average_precision_score

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from label_scores import accuracies, scores, train
from label_sets import KINDS, SETS, drawn

from retention.common.csv_tables import write_csv
from retention.suspects.recovery import reviewed_first

SHARES, EPOCHS = (0.0, 0.005, 0.01, 0.02, 0.06, 0.1), (5, 10, 20, 40)
NONE, CHOSEN, OURS = "none", "chosen", "error_norm"
REVIEWED, REVIEWED_SHARE = 100, 0.04
CELL = ["set", "kind", "share", "epochs", "score"]
MEANS = [
    *("planted", "average_precision", "in_first_100", "found_in_first_4_percent"),
    *("flagged", "flagged_right", "training_accuracy", "held_out_accuracy", "trainings"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--shares", nargs="+", type=float, default=SHARES)
    parser.add_argument("--epochs", nargs="+", type=int, default=EPOCHS)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument(
        "--store", type=Path, help="folder that keeps draws: later calls add to them"
    )
    parser.add_argument("--write", action="store_true", help="write the tables that the docs show")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        store = arguments.store or Path(folder)
        store.mkdir(parents=True, exist_ok=True)
        rows = pd.concat(draws_of(store, arguments), ignore_index=True)
    table = cells(with_chosen(rows))
    settings = {name: getattr(arguments, name) for name in ("sets", "shares", "epochs", "draws")}
    record("label_errors", settings, counted(table), arguments.write, table)


def draws_of(store: Path, arguments: argparse.Namespace) -> Iterator[pd.DataFrame]:
    """Yield the rows of each draw of each condition; what the store holds is not made again."""
    conditions = [
        (kind, share) for share in arguments.shares for kind in (KINDS if share else [NONE])
    ]
    for draw, name in itertools.product(range(arguments.draws), arguments.sets):
        for kind, share in conditions:
            path = store / f"{name} {kind} {share:g} {draw}.csv"
            if not path.exists():
                write_csv(path, one_draw(name, kind, share, draw, arguments.epochs))
            yield pd.read_csv(path, keep_default_na=False, na_values=[""])
        print(f"{name}: draw {draw + 1} of {arguments.draws} done", file=sys.stderr, flush=True)


def one_draw(name: str, kind: str, share: float, draw: int, lengths: list[int]) -> pd.DataFrame:
    """Return a row per length and score of one draw of a set with planted labels."""
    place = (KINDS.index(kind) + 1 if share else 0, round(1000 * share))
    seed = [list(SETS).index(name), *place, draw]
    labelled = drawn(name, kind, share, seed)
    trainings, wrong = train(labelled, max(lengths), seed), labelled.wrong
    rows = []
    for length in lengths:
        training, held_out = accuracies(trainings, length)
        known = {"set": name, "kind": kind, "share": share, "draw": draw, "epochs": length}
        known |= {"planted": int(wrong.sum()), "training_accuracy": training}
        known["held_out_accuracy"] = held_out
        for label, score in scores(trainings, length):
            found = {
                "score": label,
                "trainings": score.trainings,
                "flagged": None,
                "flagged_right": None,
            }
            if score.flagged is not None:
                found["flagged"] = int(score.flagged.sum())
                found["flagged_right"] = int((score.flagged & wrong).sum())
            rows.append(known | found | reviewed(score.values, wrong))
    return pd.DataFrame(rows)


def reviewed(values: np.ndarray, wrong: np.ndarray) -> dict[str, float]:
    """Return what reviewing by a score finds; images of equal score share the places left for them.

    values: float [T], highest first; wrong: bool [T].
    """
    first = reviewed_first(values, REVIEWED)[wrong].sum()
    share = reviewed_first(values, round(REVIEWED_SHARE * len(wrong)))[wrong]
    some = bool(wrong.any())
    return {
        "average_precision": average_precision_score(wrong, values) if some else np.nan,
        "in_first_100": float(first),
        "found_in_first_4_percent": float(share.mean()) if some else np.nan,
    }


def with_chosen(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows and again those of the length at which a draw's runs are best on held-out images, as `chosen`."""
    draw = ["set", "kind", "share", "draw"]
    best = rows.groupby(draw)["held_out_accuracy"].transform("max")
    chosen = rows[rows["held_out_accuracy"] == best]
    shortest = chosen.groupby(draw)["epochs"].transform("min")
    chosen = chosen[chosen["epochs"] == shortest].assign(epochs=CHOSEN)
    return pd.concat([rows.astype({"epochs": str}), chosen], ignore_index=True)


def cells(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the table: means over draws, and by how much `error_norm` is above each score, with its interval."""
    pairs = ["set", "kind", "share", "epochs", "draw"]
    ours = rows.loc[rows["score"] == OURS, [*pairs, "average_precision"]]
    beside = rows.merge(ours, on=pairs, suffixes=("", "_ours"), validate="many_to_one")
    beside["above"] = beside["average_precision_ours"] - beside["average_precision"]
    table = beside.groupby(CELL, sort=False)[MEANS].mean()
    differences = beside.groupby(CELL, sort=False)["above"].agg(["mean", "std", "count"])
    half = differences["std"] / np.sqrt(differences["count"])
    half *= student.ppf(0.975, (differences["count"] - 1).clip(lower=1))
    table["error_norm_above"] = differences["mean"]
    table["above_low"] = differences["mean"] - half
    table["above_high"] = differences["mean"] + half
    table["draws"] = beside.groupby(CELL, sort=False)["draw"].nunique()
    return table.reset_index()


def counted(table: pd.DataFrame) -> dict[str, float]:
    """Return of each other score in how many cells at chosen lengths `error_norm` is above, below, or not told from it."""
    cells_of = table[(table["epochs"] == CHOSEN) & (table["share"] > 0)]
    counts: dict[str, float] = {"cells": float((cells_of["score"] == OURS).sum())}
    for name, of in cells_of[cells_of["score"] != OURS].groupby("score", sort=False):
        counts[f"above {name}"] = float((of["above_low"] > 0).sum())
        counts[f"below {name}"] = float((of["above_high"] < 0).sum())
    return counts


if __name__ == "__main__":
    main()
