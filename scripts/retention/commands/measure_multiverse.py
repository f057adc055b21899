"""Measure every finding under every analytic choice that resources/multiverse.yaml lists.

    python scripts/measure_multiverse.py --traces runs/*/traces.parquet --samples runs/*/samples.parquet
        --output multiverse.csv --shares multiverse_shares.csv --joint multiverse_joint.csv

Both lists name the files of the same runs in the same order. Traces of your own are described first (describe_samples, with --index).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.common.options import KeptLines, add_options
from retention.multiverse.choices import load_choices, plans_of
from retention.multiverse.joint import joint_test
from retention.multiverse.options import add_multiverse
from retention.multiverse.scores import Scores
from retention.multiverse.shares import shares_table
from retention.multiverse.study import read_study
from retention.multiverse.table import multiverse_table

PLACE = "--multiverse"
SHOWN = ["finding", "comparison", "version", "estimate", "combinations", "p", "p_corrected", "note"]


class KeptExample(KeptLines, argparse.RawDescriptionHelpFormatter):
    """Help in which the description's command stays on lines of its own, too."""


def main(argv: Sequence[str] | None = None) -> None:
    """Evaluate all combinations, write both tables and print how far it is."""
    arguments = parser().parse_args(argv)
    choices, options = load_choices(), arguments.multiverse
    if not options["findings"]:
        raise UserError(f"{PLACE}.findings: is [], so there is nothing to measure; name a finding")
    plans = plans_of(choices, options, arguments.statistics, PLACE)
    study = read_study(arguments.traces, arguments.samples)
    scores, statistics = Scores(study), arguments.statistics
    table = multiverse_table(study, choices, plans, statistics, options, _tell, PLACE, scores)
    shares = shares_table(table, list(choices.dimensions))
    joint = None
    if arguments.joint is not None:
        dimensions = {name: plan.dimensions for name, plan in plans.items()}
        joint, table = joint_test(scores, table, dimensions, statistics, options, _tell)
        write_csv(arguments.joint, joint)
    write_csv(arguments.output, table)
    write_csv(arguments.shares, shares)
    shown = shares[shares["dimension"] == ""]
    print(shown[["finding", "comparison", "share", "value", "of"]].to_string(index=False))
    if joint is not None:
        print(joint[SHOWN].to_string(index=False, na_rep=""))


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--traces", type=Path, nargs="+", required=True, help="traces.parquet of the runs"
    )
    parser.add_argument(
        "--samples", type=Path, nargs="+", required=True, help="samples.parquet of the same runs"
    )
    add_options(parser, "--statistics", "statistics")
    add_multiverse(parser, PLACE)
    parser.add_argument("--output", type=Path, required=True, help="CSV, a row per combination")
    parser.add_argument("--shares", type=Path, required=True, help="CSV, what they have in common")
    parser.add_argument(
        "--joint",
        type=Path,
        help="CSV, a test of each finding over all its combinations; where it is left out no test is made, and "
        "--output has no columns null_low and null_high",
    )
    parser.formatter_class = KeptExample
    return parser


def _tell(line: str) -> None:
    print(line, flush=True)
