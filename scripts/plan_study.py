"""Print what a study will cost, hours, disk and files, before anything is trained."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retention.common.errors import run_command
from retention.common.storage import read_parquet
from retention.training.bill import cost_of_run, measure_throughput
from retention.training.machine import device_in_words
from retention.training.models import choose_device
from retention.training.recipe import complete_recipe

FILES_OF_A_RUN = 9  # traces, epochs, run, centroids, samples, confusions, and logs


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("architectures", "recipes", "store"):
        parser.add_argument(f"--{name}", type=json.loads, required=True, metavar="JSON")
    parser.add_argument("--names", nargs="+", required=True, help="architectures of the study")
    parser.add_argument("--runs-each", type=int, required=True, help="seeds times treatments")
    parser.add_argument("--index", type=Path, nargs="+", required=True, help="one per data set")
    parser.add_argument("--device", default="auto")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure each architecture's throughput and print the bill."""
    options = parse(argv)
    device = choose_device(options.device)
    rows = []
    for path in options.index:
        dataset = path.parent.name
        index = read_parquet(path, columns=("split", "label"))
        train, test = (int((index["split"] == split).sum()) for split in ("train", "test"))
        classes = int(index["label"].max()) + 1
        for name in options.names:
            definition = options.architectures[name]
            recipe = complete_recipe(options.recipes[dataset][name], device)
            speed = measure_throughput(definition, recipe, classes, device)
            cost = cost_of_run(speed, recipe, options.store, train, test, classes)
            rows.append(
                {
                    "dataset": dataset,
                    "architecture": name,
                    "training images": train,
                    "held out": test,
                    "epochs": recipe["epochs"],
                    "train img/s": round(speed.training),
                    "evaluate img/s": round(speed.evaluation),
                    "runs": options.runs_each,
                    "hours": options.runs_each * cost.seconds / 3600,
                    "disk GB": options.runs_each * cost.kept / 1e9,
                    "unfinished GB": cost.unfinished / 1e9,
                }
            )
    table = pd.DataFrame(rows)
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3g}"))
    runs = int(table["runs"].sum())
    print(
        f"\n{runs} runs, about {runs * FILES_OF_A_RUN} files: {table['hours'].sum():.3g} hours one "
        f"after another on {device_in_words(device)}, {table['disk GB'].sum():.3g} GB kept, and up to "
        f"{table['unfinished GB'].max():.3g} GB for each unfinished run. Start-up, pretraining and "
        "the findings are not counted."
    )


if __name__ == "__main__":
    run_command(main)
