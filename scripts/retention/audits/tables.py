"""The command line that the audits share: tables of findings in, one table out."""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from retention.common.columns import require_columns
from retention.common.csv_tables import read_csv
from retention.common.errors import UserError
from retention.common.multiverse_tables import is_of_multiverse
from retention.common.resources import PAPER, read_resource, resource_path

NEEDED = ("architectures", "seed_stability", "early_loss", "numbers")
COLUMNS = (
    "finding",
    "dataset",
    "architecture",
    "comparison",
    "statistic",
    "estimate",
    "low",
    "high",
)


def audit_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser of what audits of findings need."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--findings", type=Path, nargs="+", required=True, help="their tables")
    parser.add_argument("--output", type=Path, required=True)
    return parser


def reported_of(text: str | None) -> dict:
    """Return the reported numbers from JSON, the paper's for None; `UserError` where some lack."""
    if text is None:
        return read_resource(PAPER)
    return json_map("--reported", text, NEEDED)


def json_map(option: str, text: str, needed: Sequence[str] = ()) -> dict:
    """Return a map from an option's JSON; raise `UserError` for what is none or lacks a key."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{option}: {text!r} is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise UserError(f"{option}: {text!r} is no JSON map")
    lacking = [key for key in needed if key not in found]
    if lacking:
        raise UserError(f"{option}: lacks {', '.join(lacking)}; see {resource_path(PAPER)}")
    return found


def read_findings(paths: Sequence[Path]) -> pd.DataFrame:
    """Read tables of findings as one; an architecture that is none is ""."""
    found = pd.concat(findings_tables(paths), ignore_index=True)
    found["architecture"] = found["architecture"].fillna("")
    return found


def findings_tables(
    paths: Sequence[Path], tell: Callable[[str], None] = print
) -> list[pd.DataFrame]:
    """Read tables of findings; those of the multiverse, which lie in the same folder, are left out, and `tell` is told.

    Raises `UserError` where a table lacks a column, and where none is left.
    """
    tables = []
    for path in paths:
        table = read_csv(path)
        if is_of_multiverse(table.columns):
            tell(
                f"--findings: {path} is left out, as it is a table of the multiverse and of no finding"
            )
            continue
        require_columns(path, table.columns, COLUMNS)
        tables.append(table)
    if not tables:
        raise UserError(
            "--findings: names no table of a finding; name those that measure_finding wrote"
        )
    return tables
