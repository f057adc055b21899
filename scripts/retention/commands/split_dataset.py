"""Split a data set into training and held-out samples and count the classes."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retention.common.csv_tables import write_csv
from retention.common.escapes import escaped
from retention.common.lists import listed, plural
from retention.common.notes import collected, tell, write_notes
from retention.common.options import add_options
from retention.common.parquet_tables import read_parquet, write_parquet
from retention.common.yaml_files import write_yaml
from retention.data.split_digest import digest_of_split
from retention.data.splits import class_counts, duplicates, split_samples

LATIN = "\xff"  # the last letter of Latin-1, which every font has


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    add_options(parser, "--split", "split", required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--classes", type=Path, required=True)
    parser.add_argument("--duplicates", type=Path, required=True)
    parser.add_argument("--digest", type=Path, help="YAML of what training takes from the split")
    parser.add_argument("--notes", type=Path, help="text to write: what a person should know")
    arguments = parser.parse_args(argv)
    index = read_parquet(arguments.images)
    with collected(arguments.dataset) as notes:
        index["split"] = split_samples(index, arguments.split, arguments.dataset)
        counts, same = class_counts(index), duplicates(index)
        tell_of_split(counts, same)
        tell_of_letters([arguments.dataset, *counts["class_name"]])
    write_parquet(arguments.output, index, {"dataset": arguments.dataset})
    write_csv(arguments.classes, counts)
    write_csv(arguments.duplicates, same)
    write_notes(arguments.notes, notes)
    if arguments.digest:
        write_yaml(arguments.digest, digest_of_split(index))
    total = counts["train"] + counts["test"]
    print(escaped(counts.to_string(index=False), kept="\n"))
    print(f"imbalance, largest to smallest class: {total.max() / total.min():.0f}:1")


def tell_of_split(counts: pd.DataFrame, same: pd.DataFrame) -> None:
    """Note the classes of which nothing is held out, and images on both sides."""
    if absent := counts.loc[counts["test"] == 0, "class_name"].tolist():
        tell(f"no image is held out of {plural(len(absent), 'class', 'classes')}: {listed(absent)}")
    if crossing := int(same["across_splits"].sum()):
        tell(
            f"{plural(crossing, 'image')} with the same pixels are in training and held out; "
            "duplicates.csv names them"
        )


def tell_of_letters(names: Sequence[str]) -> None:
    """Note the letters of names that no installed font has, where figures can be drawn at all."""
    if max("".join(names), default="") <= LATIN:
        return
    try:
        from retention.reporting.fonts import advice_on  # matplotlib takes long to import
    except ModuleNotFoundError as error:
        if error.name == "matplotlib":
            return
        raise
    if advice := advice_on(names):
        tell(advice)
