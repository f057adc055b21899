"""List the images of a data set with stable ids, labels, groups and sizes; name the bad ones."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.common.csv_tables import write_csv
from retention.common.notes import collected, write_notes
from retention.common.options import add_map
from retention.common.parquet_tables import write_parquet
from retention.data.catalogue import index_images


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    add_map(parser, "--definition", "dataset")
    parser.add_argument("--fetched", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--quarantine", type=Path, required=True, help="CSV of the images left out")
    parser.add_argument("--notes", type=Path, help="text to write: what a person should know")
    arguments = parser.parse_args(argv)
    name, folder = arguments.dataset, arguments.fetched.parent
    with collected(name) as notes:
        table, left_out = index_images(name, arguments.definition, folder, arguments.threads)
    write_parquet(arguments.output, table, {"dataset": name})
    write_csv(arguments.quarantine, left_out)
    write_notes(arguments.notes, notes)
    print(f"{name}: {len(table)} images of {table['label'].nunique()} classes", end="")
    print(f", {len(left_out)} left out" if len(left_out) else "")
