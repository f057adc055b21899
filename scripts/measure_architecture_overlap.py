"""Measure F1: do two architectures forget the same samples?"""

import argparse
import json
from pathlib import Path

from retention.analysis.findings.architecture_overlap import measure
from retention.analysis.runs import read_runs
from retention.common.errors import run_command
from retention.common.storage import write_csv


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, nargs="+", required=True)
    parser.add_argument("--statistics", type=json.loads, required=True, help="JSON")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    table = measure(read_runs(arguments.samples), arguments.statistics)
    write_csv(arguments.output, table)
    print(table[["comparison", "statistic", "estimate", "low", "high"]].to_string(index=False))


if __name__ == "__main__":
    run_command(main)
