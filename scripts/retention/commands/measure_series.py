"""Measure a series: files of runs in, the table out that a figure of no finding is drawn from.

    python scripts/measure_series.py learning_curves --traces runs/*/traces.parquet --samples runs/*/samples.parquet \\
        --output learning_curves.csv

NAME --help tells what a series reads.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.commands._naming import name_first, program_of
from retention.common.csv_tables import write_csv
from retention.common.options import add_options
from retention.common.parts import load_part, part_names
from retention.measuring.series import Series


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the series that the command line names, and write its table."""
    name, options = name_first(argv, "series", part_names("retention.series"), __doc__)
    series = load_part("retention.series", name).SERIES
    arguments = parser_of(name, series).parse_args(options)
    module = load_part("retention.series", name, "measure")
    files = {option: getattr(arguments, option) for option in series.reads}
    given = {name: getattr(arguments, name) for name in series.settings}
    given |= {"statistics": arguments.statistics} if series.statistics else {}
    table = module.measure(**module.read(**files), **given)
    write_csv(arguments.output, table)
    print(f"{arguments.output}: {len(table)} rows")


def parser_of(name: str, series: Series) -> argparse.ArgumentParser:
    """Return the parser of a series' options, as it is declared."""
    parser = argparse.ArgumentParser(prog=program_of(name), description=f"Measure {series.what}")
    for option, files in series.reads.items():
        parser.add_argument(f"--{option}", type=Path, nargs="+", required=True, help=files.what)
    for option, setting in series.settings.items():
        parser.add_argument(
            f"--{option}", type=setting.parse, default=setting.default, help=setting.help
        )
    if series.statistics:
        add_options(parser, "--statistics", "statistics")
    parser.add_argument("--output", type=Path, required=True)
    return parser
