"""Maps as YAML files."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from retention.common.errors import UserError
from retention.common.files import write_text


def write_yaml(path: str | Path, content: Mapping) -> None:
    """Write a map as YAML, keys in the order given."""
    write_text(path, yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True))


def read_stated(path: str | Path) -> dict:
    """Return the map in a small YAML file that states what another one holds; raise `UserError` without one."""
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: is no YAML file; delete it, and it is made anew") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: holds no digests; delete it, and it is made anew")
    return content
