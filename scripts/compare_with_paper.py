"""Set our numbers beside the paper's, with prediction intervals and verdicts."""

import argparse
import json
from pathlib import Path

import pandas as pd

from retention.analysis.findings.paper_comparison import compare
from retention.common.errors import run_command
from retention.common.storage import write_csv


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=Path, nargs="+", required=True)
    parser.add_argument("--reported", type=json.loads, required=True, help="JSON")
    parser.add_argument("--comparable", type=json.loads, required=True, help="JSON")
    parser.add_argument("--assumed-seeds", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    findings = pd.concat([pd.read_csv(path) for path in arguments.findings], ignore_index=True)
    findings["architecture"] = findings["architecture"].fillna("")
    table = compare(findings, arguments.reported, arguments.comparable, arguments.assumed_seeds)
    write_csv(arguments.output, table)
    print(table.to_string(index=False))


if __name__ == "__main__":
    run_command(main)
