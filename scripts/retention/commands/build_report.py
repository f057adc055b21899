"""Build the report of a study: a page to begin with and all that it leads to, in one zip.

    python scripts/build_report.py --study mine --results results/mine --files results/mine/summary.md results/mine/config.yaml --output report.zip

The zip unpacks into a folder of the study's name; open index.html in it. Further files are figures, findings, tables,
galleries and explorers of the study, each at its place below --results: figures in <data set>/figures/.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.commands._runs import read_runs
from retention.pages.report import left_out, read_report, write_report


def main(argv: Sequence[str] | None = None) -> None:
    """Build the report that the command line asks for."""
    arguments = parser().parse_args(argv)
    runs = read_runs(arguments.runs)
    report = read_report(arguments.study, arguments.results, arguments.files, runs)
    write_report(report, arguments.workflow, arguments.output)
    for line in left_out(report):
        print(f"{arguments.output}: {line}")
    print(f"{arguments.output}: unpack it and open {arguments.study}/index.html")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--study", required=True, help="its name, that of the folder in the zip")
    parser.add_argument("--results", type=Path, required=True, help="the folder of its results")
    parser.add_argument(
        "--files",
        type=Path,
        nargs="+",
        required=True,
        help="what the report holds; folders with all in them",
    )
    parser.add_argument("--runs", type=Path, nargs="+", default=[], help="run.yaml of its runs")
    parser.add_argument(
        "--workflow", type=Path, help="the zip that `snakemake --report` wrote, if there is one"
    )
    parser.add_argument("--output", type=Path, required=True, help="a .zip")
    return parser
