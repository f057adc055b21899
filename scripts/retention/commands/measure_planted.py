"""Measure what a ranking of suspects finds of labels that were planted wrong (plant_labels), at several depths of review.

    python scripts/measure_planted.py --dataset mine --planted copy_*/planted.csv --suspects copy_*/suspects.csv \\
        --output planted_recovery.csv

Lists name the files of the same copies in the same order.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.common.added_options import KeptExample
from retention.common.columns import require_columns
from retention.common.csv_tables import read_csv, write_csv
from retention.common.errors import UserError
from retention.pages.suspected import WORDS
from retention.reporting.recovered import sentences
from retention.suspects.recovery import NEEDED, RANKED, Draw, recovery

OF_PLANTED = ("kind", "group", "sample_id", "class_name", "planted_class_name")  # read as text


def main(argv: Sequence[str] | None = None) -> None:
    """Write planted_recovery.csv from the command line, and print what it says."""
    options = parser().parse_args(argv)
    if len(options.planted) != len(options.suspects):
        raise UserError(
            f"--suspects: {len(options.suspects)} files, --planted: {len(options.planted)}; expected one of each per copy, "
            "in one order"
        )
    draws = [_draw(*paths) for paths in zip(options.planted, options.suspects, strict=True)]
    table = recovery(options.dataset, draws)
    write_csv(options.output, table)
    for line in sentences(table):
        print(line)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=KeptExample)
    parser.add_argument("--dataset", required=True, help="of which the copies are")
    parser.add_argument(
        "--planted", type=Path, nargs="+", required=True, help="planted.csv of every copy"
    )
    parser.add_argument(
        "--suspects",
        type=Path,
        nargs="+",
        required=True,
        help="suspects.csv of the same copies, ranked from runs on their labels",
    )
    parser.add_argument("--output", type=Path, required=True, help="CSV")
    return parser


def _draw(planted: Path, suspects: Path) -> Draw:
    rows, ranked = read_csv(planted, OF_PLANTED), read_csv(suspects, WORDS)
    require_columns(planted, rows.columns, NEEDED, "; name what plant_labels wrote")
    require_columns(suspects, ranked.columns, RANKED, "; name what rank_suspects wrote")
    if rows.empty:
        raise UserError(f"{planted}: names no sample; name what plant_labels wrote")
    return Draw(rows, ranked)
