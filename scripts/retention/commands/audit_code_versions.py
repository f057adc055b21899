"""List the runs whose training code has changed since they were made."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import yaml

from retention.common.errors import UserError


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--current", required=True, help="code version of finetune.py today")
    arguments = parser.parse_args(argv)
    runs = sorted(arguments.results.glob("*/runs/*/*/seed*/run.yaml"))
    if not runs:
        raise UserError(f"{arguments.results}: holds no run; run the workflow first")
    changed = 0
    for run in runs:
        version = yaml.safe_load(run.read_text(encoding="utf-8"))["code_version"]
        if version != arguments.current:
            changed += 1
            print(f"{run.parent}: made by code {version}, today's is {arguments.current}")
    print(f"{len(runs) - changed} of {len(runs)} runs were made by today's training code")
