"""The options by which commands that build pages are told which samples to show."""

import argparse
from pathlib import Path

import pandas as pd

from retention.pages.sheet import Sheet
from retention.pages.suspected import read_suspected


def add_shown(parser: argparse.ArgumentParser) -> None:
    """Let a command take `--samples`, `--traces`, `--index`, `--cache` and `--suspects`; the last are [] where there is none."""
    parser.add_argument(
        "--samples",
        type=Path,
        nargs="+",
        required=True,
        help="samples.parquet of every run of a data set",
    )
    parser.add_argument(
        "--traces",
        type=Path,
        nargs="+",
        default=[],
        help="traces.parquet of every run, in the order of --samples",
    )
    parser.add_argument("--index", type=Path, help="index.parquet, which has the paths of images")
    parser.add_argument(
        "--cache",
        type=Path,
        nargs=2,
        default=[],
        metavar=("PIXELS", "LAYOUT"),
        help="pixels.npy and layout.parquet of the image cache",
    )
    parser.add_argument(
        "--suspects",
        type=Path,
        nargs="+",
        default=[],
        help="suspects.csv, and suspects_held_out.csv, of rank_suspects.py: samples to review first",
    )


def suspected_from(arguments: argparse.Namespace, sheet: Sheet) -> pd.DataFrame | None:
    """Return the rankings that a command's options name, None where they name none."""
    return read_suspected(arguments.suspects, sheet) if arguments.suspects else None
