"""Measure F4: which classes are forgotten, and do look-alikes explain it?"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from retention.analysis.findings.class_forgetting import measure
from retention.analysis.runs import read_runs
from retention.common.errors import UserError, run_command
from retention.common.storage import read_metadata, write_csv


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, nargs="+", required=True)
    parser.add_argument("--confusions", type=Path, nargs="*", default=[], help="as --samples")
    parser.add_argument("--centroids", type=Path, nargs="*", default=[], help="as --samples")
    parser.add_argument("--statistics", type=json.loads, required=True, help="JSON")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    for name, files in (
        ("--confusions", arguments.confusions),
        ("--centroids", arguments.centroids),
    ):
        if files and len(files) != len(arguments.samples):
            raise UserError(f"{name}: {len(files)} files for {len(arguments.samples)} --samples")
    owners = [read_metadata(path)["architecture"] for path in arguments.samples]
    table = measure(
        read_runs(arguments.samples),
        arguments.statistics,
        _of_architecture(owners, [pd.read_csv(path) for path in arguments.confusions], pd.concat),
        _of_architecture(owners, [np.load(path) for path in arguments.centroids], _mean),
    )
    write_csv(arguments.output, table)
    print(table[["comparison", "statistic", "estimate", "low", "high"]].to_string(index=False))


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
