"""The options of a study: their defaults, limits and meanings stand in the JSON schemas alone.

A section is a map of options by name, such as `recipe` or `statistics`. What a map does not say
means the schema's default, so a key at its default and no such key are the same thing. A default
that was published therefore stays: results stand by parameters that do not mention it. `sameAs` in the
schema names the key, beside or around it, whose value is a key's default; `since` marks a key that came
after files were written that list all options.
"""

import argparse
import json
from collections.abc import Mapping
from copy import deepcopy
from functools import cache, partial
from itertools import chain

from retention.common.errors import UserError
from retention.common.faults import LIMITS, schema_faults
from retention.common.schemas import read_schema

# Section → (schema, keys that lead to it).
SECTIONS = {
    "recipe": ("config", "$defs", "recipe"),
    "store": ("config", "properties", "store"),
    "dynamics": ("config", "properties", "dynamics"),
    "statistics": ("config", "properties", "statistics"),
    "architecture": ("config", "$defs", "architecture"),
    "treatment": ("config", "$defs", "treatment"),
    "dataset": ("datasets", "additionalProperties"),
    "split": ("datasets", "additionalProperties", "properties", "split"),
}


_NONE = object()


@cache
def section_schema(section: str) -> dict:
    """Return the schema of a section, its `$defs` with it; for reading alone."""
    name, *keys = SECTIONS[section]
    whole = found = read_schema(name)
    for key in keys:
        found = found[key]
    return {"$defs": whole.get("$defs", {}), **found}


def defaults(section: str) -> dict:
    """Return every option of a section that has a default, maps of options included."""
    return complete(section, {})


def complete(section: str, given: Mapping) -> dict:
    """Return a copy of `given` with the defaults of what it does not say, in maps within it, too.

    Keys that the schema does not know stay: `faults` names them.
    """
    known = properties(section_schema(section))
    whole = _complete(known, given)
    _add_same(known, whole, {})
    return whole


def without_defaults(section: str, given: Mapping) -> dict:
    """Return a copy of `given` without what means the same when it is left out.

    Two maps mean the same where these are equal. Maps within it that then are empty go, too.
    """
    known = properties(section_schema(section))
    return _without_defaults(known, given, complete(section, given), {})


def as_listed(section: str, whole: Mapping) -> dict:
    """Return a complete map as files list it: without keys that came later (`since`) and are at their default.

    So an option that is added changes no byte of a file.
    """
    return _as_listed(properties(section_schema(section)), whole, without_defaults(section, whole))


def faults(section: str, given: object, place: str) -> list[str]:
    """Return one line, `place: key: what is wrong`, per fault of a map."""
    return schema_faults(given, section_schema(section), f"{place}: ")


def require_faultless(section: str, given: object, place: str) -> None:
    """Raise `UserError` with a line per fault of a map."""
    if found := faults(section, given, place):
        raise UserError("\n".join(found))


def read_options(section: str, place: str, text: str) -> dict:
    """Return a command's options, complete, from JSON that says what differs from the defaults.

    place: what the command calls them, such as `--statistics`. Raises `UserError`.
    """
    given = read_map(section, place, text)
    require_faultless(section, given, place)
    return complete(section, given)


def read_map(section: str, place: str, text: str) -> dict:
    """Return the map in a command's JSON as it is said; raise `UserError` for what holds none."""
    example = json.dumps(section_schema(section)["examples"][0])
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{place}: {text!r} is no JSON object, such as '{example}' ({error})"
        ) from error
    if not isinstance(given, dict):
        raise UserError(f"{place}: {text!r} is no JSON object, such as '{example}'")
    return given


def add_map(parser: argparse.ArgumentParser, flag: str, section: str) -> None:
    """Let a command take a section's map as it is said, neither checked nor completed; its help lists the options."""
    parser.formatter_class = KeptLines
    parser.add_argument(
        flag,
        type=partial(read_map, section, flag),
        required=True,
        metavar="JSON",
        help=help_text(section),
    )


def add_options(
    parser: argparse.ArgumentParser, flag: str, section: str, required: bool = False
) -> None:
    """Let a command take a section's options as JSON; its help lists them."""
    parser.formatter_class = KeptLines
    parser.add_argument(
        flag,
        type=partial(read_options, section, flag),
        default=defaults(section),
        required=required,
        metavar="JSON",
        help=help_text(section),
    )


