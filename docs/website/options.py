"""The pages of options: every key of the JSON schemas with what it is, its range and its default."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from retention.common.faults import LIMITS
from retention.common.options import allowed_values, properties
from retention.common.schemas import read_schema

KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
}
ENTRIES = {"string": "texts", "integer": "whole numbers", "number": "numbers", "object": "maps"}
SLOT = {"value", "source"}  # keys of what is known of the paper
SITE = "slurm/site.yaml"
SHOWN = 12  # values of a list that are shown
STUDY = """# Configuration

A study is a YAML file, given by `--configfile`. What it does not say is as in [`config.yaml`](#configyaml), the paper's study, which stands
below with its comments. A key at its default and no such key are the same. Unknown keys, and values out of range, are refused in one line.
"""
DATA_SETS = """# Data set definitions

`dataset_definitions` of a study describes its data sets, each a map of these keys. [Data](../data.md) tells what they are for. An entry of the
name of a known data set takes its place. `scripts/retention/resources/datasets.yaml` describes those that are known.
"""
CLUSTER = """# Cluster options

`slurm/site.yaml` says what is particular to a cluster. [On a Slurm cluster](../cluster.md) tells how a study runs there.
"""
# Keys of a study whose map, or whose entries' maps, have a schema of their own.
REFERRED = {
    "architecture_definitions": "architecture",
    "treatment_definitions": "treatment",
    "recipes": "recipe_layer",
}


def study(root: Path) -> str:
    """Return the page of a study's options, as Markdown."""
    schema = read_schema("config")
    plain, maps = [], []
    for key, one in schema["properties"].items():
        one = _referred(one, schema["$defs"])
        inner = _inner(key, one, schema)
        (maps if inner else plain).append((key, one, inner))
    text = f"{STUDY}\n## The study\n\n" + "".join(_entry(key, one) for key, one, _ in plain)
    for key, one, inner in maps:
        listed = " Each entry of the list has these keys." if one.get("type") == "array" else ""
        text += f"\n## {key}\n\n{_sentence(one)}{listed}\n\n" + "".join(
            _entry(name, option) for name, option in _within(inner, schema["$defs"])
        )
    text += "\n## Another definition of a decay constant\n\nKeys of `describe_samples.py --definition`, a map as JSON.\n\n"
    for name, option in _within(schema["$defs"]["definition"], schema["$defs"]):
        text += _entry(name, option)
    return text + _file(root, "config.yaml")


def data_sets(root: Path) -> str:
    """Return the page of a data set's keys, as Markdown."""
    entry = read_schema("datasets")["additionalProperties"]
    return f"{DATA_SETS}\n" + "".join(_entry(name, one) for name, one in _within(entry, {}))


def cluster(root: Path) -> str:
    """Return the page of a cluster's keys, as Markdown; what each is stands in the comment behind it."""
    text = (root / SITE).read_text(encoding="utf-8")
    told = dict(re.findall(r"^(\w+):.*?  # (.*)$", text, re.MULTILINE))
    listed = "".join(
        _entry(name, {"description": told.get(name, ""), **one})
        for name, one in _within(read_schema("site"), {})
    )
    return f"{CLUSTER}\n{listed}" + _file(root, SITE)


def _file(root: Path, name: str) -> str:
    """Return a file of the repository as the last section of a page."""
    return f"\n## {name}\n\n```yaml\n{(root / name).read_text(encoding='utf-8').rstrip()}\n```\n"


def _inner(key: str, option: Mapping, schema: Mapping) -> Mapping:
    """Return the schema of the keys of a map, or of each entry of a map or list; an empty one where there are none."""
    if key in REFERRED:
        return schema["$defs"][REFERRED[key]]
    entry = option.get("items", {})  # of a list of maps
    return next((one for one in (option, entry) if "properties" in one), {})


def _within(schema: Mapping, definitions: Mapping, before: str = "") -> Iterator[tuple[str, dict]]:
    """Yield (dotted key, schema) of each key of a map, of the maps within it, and of those by name (NAME)."""
    for key, option in properties(schema, definitions).items():
        option, name = _referred(option, definitions), f"{before}{key}"
        inner, named = option.get("items", option), option.get("additionalProperties")
        if set(inner.get("properties", {})) == SLOT:  # told as one: its value's range
            yield name, {**inner["properties"]["value"], "description": option["description"]}
            continue
        yield name, option
        if isinstance(named, Mapping) and "properties" in named:
            inner, name = named, f"{name}.NAME"
        yield from _within(inner, definitions, f"{name}.")


def _referred(option: Mapping, definitions: Mapping) -> dict:
    """Return an option's schema with what it refers to."""
    name = option.get("$ref", "").rpartition("/")[2]
    referred = _referred(definitions[name], definitions) if name else {}
    within = referred.get("properties", {}) | option.get("properties", {})
    return {**referred, **option, **({"properties": within} if within else {})}


def _entry(name: str, option: Mapping) -> str:
    """Return an option as an entry of a list of definitions: what it is, then its values, default and first version."""
    facts = [("Values", _values(option)), ("Default", _default(option)), ("Since", _since(option))]
    said = " ".join(f"*{title}:* {fact}." for title, fact in facts if fact)
    lines = [line for line in (_sentence(option), said) if line]
    return f"`{name}`\n: " + "\\\n  ".join(lines) + "\n\n"


def _sentence(option: Mapping) -> str:
    told = option.get("description", "")
    return f"{told}." if told else ""


def _values(option: Mapping) -> str:
    """Return which values an option takes, in words; "" where its schema does not say."""
    if listed := allowed_values(option):
        return ", ".join(map(_code, listed))
    if "written" in option:
        return option["written"].replace("*", "\\*").replace("<", "\\<")
    words = KINDS.get(str(option.get("type")), "")
    entry = option.get("items", {}) if option.get("type") == "array" else {}
    if entries := allowed_values(entry):
        words = f"a list of {', '.join(map(_code, entries))}"
    elif entry:
        words = f"a list of {ENTRIES.get(str(entry.get('type')), 'names')}"
    limits = [_limits(option), _limits(entry) and f"each {_limits(entry)}"]
    return ", ".join(filter(None, [words, *limits]))


def _limits(option: Mapping) -> str:
    return " and ".join(f"{words} {option[key]}" for key, words in LIMITS.items() if key in option)


def _default(option: Mapping) -> str:
    if "sameAs" in option:
        return f"that of {_code(option['sameAs'])}"
    if "default" not in option:
        return ""
    default = option["default"]
    if isinstance(default, list) and len(default) > SHOWN:
        shown = ", ".join(map(_code, default[:SHOWN]))
        return f"{shown} and {len(default) - SHOWN} more, as the schema lists them"
    return _code(default)


def _since(option: Mapping) -> str:
    return option.get("since", "")


def _code(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`` {text} ``" if "`" in text else f"`{text}`"
