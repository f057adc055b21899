"""Decode the images of a data set once into memory-mapped uint8 pixels."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.common.notes import collected, write_notes
from retention.common.options import add_map
from retention.common.parquet_tables import read_parquet
from retention.common.yaml_files import write_yaml
from retention.data.caching import digests_of, write_cache


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    add_map(parser, "--definition", "dataset")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--size", type=int, required=True, help="stored short side, pixels")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pixels", type=Path, required=True)
    parser.add_argument("--layout", type=Path, required=True)
    parser.add_argument("--digest", type=Path, help="YAML of sizes and digests of both to write")
    parser.add_argument("--notes", type=Path, help="text to write: what a person should know")
    arguments = parser.parse_args(argv)
    images = read_parquet(arguments.images)
    with collected(arguments.dataset) as notes:
        write_cache(
            arguments.definition,
            images,
            arguments.size,
            arguments.threads,
            arguments.pixels,
            arguments.layout,
        )
    write_notes(arguments.notes, notes)
    if arguments.digest:
        write_yaml(arguments.digest, digests_of(arguments.pixels, arguments.layout))
    print(f"{arguments.dataset}: {len(images)} images, short side {arguments.size} pixels")
