"""The command line of findings that compare treatments: folders of runs in, one table out."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from retention.analysis.command import write_finding
from retention.analysis.treated_runs import read_treated_runs
from retention.common.options import add_options


def comparing_command(measure: Callable[..., pd.DataFrame], description: str) -> Callable:
    """Return `main(argv)` of a script that compares treatments with `measure`."""

    def main(argv: Sequence[str] | None = None) -> None:
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument(
            "--runs",
            type=Path,
            nargs="+",
            required=True,
            help="folders with run.yaml, epochs.csv, samples.parquet and traces.parquet",
        )
        add_options(parser, "--statistics", "statistics")
        parser.add_argument("--output", type=Path, required=True)
        arguments = parser.parse_args(argv)
        table = measure(read_treated_runs(arguments.runs), arguments.statistics)
        write_finding(arguments.output, table)

    return main
