"""The options by which commands that build pages are told which samples to show."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from retention.commands._kinds import INDEX, SAMPLES, TRACES, csv_file, parquet_file
from retention.common.errors import UserError
from retention.common.lists import listed, plural
from retention.pages.sheet import Sheet
from retention.pages.suspected import read_suspected


class BothFiles(argparse.Action):
    """Takes the two files of an image cache; says which are expected where there is another number of them."""

    def __call__(
        self, parser: object, namespace: argparse.Namespace, values: Any, flag: object = None
    ) -> None:
        """Keep the paths; raise `UserError` unless there are two."""
        if len(values) != 2:
            raise UserError(
                f"--cache: names {plural(len(values), 'file')}, {listed([*map(str, values)])}; expected two, pixels.npy and "
                "then layout.parquet of the image cache"
            )
        setattr(namespace, self.dest, values)


def add_shown(parser: argparse.ArgumentParser) -> None:
    """Let a command take `--samples`, `--traces`, `--index`, `--cache` and `--suspects`; the last are [] where there is none."""
    parser.add_argument(
        "--samples",
        type=parquet_file(SAMPLES),
        nargs="+",
        required=True,
        help="samples.parquet of every run of a data set",
    )
    parser.add_argument(
        "--traces",
        type=parquet_file(TRACES),
        nargs="+",
        default=[],
        help="traces.parquet of every run, in the order of --samples",
    )
    parser.add_argument(
        "--index", type=parquet_file(INDEX), help="index.parquet, which has the paths of images"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        nargs="+",
        action=BothFiles,
        default=[],
        metavar=("PIXELS", "LAYOUT"),
        help="pixels.npy and layout.parquet of the image cache",
    )
    parser.add_argument(
        "--suspects",
        type=csv_file("suspects.csv, which rank_suspects.py writes"),
        nargs="+",
        default=[],
        help="suspects.csv, and suspects_held_out.csv, of rank_suspects.py: samples to review first",
    )


def lacking(arguments: argparse.Namespace, sheet: Sheet) -> str:
    """Return what pages are without, and by which option they have it: "; without pictures (--cache)"; "" for nothing."""
    has_paths = (sheet.samples["path"] != "").any()
    has = {"pictures (--cache)": arguments.cache, "epochs (--traces)": arguments.traces}
    has["paths (--index)"] = has_paths
    without = [name for name, given in has.items() if not given]
    return f"; without {listed(without)}" if without else ""


def suspected_from(arguments: argparse.Namespace, sheet: Sheet) -> pd.DataFrame | None:
    """Return the rankings that a command's options name, None where they name none."""
    return read_suspected(arguments.suspects, sheet) if arguments.suspects else None
