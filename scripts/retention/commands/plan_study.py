"""Write what a study will cost, hours, jobs, disk and files, before anything is trained."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from retention.common.files import write_text
from retention.common.lists import plural
from retention.common.parquet_tables import read_parquet
from retention.training.cost import Cost, Sizes, cost_of_run, measure_throughput
from retention.training.device import taken_device
from retention.training.machine import device_in_words
from retention.training.recipe import complete_recipe


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("architectures", "recipes", "store"):
        parser.add_argument(f"--{name}", type=json.loads, required=True, metavar="JSON")
    parser.add_argument("--names", nargs="+", required=True, help="architectures of the study")
    parser.add_argument(
        "--runs-each", type=int, nargs="+", required=True, help="seeds times treatments, per name"
    )
    parser.add_argument("--index", type=Path, nargs="+", required=True, help="one per data set")
    parser.add_argument("--files", type=int, nargs=2, required=True, help="of runs, and records")
    parser.add_argument("--jobs", type=int, required=True, help="jobs that a cluster gets")
    parser.add_argument("--time-limit", type=int, required=True, help="minutes of a training job")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args(argv)


def duration(seconds: float) -> str:
    """Return a time to three digits in the unit that suits it."""
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"


def size(count: float) -> str:
    """Return a number of bytes to three digits in the unit that suits it."""
    for unit, length in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= length:
            return f"{count / length:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure each architecture's throughput and write what the study will cost."""
    options = parse(argv)
    with taken_device(options.device) as device:
        _measure(options, device)


def _measure(options: argparse.Namespace, device: torch.device) -> None:
    rows, costs = [], []
    folder = options.output.parent
    folder.mkdir(parents=True, exist_ok=True)
    for path in options.index:
        dataset = path.parent.name
        index = read_parquet(path, columns=("split", "label"))
        train, test = (int((index["split"] == split).sum()) for split in ("train", "test"))
        sizes = Sizes(train, test, int(index["label"].max()) + 1)
        for name, runs in zip(options.names, options.runs_each, strict=True):
            definition = options.architectures[name]
            recipe = complete_recipe(options.recipes[dataset][name], device)
            speed = measure_throughput(definition, recipe, sizes, device, folder)
            cost = cost_of_run(speed, recipe, options.store, sizes)
            costs.append((runs, cost))
            rows.append(
                {
                    "dataset": dataset,
                    "architecture": name,
                    "training images": train,
                    "held out": test,
                    "epochs": recipe["epochs"],
                    "train img/s": round(speed.training),
                    "evaluate img/s": round(speed.evaluation),
                    "runs": runs,
                    "each": duration(cost.seconds),
                    "together": duration(runs * cost.seconds),
                    "disk": size(runs * cost.kept),
                }
            )
    write_text(options.output, in_words(pd.DataFrame(rows), costs, options, device))


def in_words(
    table: pd.DataFrame,
    costs: Sequence[tuple[int, Cost]],
    options: argparse.Namespace,
    device: torch.device,
) -> str:
    """Return the table and, below it, the sums and what to beware of.

    costs: how many runs there are at each cost.
    """
    runs, longest = int(table["runs"].sum()), max(cost.seconds for _, cost in costs)
    seconds = sum(count * cost.seconds for count, cost in costs)
    kept = sum(count * cost.kept for count, cost in costs)
    gpu = "GPU time" if device.type == "cuda" else "one after another"
    text = table.to_string(index=False)
    text += (
        f"\n\n{plural(runs, 'run')}, of each data set, architecture, treatment and seed: {duration(seconds)} {gpu} on "
        f"{device_in_words(device)}, {size(kept)} in about {options.files[0]} files, with "
        f"{options.files[1]} small ones in .snakemake/, and up to "
        f"{size(max(cost.unfinished for _, cost in costs))} for each unfinished run. Start-up, "
        f"pretraining and the findings are not counted.\nOn a cluster: {options.jobs} jobs; the longest "
        f"run takes {duration(longest)}, its job is given {duration(60 * options.time_limit)}.\n"
    )
    if longest > 60 * options.time_limit:
        text += (
            "That is too little: raise time_factor or max_hours in slurm/site.yaml. A run that is cut "
            "off goes on from its last epoch, but only so often as `retries` in slurm/config.yaml says.\n"
        )
    return text
