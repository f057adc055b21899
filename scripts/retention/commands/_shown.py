"""The options by which commands that build pages are told which samples to show."""

import argparse
from pathlib import Path


def add_shown(parser: argparse.ArgumentParser) -> None:
    """Let a command take `--samples`, `--traces`, `--index` and `--cache`; the last is [] where there is none."""
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
