"""The description of an unfinished run's last epoch: JSON that carries its own checksum."""

import json
from collections.abc import Mapping
from pathlib import Path

from retention.common.digests import digest_of
from retention.common.files import write_text


def write_state(path: Path, content: Mapping) -> None:
    """Write what `read_state` returns, whole or not at all."""
    write_text(path, json.dumps({**content, "checksum": digest_of(content)}, indent=1))


def read_state(path: Path) -> dict:
    """Return the content: epoch, identity, tensors, records, summaries. `ValueError` if damaged."""
    content = json.loads(path.read_text(encoding="utf-8"))
    checksum = content.pop("checksum") if isinstance(content, dict) else None
    if checksum != digest_of(content):
        raise ValueError(f"{path.name} does not match its checksum")
    return content
