"""Sections of options that came after studies were finished; defaults, ranges and meanings stand in the schema.

They are no sections of `common.options`: what every job imports would say something else, and every study would be made anew.
A section is a key of the configuration, such as `suspects`.
"""

import argparse
import json
from collections.abc import Mapping, MutableMapping
from copy import deepcopy
from functools import partial

from retention.common.errors import UserError
from retention.common.faults import schema_faults
from retention.common.options import KeptLines, allowed_values, properties
from retention.common.schemas import read_schema


def schema_of(section: str) -> dict:
    """Return the JSON schema of a section; for reading alone."""
    return read_schema("config")["properties"][section]


def completed(section: str, given: Mapping) -> dict:
    """Return the options of a section with the defaults of those that are not given."""
    known = properties(schema_of(section))
    return {name: deepcopy(one["default"]) for name, one in known.items()} | dict(given)


def said(section: str, config: Mapping) -> dict:
    """Return the options of a configuration's section that say something else than their defaults."""
    usual = completed(section, {})
    return {name: one for name, one in config.get(section, {}).items() if one != usual.get(name)}


def keep_said(section: str, config: MutableMapping) -> None:
    """Take the options at their defaults out of a configuration: it is a job's parameter, and an older study's has none."""
    options = said(section, config)
    config.pop(section, None)
    if options:
        config[section] = options


def read_added(section: str, place: str, text: str) -> dict:
    """Return the options, complete, from JSON that says what differs from the defaults; raise `UserError`."""
    schema = schema_of(section)
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        example = json.dumps(schema["examples"][0])
        raise UserError(
            f"{place}: {text!r} is no JSON object, such as '{example}' ({error})"
        ) from error
    if faults := schema_faults(given, schema, f"{place}: "):
        raise UserError("\n".join(faults))
    return completed(section, given)


def add_added(parser: argparse.ArgumentParser, section: str) -> None:
    """Let a command take a section's options as JSON under its name; its help lists them."""
    parser.formatter_class, flag, schema = KeptExample, f"--{section}", schema_of(section)
    lines = [f"JSON, what differs from the defaults, such as '{json.dumps(schema['examples'][0])}'"]
    for name, one in properties(schema).items():
        values = f"{', '.join(allowed_values(one))}; " if allowed_values(one) else ""
        lines.append(
            f"  {name}: {values}{one['description']}; default {json.dumps(one['default'])}"
        )
    parser.add_argument(
        flag,
        type=partial(read_added, section, flag),
        default=completed(section, {}),
        metavar="JSON",
        help="\n".join(lines).replace("%", "%%"),
    )


class KeptExample(KeptLines, argparse.RawDescriptionHelpFormatter):
    """Help in which the description's command stays on lines of its own, too."""
