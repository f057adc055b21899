"""Write what a study will cost, hours, jobs, disk and files, before anything is trained."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from retention.common.files import write_text
from retention.common.lists import listed, plural
from retention.common.parquet_tables import read_parquet
from retention.training.cost import Cost, Sizes, cost_of_run, measure_throughput
from retention.training.device import taken_device
from retention.training.machine import device_in_words
from retention.training.recipe import complete_recipe
from retention.workflow.time_limits import (
    LEAST_MINUTES,
    MORE_MINUTES,
    TIMES,
    UNKNOWN_MINUTES,
    Bill,
    Estimate,
    digest_of_run,
    minutes,
    write_bill,
)


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
    parser.add_argument(
        "--site",
        type=json.loads,
        required=True,
        metavar="JSON",
        help="time_factor and max_hours of slurm/site.yaml",
    )
    parser.add_argument(
        "--trains-on",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="kind of device that the jobs train on; auto: that of --device",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--bill", type=Path, required=True, help="YAML of the seconds of each run")
    return parser.parse_args(argv)


@dataclass(frozen=True)
class Billed:
    """The runs of an architecture on a data set, what each costs, and what the table shows of them."""

    dataset: str
    architecture: str
    runs: int
    cost: Cost
    shown: dict[str, object]


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
    folder = options.output.parent
    folder.mkdir(parents=True, exist_ok=True)
    billed = [
        _priced(options, device, path, name, runs)
        for path in options.index
        for name, runs in zip(options.names, options.runs_each, strict=True)
    ]
    estimates = {
        (one.dataset, one.architecture): Estimate(
            one.cost.seconds,
            digest_of_run(
                options.architectures[one.architecture],
                options.recipes[one.dataset][one.architecture],
                options.store,
            ),
        )
        for one in billed
    }
    bill = Bill(device.type, device_in_words(device), estimates)
    write_bill(options.bill, bill)
    write_text(options.output, in_words(billed, bill, options))


def _priced(
    options: argparse.Namespace, device: torch.device, index: Path, name: str, runs: int
) -> Billed:
    """Return what the runs of an architecture on a data set cost, and how fast they are here."""
    table = read_parquet(index, columns=("split", "label"))
    train, test = (int((table["split"] == split).sum()) for split in ("train", "test"))
    sizes, dataset = Sizes(train, test, int(table["label"].max()) + 1), index.parent.name
    recipe = complete_recipe(options.recipes[dataset][name], device)
    definition = options.architectures[name]
    speed = measure_throughput(definition, recipe, sizes, device, options.output.parent)
    cost = cost_of_run(speed, recipe, options.store, sizes)
    shown = {
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
    return Billed(dataset, name, runs, cost, shown)


def in_words(billed: Sequence[Billed], bill: Bill, options: argparse.Namespace) -> str:
    """Return a table with a row per data set and architecture and, below it, the sums and what to beware of."""
    limits = [_limit(one, bill, options) for one in billed]
    rows = [
        {"dataset": one.dataset, "architecture": one.architecture, **one.shown}
        | {"time limit": duration(60 * limit)}
        for one, limit in zip(billed, limits, strict=True)
    ]
    runs = sum(one.runs for one in billed)
    seconds = sum(one.runs * one.cost.seconds for one in billed)
    kept = sum(one.runs * one.cost.kept for one in billed)
    gpu = "GPU time" if bill.device == "cuda" else "one after another"
    text = pd.DataFrame(rows).to_string(index=False)
    text += (
        f"\n\n{plural(runs, 'run')}, of each data set, architecture, treatment and seed: {duration(seconds)} {gpu} on "
        f"{bill.device_name}, {size(kept)} in about {options.files[0]} files, with "
        f"{options.files[1]} small ones in .snakemake/, and up to "
        f"{size(max(one.cost.unfinished for one in billed))} for each unfinished run. Start-up, "
        f"pretraining and the findings are not counted.\nOn a cluster: {options.jobs} jobs; the longest "
        f"run takes {duration(max(one.cost.seconds for one in billed))}.\n"
    )
    return text + _limits_in_words(billed, limits, bill, options)


def _limit(one: Billed, bill: Bill, options: argparse.Namespace) -> int:
    """Return the minutes that the job of a run asks for, at its first attempt."""
    of = bill.runs[one.dataset, one.architecture].of
    base = bill.minutes(one.dataset, one.architecture, of, options.trains_on)
    return minutes(options.site, base)


def _limits_in_words(
    billed: Sequence[Billed], limits: Sequence[int], bill: Bill, options: argparse.Namespace
) -> str:
    unknown = duration(60 * minutes(options.site, UNKNOWN_MINUTES))
    if options.trains_on not in ("auto", bill.device):
        return (
            f"Each job that trains asks for {unknown}: this was measured on {bill.device}, the jobs train on "
            f"{options.trains_on}, and how long they take there is not known.\n"
        )
    text = (
        f"The job of a run asks for its time limit: {TIMES} times what a run takes and {MORE_MINUTES} minutes, at "
        f"least {LEAST_MINUTES}, as slurm/site.yaml scales and caps it. That of a pretraining asks for {unknown}.\n"
    )
    if options.trains_on == "auto":  # of a workstation, where no job is cut off
        text += (
            f"On a cluster whose jobs train on another kind of device each asks for {unknown}.\n"
        )
    short = [
        f"{one.architecture} on {one.dataset}"
        for one, limit in zip(billed, limits, strict=True)
        if one.cost.seconds > 60 * limit
    ]
    if short:
        text += (
            f"That is too little for {listed(short)}: raise time_factor or max_hours in slurm/site.yaml. A run that "
            "is cut off goes on from its last epoch, but only so often as `retries` in slurm/config.yaml says.\n"
        )
    return text
