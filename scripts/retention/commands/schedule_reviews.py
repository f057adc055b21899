"""Schedule how often each training sample is presented in each epoch of a run, from scores of other runs."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from retention.common.errors import UserError
from retention.common.options import add_map
from retention.common.parquet_tables import read_parquet, write_parquet
from retention.common.randomness import generator
from retention.reviews.schedule import schedule_reviews
from retention.reviews.sources import check_sources
from retention.runs.reading import read_runs
from retention.sampling.checks import treatment_faults
from retention.sampling.treatments import complete_treatment, needs_schedule, needs_source

NAMES = ("study", "dataset", "architecture", "treatment")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in NAMES:
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run that it is for")
    parser.add_argument(
        "--seed",
        type=int,
        required=True,
        help="of that run; with its names it also seeds the schedule",
    )
    add_map(parser, "--treatment-definition", "treatment")
    parser.add_argument(
        "--epochs", type=int, required=True, help="epochs of the recipe to schedule"
    )
    parser.add_argument(
        "--index", type=Path, required=True, help="index.parquet: samples, labels and split"
    )
    parser.add_argument(
        "--samples",
        type=Path,
        nargs="*",
        default=[],
        help="samples.parquet of the runs that source means, all of treatment random; none where the "
        "treatment looks at no score",
    )
    parser.add_argument("--output", type=Path, required=True, help="reviews.parquet to write")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the schedule of one run."""
    options = parse(argv)
    definition = checked(options)
    names = {name: getattr(options, name) for name in (*NAMES, "seed")}
    studies = check_sources(definition["source"], names, options.samples) if options.samples else {}
    index = read_parquet(options.index)
    training = index[index["split"] == "train"].sort_values("sample_index", ignore_index=True)
    runs = read_runs(options.samples)
    for run in runs:
        if not np.array_equal(run.samples["sample_index"], training["sample_index"]):
            raise UserError(
                f"{options.samples[0]}: has other training samples than {options.index}"
            )
    draws = generator(*names.values(), "reviews")
    table, facts = schedule_reviews(definition, training, runs, options.epochs, draws)
    metadata = {
        **names,
        **facts,
        **studies,
        "treatment_definition": json.dumps(definition, sort_keys=True),
    }
    write_parquet(options.output, table, metadata)
    print(f"{options.output}: {summary(table['rate'].to_numpy(), facts, definition)}")


def summary(rates: np.ndarray, facts: Mapping[str, str], definition: Mapping) -> str:
    """Return in one line what the schedule does, and what makes it do less than one would think."""
    shown = int((rates > 0).sum())
    parts = [
        f"{len(rates)} samples, {shown} of them presented, at {rates[rates > 0].min():.3g} to "
        f"{rates.max():.3g} per epoch, {float(facts['moved']):.1%} of the presentations moved"
    ]
    asked = round(definition.get("keep_fraction", 1) * len(rates))
    if shown > asked:
        parts.append(f"one of every class is kept, which is more than the {asked} of keep_fraction")
    parts.append(f"sources: {facts['sources'] or 'none'}")
    if facts.get("below_hazard") == "nan":
        parts.append("no sample was forgotten")
    elif "below_hazard" in facts:
        share = float(facts["below_hazard"])
        parts.append(f"{share:.1%} of the forgotten samples have a λ below their smoothed hazard")
    return "; ".join(parts)


def checked(options: argparse.Namespace) -> dict:
    """Return the complete definition; `UserError` where it is faulty or does not fit the files."""
    for fault in treatment_faults(options.treatment_definition):
        raise UserError(f"--treatment-definition: {fault}")
    definition = complete_treatment(options.treatment_definition)
    if not needs_schedule(definition):
        raise UserError(
            f"--treatment-definition: sampler {definition['sampler']} schedules nothing before a run"
        )
    if needs_source(definition) != bool(options.samples):
        wanted = "needs the scores of" if not options.samples else "takes no scores from"
        raise UserError(f"--samples: this treatment {wanted} other runs")
    if options.epochs < 1:
        raise UserError(f"--epochs: is {options.epochs}; expected at least 1")
    return definition
