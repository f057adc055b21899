"""List the runs whose training code has changed since they were made."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import yaml

from retention.common.errors import UserError
from retention.workflow.adoption.standing import standing_version


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument(
        "--current",
        type=json.loads,
        required=True,
        help="JSON, treatment: code version of finetune.py with its sampler today",
    )
    arguments = parser.parse_args(argv)
    runs = sorted(arguments.results.glob("*/runs/*/*/seed*/run.yaml"))
    if not runs:
        raise UserError(f"{arguments.results}: holds no run; run the workflow first")
    changed = 0
    for run in runs:
        facts = yaml.safe_load(run.read_text(encoding="utf-8"))
        current = arguments.current.get(facts["treatment"])
        version = standing_version(facts)
        if current is None:
            print(f"{run.parent}: of treatment {facts['treatment']}, which is not in the study")
        elif version != current:
            changed += 1
            print(f"{run.parent}: made by code {version}, today's is {current}")
    print(f"{len(runs) - changed} of {len(runs)} runs were made by today's training code")
