"""Maps as YAML files."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from retention.common.files import write_text


def write_yaml(path: str | Path, content: Mapping) -> None:
    """Write a map as YAML, keys in the order given."""
    write_text(path, yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True))
