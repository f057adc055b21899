"""Write the study in plain sentences from its tables.

Of traces of your own, which have no --classes, --duplicates and --runs, the findings and the audits alone.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from retention.audits.tables import findings_tables
from retention.commands._look import add_titles
from retention.commands._runs import read_runs
from retention.common.columns import require_columns
from retention.common.compared import COMPARED
from retention.common.csv_tables import TEXT, read_csv
from retention.common.errors import UserError
from retention.common.files import write_text
from retention.common.notes import read_notes
from retention.common.parquet_tables import read_parquet
from retention.reporting.forgotten import NEEDED
from retention.reporting.matched import COLUMNS
from retention.reporting.recovered import TEXT as PLANTED
from retention.reporting.summary import ARITHMETIC, write


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=Path, nargs="+", required=True)
    parser.add_argument("--paper", type=Path, required=True)
    parser.add_argument("--coherence", type=Path, required=True)
    parser.add_argument(
        "--arithmetic", type=Path, help="paper_arithmetic.csv, not told if left out"
    )
    parser.add_argument(
        "--matches", type=Path, help="multiverse_match_summary.csv, not told if left out"
    )
    for name in ("classes", "duplicates"):
        parser.add_argument(f"--{name}", type=Path, nargs="+", default=[], help="per data set")
    parser.add_argument("--notes", type=Path, nargs="+", default=[], help="notes.txt files")
    parser.add_argument("--runs", type=Path, nargs="+", default=[], help="run.yaml files")
    parser.add_argument(
        "--epoch-counts",
        type=Path,
        nargs="+",
        default=[],
        help="epoch_counts.csv of runs of random, each beside its run.yaml; not told if left out",
    )
    parser.add_argument(
        "--samples",
        type=Path,
        nargs="+",
        default=[],
        help="samples.parquet of runs of random, each beside its run.yaml; the forgotten are not counted if left out",
    )
    parser.add_argument(
        "--left-out", type=json.loads, default={}, help="JSON, findings not made: why"
    )
    parser.add_argument(
        "--controls", nargs="*", default=[], help="architectures that are in no finding"
    )
    parser.add_argument(
        "--multiverse",
        type=Path,
        nargs="+",
        default=[],
        help="multiverse.csv, multiverse_shares.csv and multiverse_joint.csv of the data sets, and "
        "multiverse_shares_known.csv; not told if left out",
    )
    parser.add_argument(
        "--planted",
        type=Path,
        nargs="+",
        default=[],
        help="planted_recovery.csv of the data sets, not told if left out",
    )
    add_titles(parser)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    findings = pd.concat(findings_tables(arguments.findings), ignore_index=True)
    runs = read_runs(arguments.runs)
    paper, coherence = read_csv(arguments.paper), read_csv(arguments.coherence)
    require_columns(arguments.paper, paper.columns, COMPARED)
    arithmetic = arguments.arithmetic and read_csv(arguments.arithmetic, ARITHMETIC)
    matches = arguments.matches and read_csv(arguments.matches, {*TEXT, *COLUMNS})
    data = {
        classes.parent.name: (read_csv(classes), read_csv(duplicates))
        for classes, duplicates in zip(arguments.classes, arguments.duplicates, strict=True)
    }
    notes = dict.fromkeys(line for path in arguments.notes for line in read_notes(path))
    text = write(
        findings,
        paper,
        coherence,
        runs,
        data,
        arguments.left_out,
        arguments.controls,
        list(notes),
        arithmetic,
        matches,
        multiverse=[read_csv(path) for path in arguments.multiverse],
        titles=arguments.titles,
        planted=[read_csv(path, PLANTED) for path in arguments.planted],
        counts=_of_runs(
            "--epoch-counts", arguments.epoch_counts, arguments.runs, runs, _read_counts
        ),
        described=_of_runs("--samples", arguments.samples, arguments.runs, runs, _read_described),
    )
    write_text(arguments.output, text)


def _of_runs(
    option: str,
    paths: Sequence[Path],
    run_files: Sequence[Path],
    runs: Sequence[dict],
    read: Callable[[Path], pd.DataFrame],
) -> list[tuple[str, str, pd.DataFrame]]:
    """Return tables with what their runs are of; raise `UserError` for one that lies beside no run.yaml of --runs."""
    known = dict(zip((path.parent for path in run_files), runs, strict=True))
    tables = []
    for path in paths:
        if path.parent not in known:
            raise UserError(f"{option}: {path} lies beside no run.yaml of --runs; name that, too")
        run = known[path.parent]
        tables.append((run["dataset"], run["architecture"], read(path)))
    return tables


def _read_counts(path: Path) -> pd.DataFrame:
    table = read_csv(path)
    require_columns(path, table.columns, ["split", "epoch", "forgotten"])
    return table


def _read_described(path: Path) -> pd.DataFrame:
    table = read_parquet(path)
    require_columns(path, table.columns, NEEDED)
    return table[NEEDED]
