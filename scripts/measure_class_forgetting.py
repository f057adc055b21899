"""Measure F4: which classes are forgotten, and do look-alikes explain it?"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from retention.analysis.command import measuring_parser, write_finding
from retention.analysis.findings.class_forgetting import measure
from retention.analysis.runs import read_runs
from retention.common.errors import UserError, run_command
from retention.common.storage import read_metadata


def main(argv=None):
    parser = measuring_parser(__doc__)
    parser.add_argument("--confusions", type=Path, nargs="*", default=[], help="as --samples")
    parser.add_argument("--centroids", type=Path, nargs="*", default=[], help="as --samples")
    parser.add_argument(
        "--families", type=families_of, default=None, help='"last_word" or JSON {class: family}'
    )
    arguments = parser.parse_args(argv)
    for name, files in (
        ("--confusions", arguments.confusions),
        ("--centroids", arguments.centroids),
    ):
        if files and len(files) != len(arguments.samples):
            raise UserError(f"{name}: {len(files)} files for {len(arguments.samples)} --samples")
    runs = read_runs(arguments.samples)
    owners = [read_metadata(path)["architecture"] for path in arguments.samples]
    table = measure(
        runs,
        arguments.statistics,
        _of_architecture(owners, [pd.read_csv(path) for path in arguments.confusions], pd.concat),
        _of_architecture(owners, [np.load(path) for path in arguments.centroids], _mean),
        arguments.families or "",
    )
    write_finding(arguments.output, table)


def families_of(text):
    """Return "last_word", a map from class to family, or "" from what --families takes."""
    try:
        families = text if text == "last_word" else json.loads(text)
    except json.JSONDecodeError:
        families = None
    if families in ("", "last_word") or isinstance(families, dict):
        return families
    raise UserError(
        f'--families: {text!r} is neither last_word nor a JSON map {{"class": "family"}}'
    )


def _of_architecture(owners, contents, combine):
    """Combine the contents that belong to each architecture; empty without contents."""
    return {
        owner: combine([c for o, c in zip(owners, contents, strict=True) if o == owner])
        for owner in (set(owners) if contents else ())
    }


def _mean(arrays):
    return np.mean(arrays, axis=0)


if __name__ == "__main__":
    run_command(main)
