"""Measure a finding, as `measure_finding` does."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from retention.commands import measure_finding
from retention.common.csv_tables import read_csv
from retention.common.errors import UserError
from retention.common.lists import listed
from retention.common.names import nearest
from retention.common.parts import load_part, part_names
from retention.measuring.declaration import Finding
from retention.notebooks.frames import RUN, as_file, called, workplace

TABLES = {"samples": ".parquet", "confusions": ".csv"}  # what may be given as frames


def measure(
    finding: str,
    samples: Sequence[str | Path | pd.DataFrame] | None = None,
    *,
    statistics: Mapping[str, Any] | None = None,
    **more: Any,
) -> pd.DataFrame:
    """Return a finding's table: the columns and values that the command writes.

    finding: such as "seed_stability". samples: of each run, what `describe` returned, or a samples.parquet. statistics:
    options that differ from their defaults, such as {"resamples": 999}. more: what else the finding reads, a list with an
    entry per run, such as confusions and probabilities; and its settings. Raises `UserError` for a finding or a name
    that there is not, and where runs do not fit each other.
    """
    known = part_names("retention.findings")
    if finding not in known:
        raise UserError(
            f"measure: there is no finding {finding!r}; known are {', '.join(known)}{nearest(finding, known)}"
        )
    declared = load_part("retention.findings", finding).FINDING
    given = {"samples": samples, **more} if samples is not None else more
    _require_known(finding, declared, given)
    with workplace() as folder:
        options: dict[str, Any] = {"output": folder / "table.csv"}
        for name, value in given.items():
            options[name] = _files(name, value, folder) if name in declared.reads else _text(value)
        options["statistics"] = None if statistics is None else json.dumps(dict(statistics))
        called(measure_finding.main, options, finding)
        return read_csv(folder / "table.csv")


def _require_known(finding: str, declared: Finding, given: Mapping[str, Any]) -> None:
    names = [*declared.reads, *declared.settings]
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise UserError(
            f"{finding}: reads no {listed(unknown)}; expected of {', '.join(names)}{nearest(unknown[0], names)}"
        )
    lacking = [n for n, files in declared.reads.items() if not files.optional and n not in given]
    if lacking:
        raise UserError(f"{finding}: needs {listed(lacking)}, a list with an entry per run")


def _files(name: str, given: Any, folder: Path) -> list[Path]:
    """Return the paths of what a finding reads of each run."""
    if isinstance(given, str | Path | pd.DataFrame):
        raise UserError(f"{name}: is one alone; expected a list with an entry per run")
    paths = []
    for number, one in enumerate(given):
        if isinstance(one, pd.DataFrame):
            if name not in TABLES:
                raise UserError(
                    f"{name}: entry {number} is a data frame; expected the path of a file"
                )
            if name == "samples" and RUN not in one.attrs:
                raise UserError(
                    f"samples: entry {number} does not say which run it is of; take it as `describe` returned it, or set "
                    f'its attrs["{RUN}"] to a map of dataset, architecture and seed'
                )
        paths.append(as_file(one, folder, f"{name}_{number}", TABLES.get(name, "")))
    if not paths:
        raise UserError(f"{name}: is empty; expected a list with an entry per run")
    return paths


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
