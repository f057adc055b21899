"""Say which of the paper's reported numbers can hold together, without any data."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.audits.reported import NEEDED, check
from retention.commands._reported import add_paper, paper_in
from retention.common.csv_tables import write_csv


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_paper(parser, NEEDED)
    parser.add_argument("--output", type=Path, required=True, help="paper_arithmetic.csv to write")
    arguments = parser.parse_args(argv)
    paper, seeds = paper_in(arguments)
    table = check(paper, seeds)
    write_csv(arguments.output, table)
    for row in table.itertuples():
        print(f"{row.claim}: {row.verdict}")
