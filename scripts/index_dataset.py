"""List the images of a data set with stable ids, labels, groups and sizes."""

import argparse
import json
from pathlib import Path

from retention.common.errors import run_command
from retention.common.storage import write_parquet
from retention.data.catalogue import index_images


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--definition", type=json.loads, required=True, help="JSON")
    parser.add_argument("--fetched", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    table = index_images(arguments.dataset, arguments.definition, arguments.fetched.parent)
    write_parquet(arguments.output, table, {"dataset": arguments.dataset})
    print(f"{arguments.dataset}: {len(table)} images of {table['label'].nunique()} classes")


if __name__ == "__main__":
    run_command(main)
