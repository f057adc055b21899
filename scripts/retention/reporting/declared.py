"""What findings declare of themselves, for summary and tables."""

from collections.abc import Iterable
from typing import Any

from retention.common.parts import load_part


def declared(name: str) -> Any:
    """Return a finding's declaration, a `measuring.declaration.Finding`; raise `UserError` for a name of none."""
    return load_part("retention.findings", name).FINDING


def by_number(names: Iterable[Any]) -> list[str]:
    """Return names of findings in the order of their numbers."""
    return sorted(names, key=lambda name: declared(name).number)
