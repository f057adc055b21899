"""What a study's data sets hold and how accurate its runs are, as frames that summary and tables show."""

from collections.abc import Mapping, Sequence

import pandas as pd

METRICS = ("initial_test_accuracy", "final_test_accuracy", "final_test_balanced_accuracy")


def data_sets(data: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """Return a row per data set: classes, training, held_out, imbalance (largest : smallest class), same_pixels.

    data: per data set its classes.csv and its duplicates.csv. imbalance is NaN where a class has no image.
    """
    rows = []
    for name, (classes, duplicates) in data.items():
        total = classes["train"] + classes["test"]
        rows.append(
            {
                "dataset": name,
                "classes": len(classes),
                "training": classes["train"].sum(),
                "held_out": classes["test"].sum(),
                "imbalance": total.max() / total.min() if total.min() else float("nan"),
                "same_pixels": int(duplicates["across_splits"].sum()),
            }
        )
    return pd.DataFrame(rows)


def accuracies(runs: Sequence[Mapping]) -> pd.DataFrame:
    """Return a row per data set, architecture and treatment: runs, and mean and deviation over them of `METRICS`.

    runs: run.yaml of each. Columns are <metric>_mean and <metric>_deviation, NaN of a single run; the rows are in the
    order of the runs, `pretrained` apart.
    """
    names = ["dataset", "architecture", "treatment", "pretrained"]
    groups = pd.DataFrame(list(runs)).groupby(names, sort=False, dropna=False)
    found = groups.size().rename("runs").to_frame()
    for metric in METRICS:
        found[f"{metric}_mean"] = groups[metric].mean()
        found[f"{metric}_deviation"] = groups[metric].std()
    return found.reset_index()
