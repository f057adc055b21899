"""Draw the figure of class forgetting from its table alone."""

import argparse
from pathlib import Path

import pandas as pd

from retention.common.errors import run_command
from retention.presentation.figures.class_forgetting import draw
from retention.presentation.style import save


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finding", type=Path, required=True)
    parser.add_argument("--output", type=Path, nargs="+", required=True)
    arguments = parser.parse_args(argv)
    save(draw(pd.read_csv(arguments.finding)), arguments.output)


if __name__ == "__main__":
    run_command(main)
