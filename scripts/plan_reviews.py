"""Plan how often each training sample is presented in each epoch of a run, from scores of other runs."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from retention.analysis.review_plan import plan_reviews
from retention.analysis.runs import read_runs
from retention.common.errors import UserError, run_command
from retention.common.randomness import generator
from retention.common.storage import read_parquet, write_parquet
from retention.common.treatments import (
    complete_treatment,
    needs_plan,
    needs_source,
    treatment_faults,
)

NAMES = ("study", "dataset", "architecture", "treatment")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in NAMES:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--treatment-definition", type=json.loads, required=True, metavar="JSON")
    parser.add_argument("--epochs", type=int, required=True, help="of the run that is planned")
    parser.add_argument("--index", type=Path, required=True, help="samples, labels and split")
    parser.add_argument(
        "--samples", type=Path, nargs="*", default=[], help="samples.parquet of the source runs"
    )
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the plan of one run."""
    options = parse(argv)
    definition = checked(options)
    index = read_parquet(options.index)
    training = index[index["split"] == "train"].sort_values("sample_index", ignore_index=True)
    runs = read_runs(options.samples)
    for run in runs:
        if not np.array_equal(run.samples["sample_index"], training["sample_index"]):
            raise UserError(
                f"{options.samples[0]}: has other training samples than {options.index}"
            )
    names = {name: getattr(options, name) for name in (*NAMES, "seed")}
    draws = generator(*names.values(), "reviews")
    table, facts = plan_reviews(definition, training, runs, options.epochs, draws)
    metadata = {**names, **facts, "treatment_definition": json.dumps(definition, sort_keys=True)}
    write_parquet(options.output, table, metadata)
    rates = table["rate"]
    print(
        f"{options.output}: {len(table)} samples, {int((rates > 0).sum())} of them presented, at "
        f"{rates[rates > 0].min():.3g} to {rates.max():.3g} per epoch, {float(facts['moved']):.1%} of the "
        f"presentations moved; sources: {facts['sources'] or 'none'}{of_decay(facts)}"
    )


def of_decay(facts: Mapping[str, str]) -> str:
    """Return how often λ is not what a forgotten sample's rate follows, where rates follow it at all."""
    if "below_hazard" not in facts:
        return ""
    share = float(facts["below_hazard"])
    if np.isnan(share):
        return "; no sample was forgotten"
    return (
        f"; of the forgotten samples {share:.1%} have a decay constant below their smoothed hazard"
    )


def checked(options: argparse.Namespace) -> dict:
    """Return the complete definition; `UserError` where it is faulty or does not fit the files."""
    for fault in treatment_faults(options.treatment_definition):
        raise UserError(f"--treatment-definition: {fault}")
    definition = complete_treatment(options.treatment_definition)
    if not needs_plan(definition):
        raise UserError(
            f"--treatment-definition: sampler {definition['sampler']} plans nothing before a run"
        )
    if needs_source(definition) != bool(options.samples):
        wanted = "needs the scores of" if not options.samples else "takes no scores from"
        raise UserError(f"--samples: this treatment {wanted} other runs")
    if options.epochs < 1:
        raise UserError(f"--epochs: is {options.epochs}; expected at least 1")
    return definition


if __name__ == "__main__":
    run_command(main)
