"""Write what a study will cost, hours, jobs, disk and files, before anything is trained."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from retention.common.files import write_text
from retention.common.lists import listed, plural
from retention.common.parquet_tables import read_parquet
from retention.training.cost import (
    Cost,
    Sizes,
    Throughput,
    cost_of_pretraining,
    cost_of_run,
    measure_throughput,
)
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
    parser.add_argument(
        "--pretrainings",
        type=json.loads,
        default={},
        metavar="JSON",
        help="source and recipe of each architecture that is pretrained",
    )
    parser.add_argument(
        "--source-index", type=Path, nargs="*", default=[], help="one per source of a pretraining"
    )
    parser.add_argument(
        "--planted",
        type=json.loads,
        default={},
        metavar="JSON",
        help="runs on copies with labels planted wrong, by data set and architecture",
    )
    parser.add_argument(
        "--own",
        type=json.loads,
        default={},
        metavar="JSON",
        help="runs that were trained elsewhere and cost nothing, by data set and architecture",
    )
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
    parser.add_argument(
        "--bill", type=Path, required=True, help="YAML of the seconds of each run and pretraining"
    )
    return parser.parse_args(argv)


@dataclass(frozen=True)
class Billed:
    """The runs of an architecture on a data set, or a pretraining: what each costs, and what the table shows.

    of: `digest_of_run` of each.
    """

    dataset: str
    architecture: str
    runs: int
    cost: Cost
    of: str
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
    runs = [
        _priced_runs(options, device, path, name, count)
        for path in options.index
        for name, count in zip(options.names, options.runs_each, strict=True)
    ]
    indices = {path.parent.name: path for path in options.source_index}
    pretrainings = [
        _priced_pretraining(options, device, indices[found["source"]], name)
        for name, found in options.pretrainings.items()
    ]
    estimates = {
        (one.dataset, one.architecture): Estimate(one.cost.seconds, one.of, one.cost.state / 1e6)
        for one in [*runs, *pretrainings]
    }
    bill = Bill(device.type, device_in_words(device), estimates)
    write_bill(options.bill, bill)
    write_text(options.output, in_words(runs, pretrainings, bill, options))


def _priced_runs(
    options: argparse.Namespace, device: torch.device, index: Path, name: str, runs: int
) -> Billed:
    """Return what the runs of an architecture on a data set cost, and how fast they are here."""
    sizes, dataset = _sizes_of(index), index.parent.name
    runs += options.planted.get(dataset, {}).get(name, 0)
    runs -= options.own.get(dataset, {}).get(name, 0)
    definition, given = options.architectures[name], options.recipes[dataset][name]
    recipe = complete_recipe(given, device)
    speed = measure_throughput(definition, recipe, sizes, device, options.output.parent)
    cost = cost_of_run(speed, recipe, options.store, sizes)
    shown = _shown(sizes, recipe, speed) | {
        "runs": runs,
        "each": duration(cost.seconds),
        "together": duration(runs * cost.seconds),
        "disk": size(runs * cost.kept),
    }
    return Billed(dataset, name, runs, cost, digest_of_run(definition, given, options.store), shown)


def _priced_pretraining(
    options: argparse.Namespace, device: torch.device, index: Path, name: str
) -> Billed:
    """Return what the pretraining of an architecture costs, and how fast it is here."""
    sizes, source = _sizes_of(index), index.parent.name
    definition, given = options.architectures[name], options.pretrainings[name]["recipe"]
    # As `Pretraining` evaluates, whatever the recipe says.
    recipe = {**complete_recipe(given, device), "evaluation_precision": "fp32"}
    speed = measure_throughput(definition, recipe, sizes, device, options.output.parent)
    cost = cost_of_pretraining(speed, recipe, sizes)
    shown = _shown(sizes, recipe, speed) | {
        "each": duration(cost.seconds),
        "disk": size(cost.kept),
    }
    return Billed(source, name, 1, cost, digest_of_run(definition, given, {}), shown)


def _sizes_of(index: Path) -> Sizes:
    table = read_parquet(index, columns=("split", "label"))
    train, test = (int((table["split"] == split).sum()) for split in ("train", "test"))
    return Sizes(train, test, int(table["label"].max()) + 1)


def _shown(sizes: Sizes, recipe: Mapping, speed: Throughput) -> dict[str, object]:
    return {
        "training images": sizes.train,
        "held out": sizes.test,
        "epochs": recipe["epochs"],
        "train img/s": round(speed.training),
        "evaluate img/s": round(speed.evaluation),
    }


def in_words(
    billed: Sequence[Billed],
    pretrainings: Sequence[Billed],
    bill: Bill,
    options: argparse.Namespace,
) -> str:
    """Return a table with a row per data set and architecture, one of the pretrainings, the sums and what to beware of."""
    every = [*billed, *pretrainings]
    runs = sum(one.runs for one in billed)
    seconds, before = (
        sum(one.runs * one.cost.seconds for one in some) for some in (billed, pretrainings)
    )
    kept = sum(one.runs * one.cost.kept for one in every)
    gpu = "GPU time" if bill.device == "cuda" else "one after another"
    text = _table(billed, bill, options)
    if pretrainings:
        text += f"\n\nPretrained before, once each:\n\n{_table(pretrainings, bill, options)}"
        gpu += f" (and {duration(before)} of pretraining)"
    copied = sum(sum(found.values()) for found in options.planted.values())
    beside = f" ({copied} of them on copies with labels planted wrong)" if copied else ""
    text += (
        f"\n\n{plural(runs, 'run')}, of each data set, architecture, treatment and seed{beside}: {duration(seconds)} {gpu} on "
        f"{bill.device_name}, {size(kept)} in about {options.files[0]} files, with "
        f"{options.files[1]} small ones in .snakemake/, and up to "
        f"{size(max(one.cost.unfinished for one in every))} for each unfinished run. Start-up "
        f"and the findings are not counted.\nOn a cluster: {options.jobs} jobs; the longest "
        f"training takes {duration(max(one.cost.seconds for one in every))}.\n"
    )
    return text + _limits_in_words(every, bill, options)


def _table(billed: Sequence[Billed], bill: Bill, options: argparse.Namespace) -> str:
    rows = [
        {"dataset": one.dataset, "architecture": one.architecture, **one.shown}
        | {"time limit": duration(60 * _limit(one, bill, options))}
        for one in billed
    ]
    return pd.DataFrame(rows).to_string(index=False)


def _limit(one: Billed, bill: Bill, options: argparse.Namespace) -> int:
    """Return the minutes that its job asks for, at its first attempt."""
    base = bill.minutes(one.dataset, one.architecture, one.of, options.trains_on)
    return minutes(options.site, base)


def _limits_in_words(billed: Sequence[Billed], bill: Bill, options: argparse.Namespace) -> str:
    unknown = duration(60 * minutes(options.site, UNKNOWN_MINUTES))
    if options.trains_on not in ("auto", bill.device):
        return (
            f"Each job that trains asks for {unknown}: this was measured on {bill.device}, the jobs train on "
            f"{options.trains_on}, and how long they take there is not known.\n"
        )
    text = (
        f"Each job that trains asks for its time limit: {TIMES} times what it takes and {MORE_MINUTES} minutes, at "
        f"least {LEAST_MINUTES}, as slurm/site.yaml scales and caps it.\n"
    )
    if options.trains_on == "auto":  # of a workstation, where no job is cut off
        text += (
            f"On a cluster whose jobs train on another kind of device each asks for {unknown}.\n"
        )
    short = [
        f"{one.architecture} on {one.dataset}"
        for one in billed
        if one.cost.seconds > 60 * _limit(one, bill, options)
    ]
    if short:
        text += (
            f"That is too little for {listed(short)}: raise time_factor or max_hours in slurm/site.yaml. A run that "
            "is cut off goes on from its last epoch, but only so often as `retries` in slurm/config.yaml says.\n"
        )
    return text
