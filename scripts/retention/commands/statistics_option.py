"""What `--statistics` takes."""

import json
from collections.abc import Iterable
from pathlib import Path

from jsonschema import Draft202012Validator

from retention.common.errors import UserError

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
