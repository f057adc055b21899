"""Measure a finding: files of runs in, one table out.

    python scripts/measure_finding.py seed_stability --samples runs/*/samples.parquet --output seed_stability.csv

NAME --help tells what a finding reads.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retention.commands._naming import name_first, program_of
from retention.common.csv_tables import write_csv
from retention.common.described import noted
from retention.common.lists import listed
from retention.common.options import add_options
from retention.common.parts import load_part, part_names
from retention.measuring.declaration import Finding
from retention.runs.reading import definition_of

SHOWN = ["comparison", "statistic", "estimate", "low", "high"]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the finding that the command line names, write its table and print its estimates."""
    name, options = name_first(argv, "finding", part_names("retention.findings"), __doc__)
    finding = load_part("retention.findings", name).FINDING
    arguments = parser_of(name, finding).parse_args(options)
    module = load_part("retention.findings", name, "measure")
    files = {option: paths for option in finding.reads if (paths := getattr(arguments, option))}
    settings = {option: getattr(arguments, option) for option in finding.settings}
    table = module.measure(**module.read(**files), statistics=arguments.statistics, **settings)
    table = with_definition(table, files.get("samples", []))
    write_csv(arguments.output, table)
    print(table[SHOWN].to_string(index=False))


def with_definition(table: pd.DataFrame, samples: Sequence[Path]) -> pd.DataFrame:
    """Return a finding's table, whose notes say so where its samples were described by another definition than ours."""
    if not (found := {text for path in samples if (text := definition_of(path))}):
        return table
    return table.assign(note=[noted(note, listed(sorted(found))) for note in table["note"]])


def parser_of(name: str, finding: Finding) -> argparse.ArgumentParser:
    """Return the parser of a finding's options, as it is declared."""
    parser = argparse.ArgumentParser(prog=program_of(name), description=f"Measure {finding.title}")
    for option, files in finding.reads.items():
        parser.add_argument(
            f"--{option}", type=Path, nargs="+", required=not files.optional, help=files.what
        )
    for option, setting in finding.settings.items():
        parser.add_argument(
            f"--{option}", type=setting.parse, default=setting.default, help=setting.help
        )
    add_options(parser, "--statistics", "statistics")
    parser.add_argument("--output", type=Path, required=True)
    return parser
