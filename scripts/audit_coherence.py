"""Hold the findings against each other, and the paper's own numbers too."""

import argparse
import json
from pathlib import Path

import pandas as pd

from retention.analysis.findings.coherence import audit
from retention.common.errors import run_command
from retention.common.storage import write_csv


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=Path, nargs="+", required=True)
    parser.add_argument("--reported", type=json.loads, required=True, help="JSON")
    parser.add_argument("--top-fraction", type=float, required=True, help="of our overlaps")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    findings = pd.concat([pd.read_csv(path) for path in arguments.findings], ignore_index=True)
    table = audit(findings, arguments.reported, arguments.top_fraction)
    write_csv(arguments.output, table)
    print(table[["check", "source", "architecture", "value", "bound", "verdict"]].to_string())


if __name__ == "__main__":
    run_command(main)