class KeptLines(argparse.HelpFormatter):
    """Help in which the lines of a text that has several stay lines; others are wrapped."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        if "\n" in text:
            return text.splitlines()
        return super()._split_lines(text, width)


def help_text(section: str) -> str:
    """Return what argparse shows of a section: a line per option."""
    schema = section_schema(section)
    example = json.dumps(schema["examples"][0])
    lines = [f"JSON, what differs from the defaults, such as '{example}'"]
    return "\n".join([*lines, *_described(properties(schema))]).replace("%", "%%")


def allowed_values(schema: Mapping) -> list:
    """Return the values that an option's schema lists, none where it lists none."""
    if schema.get("type") == "boolean":
        return [True, False]
    if "const" in schema:
        return [schema["const"]]
    branches = [allowed_values(branch) for branch in schema.get("anyOf", [])]
    return schema.get("enum") or ([*chain(*branches)] if all(branches) else [])


def properties(schema: Mapping, definitions: Mapping | None = None) -> dict[str, dict]:
    """Return the schemas of a map's keys, those that it refers to among them.

    definitions: the whole schema's `$defs`, where `schema` does not hold them itself.
    """
    definitions = schema.get("$defs", {}) if definitions is None else definitions
    referred = schema.get("$ref", "").rpartition("/")[2]
    found = properties(definitions[referred], definitions) if referred else {}
    return found | schema.get("properties", {})


def _complete(known: Mapping[str, Mapping], given: Mapping) -> dict:
    whole = {}
    for key, schema in known.items():
        inner = schema.get("properties", {})
        if inner and isinstance(given.get(key, {}), Mapping):
            value = _complete(inner, given.get(key, {}))
            if value or key in given:
                whole[key] = value
        elif key in given or "default" in schema:
            whole[key] = deepcopy(given[key] if key in given else schema["default"])
    return whole | {key: deepcopy(value) for key, value in given.items() if key not in known}


def _add_same(known: Mapping[str, Mapping], whole: dict, around: Mapping) -> None:
    """Add, in place, the keys whose default is another key's value, outer maps first."""
    for key, schema in known.items():
        source, seen = schema.get("sameAs"), {**around, **whole}
        if key not in whole and source in seen:
            whole[key] = seen[source]
    for key, schema in known.items():
        if isinstance(whole.get(key), dict) and "properties" in schema:
            _add_same(schema["properties"], whole[key], whole)


def _without_defaults(
    known: Mapping[str, Mapping], given: Mapping, whole: Mapping, around: Mapping
) -> dict:
    visible = {**around, **whole}
    kept = {}
    for key, value in given.items():
        schema = known.get(key, {})
        inner = schema.get("properties", {})
        if inner and isinstance(value, Mapping):
            if value := _without_defaults(inner, value, whole[key], visible):
                kept[key] = value
        elif value != _default(schema, visible):
            kept[key] = deepcopy(value)
    return kept


def _as_listed(known: Mapping[str, Mapping], whole: Mapping, short: Mapping) -> dict:
    listed = {}
    for key, value in whole.items():
        schema = known.get(key, {})
        if key not in short and "since" in schema:
            continue
        if "properties" in schema and isinstance(value, Mapping):
            value = _as_listed(schema["properties"], value, short.get(key, {}))
        listed[key] = value
    return listed


def _default(schema: Mapping, visible: Mapping) -> object:
    """Return what a key means that is not said: its default, another key's value, or a value like no other."""
    return schema.get("default", visible.get(schema.get("sameAs"), _NONE))


def _described(known: Mapping[str, Mapping], before: str = "") -> list[str]:
    lines = []
    for key, schema in known.items():
        facts = [_values_in_words(schema)]
        if "default" in schema:
            facts.append(f"default {_written(schema['default'])}")
        facts.append(schema.get("description", ""))
        if any(facts):
            lines.append(f"  {before}{key}: {'; '.join(filter(None, facts))}")
        within = schema.get("items", schema).get("properties", {})
        lines += _described(within, f"{before}{key}.")
    return lines


def _values_in_words(schema: Mapping) -> str:
    limits = [f"{words} {schema[key]}" for key, words in LIMITS.items() if key in schema]
    listed = ", ".join(map(_written, allowed_values(schema)))
    return listed or schema.get("written", "") or " and ".join(limits)


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
