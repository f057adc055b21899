"""Measure every finding under every analytic choice that resources/multiverse.yaml lists.

    python scripts/measure_multiverse.py --traces runs/*/traces.parquet --samples runs/*/samples.parquet
        --output multiverse.csv --shares multiverse_shares.csv

Both lists name the files of the same runs in the same order. Traces of your own are described first (describe_samples, with --index).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.common.csv_tables import write_csv
from retention.common.options import add_options
from retention.multiverse.choices import load_choices, plans_of
from retention.multiverse.options import add_multiverse
from retention.multiverse.shares import shares_table
from retention.multiverse.study import read_study
from retention.multiverse.table import multiverse_table

PLACE = "--multiverse"


def main(argv: Sequence[str] | None = None) -> None:
    """Evaluate all combinations, write both tables and print how far it is."""
    arguments = parser().parse_args(argv)
    choices, options = load_choices(), arguments.multiverse
    plans = plans_of(choices, options, arguments.statistics, PLACE)
    study = read_study(arguments.traces, arguments.samples)
    table = multiverse_table(study, choices, plans, arguments.statistics, options, _tell, PLACE)
    shares = shares_table(table, list(choices.dimensions))
    write_csv(arguments.output, table)
    write_csv(arguments.shares, shares)
    shown = shares[shares["dimension"] == ""]
    print(shown[["finding", "comparison", "share", "value", "of"]].to_string(index=False))


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
    return parser


def _tell(line: str) -> None:
    print(line, flush=True)
