"""Split a data set into training and held-out samples and count the classes."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.common.csv_tables import write_csv
from retention.common.options import add_options
from retention.common.parquet_tables import read_parquet, write_parquet
from retention.common.yaml_files import write_yaml
from retention.data.split_digest import digest_of_split
from retention.data.splits import class_counts, duplicates, split_samples


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    add_options(parser, "--split", "split", required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--classes", type=Path, required=True)
    parser.add_argument("--duplicates", type=Path, required=True)
    parser.add_argument("--digest", type=Path, help="YAML of what training takes from the split")
    arguments = parser.parse_args(argv)
    index = read_parquet(arguments.images)
    index["split"] = split_samples(index, arguments.split, arguments.dataset)
    counts = class_counts(index)
    write_parquet(arguments.output, index, {"dataset": arguments.dataset})
    write_csv(arguments.classes, counts)
    same = duplicates(index)
    write_csv(arguments.duplicates, same)
    if arguments.digest:
        write_yaml(arguments.digest, digest_of_split(index))
    total = counts["train"] + counts["test"]
    print(counts.to_string(index=False))
    print(f"imbalance, largest to smallest class: {total.max() / total.min():.0f}:1")
    if absent := counts.loc[counts["test"] == 0, "class_name"].tolist():
        print(f"warning: no held-out image of {len(absent)} classes, the first is {absent[0]}")
    if crossing := int(same["across_splits"].sum()):
        print(
            f"warning: {crossing} images are in training and held out; see {arguments.duplicates}"
        )
