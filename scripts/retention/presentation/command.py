"""The command line that all figures share: a finding's table in, files out."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from retention.common.storage import read_csv
from retention.presentation.style import NothingEstimable, save, text_figure


def drawing_command(draw: Callable[[pd.DataFrame], Figure], description: str) -> Callable:
    """Return `main(argv)` of a script that draws a figure with `draw`."""

    def main(argv: Sequence[str] | None = None) -> None:
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--finding", type=Path, required=True)
        parser.add_argument("--output", type=Path, nargs="+", required=True)
        arguments = parser.parse_args(argv)
        try:
            figure = draw(read_csv(arguments.finding))
        except (
            NothingEstimable
        ) as reason:  # samples of which none is forgotten, say: no user's mistake
            figure = text_figure(str(reason))
        save(figure, arguments.output)

    return main
