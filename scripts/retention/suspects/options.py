"""The options of the ranking, whose defaults, ranges and meanings stand in the schema.

They are no section of `common.options`: what every job imports would say something else, and every study would be made anew.
"""

import argparse
import json
from collections.abc import Mapping
from functools import partial

from retention.common.errors import UserError
from retention.common.faults import schema_faults
from retention.common.options import KeptLines, allowed_values, properties
from retention.common.schemas import read_schema

KEY = "suspects"


def schema() -> dict:
    """Return the JSON schema of the options; for reading alone."""
    return read_schema("config")["properties"][KEY]


def complete_options(given: Mapping) -> dict:
    """Return the options with the defaults of those that are not given."""
    return {name: one["default"] for name, one in properties(schema()).items()} | dict(given)


def options_without_defaults(given: Mapping) -> dict:
    """Return the options that say something else than their defaults."""
    usual = complete_options({})
    return {name: value for name, value in given.items() if value != usual.get(name)}


def read_suspects_options(place: str, text: str) -> dict:
    """Return the options, complete, from JSON that says what differs from the defaults; raise `UserError`."""
    example = json.dumps(schema()["examples"][0])
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{place}: {text!r} is no JSON object, such as '{example}' ({error})"
        ) from error
    if faults := schema_faults(given, schema(), f"{place}: "):
        raise UserError("\n".join(faults))
    return complete_options(given)


def add_suspects_options(parser: argparse.ArgumentParser, flag: str = f"--{KEY}") -> None:
    """Let a command take the options as JSON; its help lists them."""
    lines = [
        f"JSON, what differs from the defaults, such as '{json.dumps(schema()['examples'][0])}'"
    ]
    for name, one in properties(schema()).items():
        values = f"{', '.join(allowed_values(one))}; " if allowed_values(one) else ""
        lines.append(
            f"  {name}: {values}{one['description']}; default {json.dumps(one['default'])}"
        )
    parser.add_argument(
        flag,
        type=partial(read_suspects_options, flag),
        default=complete_options({}),
        metavar="JSON",
        help="\n".join(lines).replace("%", "%%"),
    )


class KeptExample(KeptLines, argparse.RawDescriptionHelpFormatter):
    """Help in which the description's command stays on lines of its own, too."""
