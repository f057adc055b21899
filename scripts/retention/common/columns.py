"""Tables carry the columns that were promised."""

from collections.abc import Iterable
from pathlib import Path

from retention.common.errors import UserError
from retention.common.lists import listed


def require_columns(
    path: str | Path, present: Iterable[str], wanted: Iterable[str], remedy: str = ""
) -> None:
    """Raise `UserError` when `present` lacks any of the `wanted` columns of the file `path`.

    remedy: what to do about it, the end of the message.
    """
    present = list(present)
    missing = [column for column in wanted if column not in present]
    if missing:
        raise UserError(
            f"{path}: lacks the column(s) {listed(missing)}; it has {listed(present)}{remedy}"
        )
