"""What is told of a run that was trained elsewhere: its epochs, and how it began and ended, all from its traces."""

from typing import Any

import numpy as np
import pandas as pd


def epochs_of(
    epochs: np.ndarray, correct: np.ndarray, samples: pd.DataFrame, train_loss: np.ndarray | None
) -> pd.DataFrame:
    """Return a row per epoch, with the columns of epochs.csv that traces can tell.

    epochs: int [E]; correct: bool [N, E]; samples: [N] rows with `split` and `label`; train_loss: float [E], the mean
    over the training samples, or None. Balanced accuracy is the mean recall over the classes that are held out.
    """
    train = (samples["split"] == "train").to_numpy()
    held_out = pd.DataFrame(correct[~train])
    recalls = held_out.groupby(samples["label"].to_numpy()[~train]).mean()
    turned = np.diff(correct[train].astype(np.int8), axis=1)
    nothing = np.full(1, np.nan)
    return pd.DataFrame(
        {
            "epoch": epochs,
            "train_loss": np.nan if train_loss is None else train_loss,
            "train_accuracy": correct[train].mean(axis=0),
            "test_accuracy": held_out.mean().to_numpy() if len(held_out) else np.nan,
            "test_balanced_accuracy": recalls.mean().to_numpy() if len(held_out) else np.nan,
            "forgotten": np.concatenate([nothing, (turned == -1).sum(axis=0)]),
            "learned": np.concatenate([nothing, (turned == 1).sum(axis=0)]),
        }
    ).astype({"forgotten": "Int64", "learned": "Int64"})


def facts_of(epochs: pd.DataFrame, samples: pd.DataFrame) -> dict[str, Any]:
    """Return what run.yaml tells of how a run began and ended, None or NaN for what is not known.

    The beginning is epoch 0; traces that begin later tell nothing of it.
    """
    first, last = epochs.iloc[0], epochs.iloc[-1]
    if first["epoch"] != 0:
        first = pd.Series(np.nan, index=first.index)
    sizes = samples.loc[samples["split"] == "train", "label"].value_counts()
    accuracies = ("train_accuracy", "test_accuracy", "test_balanced_accuracy")
    facts: dict[str, Any] = {
        "recipe": {"epochs": int(last["epoch"])},
        "train_samples": int(sizes.sum()),
        "test_samples": int(len(samples) - sizes.sum()),
        "classes": int(samples["label"].max()) + 1,
        **{f"initial_{name}": _known(first[name]) for name in accuracies},
        "initial_train_accuracy": float(first["train_accuracy"]),
        "first_epoch": int(epochs["epoch"].iloc[0]),
        **{f"final_{name}": _known(last[name]) for name in accuracies},
        "highest_train_accuracy": float(epochs["train_accuracy"].max()),
        "largest_class_share": float(sizes.max() / sizes.sum()),
    }
    if pd.notna(last["train_loss"]):
        facts["final_train_loss"] = float(last["train_loss"])
    return facts


def _known(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
