"""The options of the multiverse, whose defaults, ranges and meanings stand in the schema.

They are no section of `common.options`: what every job imports would say something else, and every study would be made anew.
"""

import argparse
import json
from collections.abc import Mapping
from copy import deepcopy
from functools import partial

from retention.common.errors import UserError
from retention.common.faults import schema_faults
from retention.common.options import KeptLines, properties
from retention.common.schemas import read_schema

KEY = "multiverse"


def schema() -> dict:
    """Return the JSON schema of the options, with the `$defs` that it refers to."""
    whole = read_schema("config")
    return {"$defs": whole["$defs"], **whole["properties"][KEY]}


def complete_options(given: Mapping) -> dict:
    """Return the options with the defaults of those that are not given; a dimension of which null is said is not changed."""
    known = {name: deepcopy(one["default"]) for name, one in properties(schema()).items()}
    return known | _said(given)


def options_without_defaults(given: Mapping) -> dict:
    """Return the options that say something else than their defaults."""
    usual = complete_options({})
    return {name: value for name, value in _said(given).items() if value != usual.get(name)}


def _said(given: Mapping) -> dict:
    """Return the options without dimensions of which null is said: configurations are merged, and this takes them back."""
    return {
        name: {key: one for key, one in value.items() if one is not None}
        if isinstance(value, Mapping)
        else value
        for name, value in given.items()
    }


def read_multiverse(place: str, text: str) -> dict:
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


def add_multiverse(parser: argparse.ArgumentParser, flag: str) -> None:
    """Let a command take the options as JSON; its help lists them."""
    parser.formatter_class = KeptLines
    lines = [
        f"JSON, what differs from the defaults, such as '{json.dumps(schema()['examples'][0])}'"
    ]
    lines += [
        f"  {name}: {one['description']}; default {json.dumps(one['default'])}"
        for name, one in properties(schema()).items()
    ]
    parser.add_argument(
        flag,
        type=partial(read_multiverse, flag),
        default=complete_options({}),
        metavar="JSON",
        help="\n".join(lines).replace("%", "%%"),
    )
