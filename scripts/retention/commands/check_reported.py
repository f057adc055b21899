"""Say which of the paper's reported numbers can hold together, without any data."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from retention.audits.reported import NEEDED, check
from retention.audits.tables import json_map
from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.common.paper import read_paper, seeds_of
from retention.common.resources import PAPER, resource_path


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--reported",
        type=partial(json_map, "--reported", needed=NEEDED),
        help=f"JSON; {resource_path(PAPER)} if left out",
    )
    parser.add_argument(
        "--known",
        type=partial(json_map, "--known"),
        default={},
        help="JSON, choices of the paper that you know, such as "
        '\'{"seeds": {"value": 5, "source": "p. 4"}}\'; docs/paper.md lists them',
    )
    parser.add_argument(
        "--assumed-seeds", type=int, default=3, help="of the paper, where they are not known; 3"
    )
    parser.add_argument("--output", type=Path, required=True, help="paper_arithmetic.csv to write")
    arguments = parser.parse_args(argv)
    if arguments.assumed_seeds < 1:
        raise UserError(f"--assumed-seeds: is {arguments.assumed_seeds}, expected at least 1")
    paper = read_paper(arguments.known, arguments.reported, "--known")
    seeds, _ = seeds_of(paper, arguments.assumed_seeds)
    table = check(paper, seeds)
    write_csv(arguments.output, table)
    for row in table.itertuples():
        print(f"{row.claim}: {row.verdict}")
