"""The JSON schemas, which lie in the package beside the code."""

import json
from pathlib import Path
from typing import Any

from retention.common.parts import part_names

PACKAGE = Path(__file__).parents[1]


def read_schema(name: str) -> dict:
    """Return a JSON schema of schemas/, `config`, `datasets` or `site`, its lists of names filled in.

    `{"names_of": "retention.data.adapters"}` becomes an enum of the modules in that room: a new one
    is known to the schema by being there.
    """
    text = (PACKAGE / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    return with_names(json.loads(text))


def with_names(schema: Any) -> Any:
    """Return a schema in which every `names_of` has become an enum."""
    if isinstance(schema, list):
        return [with_names(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    filled = {key: with_names(value) for key, value in schema.items() if key != "names_of"}
    if "names_of" in schema:
        filled["enum"] = list(part_names(schema["names_of"]))
    return filled
