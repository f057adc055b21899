"""Hold the findings against each other, and the paper's own numbers too."""

import argparse
from pathlib import Path

import pandas as pd
import yaml

from retention.analysis.findings.coherence import audit
from retention.common.errors import run_command
from retention.common.storage import write_csv


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=Path, nargs="+", required=True)
    parser.add_argument("--reported", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    findings = pd.concat([pd.read_csv(path) for path in arguments.findings], ignore_index=True)
    reported = yaml.safe_load(arguments.reported.read_text(encoding="utf-8"))
    write_csv(arguments.output, audit(findings, reported))


if __name__ == "__main__":
    run_command(main)
