"""Write a study's tables for a paper: each as CSV with whole numbers, as Markdown and as LaTeX.

    python scripts/write_tables.py --findings findings/*.csv --paper paper_comparison.csv --output tables

Of traces of your own, which have no --runs, --classes and --duplicates, the findings and the comparison alone.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retention.audits.tables import read_findings
from retention.commands._kinds import FINDINGS, csv_file
from retention.commands._look import add_titles
from retention.commands._runs import read_runs
from retention.common.columns import require_columns
from retention.common.compared import COMPARED
from retention.common.csv_tables import read_csv, write_csv
from retention.common.errors import UserError
from retention.common.files import write_text
from retention.common.lists import plural
from retention.common.parts import part_names
from retention.reporting.paper_table import PaperTable
from retention.reporting.study_tables import study_tables

PAPER = "paper_comparison.csv, which compare_with_paper.py writes"
# Columns that every finding's table has, and no other in its folder.
MEASURED = ("finding", "dataset", "statistic", "target", "p_corrected", "n", "chance", "ceiling")


def main(argv: Sequence[str] | None = None) -> None:
    """Write the tables of what the command line names into a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--findings", type=csv_file(FINDINGS), nargs="+", required=True, help="their tables"
    )
    parser.add_argument(
        "--paper", type=csv_file(PAPER), help="paper_comparison.csv, no such table if left out"
    )
    parser.add_argument("--runs", type=Path, nargs="+", default=[], help="run.yaml files")
    for name in ("classes", "duplicates"):
        parser.add_argument(f"--{name}", type=Path, nargs="+", default=[], help="per data set")
    parser.add_argument(
        "--controls", nargs="*", default=[], help="architectures that are in no finding"
    )
    add_titles(parser)
    parser.add_argument("--output", type=Path, required=True, help="the folder of the tables")
    arguments = parser.parse_args(argv)
    if len(arguments.classes) != len(arguments.duplicates):
        raise UserError(
            f"--duplicates: names {plural(len(arguments.duplicates), 'file')}, --classes {len(arguments.classes)}; "
            "name both of each data set, in one order"
        )
    for table in _tables(arguments):
        for path in _written(table, arguments.output):
            print(path)


def _tables(arguments: argparse.Namespace) -> list[PaperTable]:
    findings = _findings(arguments.findings)
    paper = None
    if arguments.paper:
        paper = read_csv(arguments.paper)
        require_columns(arguments.paper, paper.columns, COMPARED)
    data = {
        classes.parent.name: (read_csv(classes), read_csv(duplicates))
        for classes, duplicates in zip(arguments.classes, arguments.duplicates, strict=True)
    }
    runs = read_runs(arguments.runs)
    return study_tables(findings, paper, runs, data, arguments.titles, arguments.controls)


def _findings(paths: Sequence[Path]) -> pd.DataFrame:
    """Return tables of findings as one; raise `UserError` for a table that is none, and for one that is there twice."""
    known, seen = part_names("retention.findings"), dict[tuple[str, str], Path]()
    for path in paths:
        table = read_csv(path)
        require_columns(
            path, table.columns, MEASURED, "; name tables that measure_finding.py wrote"
        )
        for name, dataset in table[["finding", "dataset"]].drop_duplicates().to_numpy():
            if name not in known:
                raise UserError(f"{path}: finding is {name!r}, expected one of {', '.join(known)}")
            if (name, dataset) in seen:
                raise UserError(
                    f"{path}: has {name} of {dataset}, as {seen[name, dataset]} has; name one of the two"
                )
            seen[name, dataset] = path
    return read_findings(paths)


def _written(table: PaperTable, folder: Path) -> list[Path]:
    """Write a table's three files; return their paths."""
    paths = [folder / f"{table.name}.{suffix}" for suffix in ("csv", "md", "tex")]
    write_csv(paths[0], table.values)
    write_text(paths[1], table.as_markdown())
    write_text(paths[2], table.as_latex())
    return paths
