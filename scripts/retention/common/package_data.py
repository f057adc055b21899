"""The files that lie in the package beside the code: JSON schemas and resources."""

import json
from pathlib import Path

import yaml

from retention.common.parts import part_names

PACKAGE = Path(__file__).parents[1]
DATASETS, PAPER = "datasets.yaml", "paper.yaml"


def resource_path(name: str) -> str:
    """Return where a resource lies in the sources, as messages and documents name it."""
    return f"scripts/{PACKAGE.name}/resources/{name}"


def read_resource(name: str) -> dict:
    """Return the map in a YAML file of resources/."""
    return yaml.safe_load((PACKAGE / "resources" / name).read_text(encoding="utf-8"))


def read_schema(name: str) -> dict:
    """Return a JSON schema of schemas/, `config`, `datasets` or `site`, its lists of names filled in.

    `{"names_of": "retention.data.adapters"}` becomes an enum of the modules in that room: a new one
    is known to the schema by being there.
    """
    text = (PACKAGE / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    return with_names(json.loads(text))


def with_names(schema: object) -> object:
    """Return a schema in which every `names_of` has become an enum."""
    if isinstance(schema, list):
        return [with_names(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    filled = {key: with_names(value) for key, value in schema.items() if key != "names_of"}
    if "names_of" in schema:
        filled["enum"] = list(part_names(schema["names_of"]))
    return filled
