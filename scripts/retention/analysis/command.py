"""The command line that findings share: samples.parquet of the runs in, one table out."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from retention.analysis.runs import read_runs
from retention.common.options import add_options
from retention.common.storage import write_csv


def measuring_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser of what every finding needs."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--samples", type=Path, nargs="+", required=True)
    add_options(parser, "--statistics", "statistics")
    parser.add_argument("--output", type=Path, required=True)
    return parser


def write_finding(path: Path, table: pd.DataFrame) -> None:
    """Write a finding's table and print its estimates."""
    write_csv(path, table)
    print(table[["comparison", "statistic", "estimate", "low", "high"]].to_string(index=False))


def measuring_command(measure: Callable[..., pd.DataFrame], description: str) -> Callable:
    """Return `main(argv)` of a script that measures a finding with `measure`."""

    def main(argv: Sequence[str] | None = None) -> None:
        arguments = measuring_parser(description).parse_args(argv)
        table = measure(read_runs(arguments.samples), arguments.statistics)
        write_finding(arguments.output, table)

    return main
