"""Write what a study will cost, hours, jobs, disk and files, before anything is trained."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from retention.common.errors import run_command
from retention.common.storage import read_parquet, write_text
from retention.training.bill import cost_of_run, measure_throughput
from retention.training.machine import device_in_words
from retention.training.models import choose_device
from retention.training.optimisation import complete_recipe


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("architectures", "recipes", "store"):
        parser.add_argument(f"--{name}", type=json.loads, required=True, metavar="JSON")
    parser.add_argument("--names", nargs="+", required=True, help="architectures of the study")
    parser.add_argument("--runs-each", type=int, required=True, help="seeds times treatments")
    parser.add_argument("--index", type=Path, nargs="+", required=True, help="one per data set")
    parser.add_argument("--files-of-a-run", type=int, required=True)
    parser.add_argument("--jobs", type=int, required=True, help="jobs that a cluster gets")
    parser.add_argument("--time-limit", type=int, required=True, help="minutes of a training job")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure each architecture's throughput and write the bill."""
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
            recipe = complete_recipe(options.recipes[dataset][name])
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
                    "hours a run": cost.seconds / 3600,
                    "hours": options.runs_each * cost.seconds / 3600,
                    "disk GB": options.runs_each * cost.kept / 1e9,
                    "unfinished GB": cost.unfinished / 1e9,
                }
            )
    table = pd.DataFrame(rows)
    write_text(options.output, bill_in_words(table, options, device))


def bill_in_words(table: pd.DataFrame, options: argparse.Namespace, device: torch.device) -> str:
    """Return the table and, below it, the sums and what to beware of."""
    runs, longest = int(table["runs"].sum()), table["hours a run"].max()
    unit = "GPU hours" if device.type == "cuda" else "hours"
    text = table.to_string(index=False, float_format=lambda value: f"{value:.3g}")
    text += (
        f"\n\n{runs} runs: {table['hours'].sum():.3g} {unit} on {device_in_words(device)}, "
        f"{table['disk GB'].sum():.3g} GB in about {runs * options.files_of_a_run} files, and up to "
        f"{table['unfinished GB'].max():.3g} GB for each unfinished run. Start-up, pretraining and the "
        f"findings are not counted.\nOn a cluster: {options.jobs} jobs; the longest run takes "
        f"{longest:.2g} hours, its job is given {options.time_limit / 60:.2g}.\n"
    )
    if longest * 60 > options.time_limit:
        text += (
            "That is too little: raise time_factor or max_hours in slurm/site.yaml. A run that is cut "
            "off goes on from its last epoch, but only so often as `retries` in slurm/config.yaml says.\n"
        )
    return text


if __name__ == "__main__":
    run_command(main)
