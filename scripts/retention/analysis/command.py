"""The command line that findings share: samples.parquet of the runs in, one table out."""

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd
from jsonschema import Draft202012Validator

from retention.analysis.runs import read_runs
from retention.common.errors import UserError
from retention.common.storage import write_csv

SCHEMA = Path(__file__).parents[3] / "schemas" / "config.schema.json"
# Those of config.yaml (a test compares them); what --statistics names goes before them.
STATISTICS = {
    "top_fraction": 0.1,
    "resamples": 2000,
    "tie_breaks": 200,
    "score": "decay_constant",
    "correction": "holm",
    "seed": 0,
    "treatment": {"metric": "balanced_accuracy", "margin": 0.01},
}


def measuring_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser of what every finding needs."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--samples", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--statistics",
        type=statistics_of,
        default=STATISTICS,
        help=f"JSON, what differs from {json.dumps(STATISTICS)}",
    )
    parser.add_argument("--output", type=Path, required=True)
    return parser


def statistics_of(text: str) -> dict:
    """Return the options of a finding from JSON; raise `UserError` for what the configuration refuses."""
    try:
        given = json.loads(text)
        options = STATISTICS | given
        options["treatment"] = STATISTICS["treatment"] | options["treatment"]
    except (json.JSONDecodeError, TypeError) as error:
        raise UserError(
            f"--statistics: {text!r} is no JSON object, such as '{{\"resamples\": 500}}' ({error})"
        ) from error
    # family_map: of the configuration, used elsewhere
    _refuse_unknown("--statistics", set(options) - {"family_map"}, STATISTICS)
    _refuse_unknown("--statistics: treatment", options["treatment"], STATISTICS["treatment"])
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"]["statistics"]
    for error in Draft202012Validator(schema).iter_errors(options):
        place = ".".join(map(str, error.absolute_path))
        raise UserError(f"--statistics: {place}: {error.message}")
    return options


def _refuse_unknown(place: str, given: Iterable[str], known: Iterable[str]) -> None:
    unknown = set(given) - set(known)
    if unknown:
        raise UserError(
            f"{place}: knows no {', '.join(sorted(unknown))}; it takes {', '.join(known)}"
        )


def write_finding(path: Path, table: pd.DataFrame) -> None:
    """Write a finding's table and print its estimates."""
    write_csv(path, table)
    print(table[["comparison", "statistic", "estimate", "low", "high"]].to_string(index=False))


def measuring_command(measure: Callable[..., pd.DataFrame], description: str) -> Callable:
    """Return `main(argv)` of a script that measures a finding with `measure`."""

    def main(argv: Sequence[str] | None = None) -> None:
        arguments = measuring_parser(description).parse_args(argv)
        table = measure(read_runs(arguments.samples), arguments.statistics)
        write_finding(arguments.output, table)

    return main
