"""Plant wrong labels: a copy of an index in which a known share of the training labels is wrong.

A classifier that is trained on the copy shows how many of these errors a ranking finds (measure_planted).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from retention.common.columns import require_columns
from retention.common.csv_tables import read_csv, write_csv
from retention.common.errors import UserError
from retention.common.notes import collected, write_notes
from retention.common.parquet_tables import read_parquet, write_parquet
from retention.common.randomness import generator
from retention.common.yaml_files import write_yaml
from retention.data import planting
from retention.data.split_digest import digest_of_split
from retention.data.splits import class_counts, duplicates

NEEDED = ("sample_index", "sample_id", "label", "class_name", "group", "digest", "split")
CONFUSIONS = ("label", "predicted", "count")


def main(argv: Sequence[str] | None = None) -> None:
    """Plant wrong labels from the command line."""
    options = parser().parse_args(argv)
    index = read_parquet(options.index)
    require_columns(options.index, index.columns, NEEDED)
    draws = generator("plant_labels", options.dataset, options.kind, options.draw)
    with collected(options.name) as notes:
        try:
            copy = planting.planted(index, options.share, _likelihood(options, index), draws)
        except UserError as error:
            raise UserError(f"{options.index}: {error}") from error
    write_parquet(options.output, copy, {"dataset": options.name})
    drawn = {"kind": options.kind, "draw": options.draw}
    write_csv(options.planted, planting.planted_rows(copy).assign(**drawn))
    write_yaml(options.digest, digest_of_split(copy))
    if options.classes:
        write_csv(options.classes, class_counts(copy))
    if options.duplicates:
        write_csv(options.duplicates, duplicates(copy))
    write_notes(options.notes, notes)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="whose labels are changed in the copy")
    parser.add_argument("--name", required=True, help="of the copy")
    parser.add_argument(
        "--kind",
        choices=planting.KINDS,
        required=True,
        help="random: every other class is as likely; confusions: classes that runs take a sample's class for",
    )
    parser.add_argument("--draw", type=int, required=True, help="number of the draw, from 1 on")
    parser.add_argument(
        "--share", type=_share, required=True, help="of the training samples, above 0 and below 1"
    )
    parser.add_argument("--index", type=Path, required=True, help="index.parquet")
    parser.add_argument(
        "--confusions",
        type=Path,
        nargs="+",
        default=[],
        help="confusions.csv of runs on the data set as it is; of the kind confusions",
    )
    parser.add_argument("--output", type=Path, required=True, help="index.parquet of the copy")
    parser.add_argument(
        "--planted", type=Path, required=True, help="CSV of the samples with wrong labels"
    )
    parser.add_argument("--digest", type=Path, required=True, help="split.yaml of the copy")
    parser.add_argument("--classes", type=Path, help="classes.csv of the copy")
    parser.add_argument("--duplicates", type=Path, help="duplicates.csv of the copy")
    parser.add_argument("--notes", type=Path, help="text to write: what a person should know")
    return parser


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = float("nan")
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"is {text!r}, expected a number above 0 and below 1")
    return share


def _likelihood(options: argparse.Namespace, index: pd.DataFrame) -> np.ndarray:
    if options.kind == planting.RANDOM:
        return planting.uniform(len(planting.class_names(index)))
    if not options.confusions:
        raise UserError("the kind confusions needs --confusions, of runs on the data set as it is")
    tables = []
    for path in options.confusions:
        tables.append(read_csv(path))
        require_columns(path, tables[-1].columns, CONFUSIONS)
    return planting.confused(index, tables)
