"""Write the study in plain sentences from its tables."""

import argparse
import json
from pathlib import Path

import pandas as pd
import yaml

from retention.common.errors import run_command
from retention.common.storage import write_text
from retention.presentation.summary import write


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=Path, nargs="+", required=True)
    parser.add_argument("--paper", type=Path, required=True)
    parser.add_argument("--coherence", type=Path, required=True)
    for name in ("classes", "duplicates"):
        parser.add_argument(f"--{name}", type=Path, nargs="+", required=True, help="per data set")
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="run.yaml files")
    parser.add_argument(
        "--left-out", type=json.loads, default={}, help="JSON, findings not made: why"
    )
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    findings = pd.concat([pd.read_csv(path) for path in arguments.findings], ignore_index=True)
    runs = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in arguments.runs]
    paper, coherence = pd.read_csv(arguments.paper), pd.read_csv(arguments.coherence)
    data = {
        classes.parent.name: (pd.read_csv(classes), pd.read_csv(duplicates))
        for classes, duplicates in zip(arguments.classes, arguments.duplicates, strict=True)
    }
    write_text(arguments.output, write(findings, paper, coherence, runs, data, arguments.left_out))


if __name__ == "__main__":
    run_command(main)
