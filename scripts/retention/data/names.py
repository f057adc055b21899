"""Labels and groups as people type them: spellings of one name, and spellings of none."""

import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.common.lists import listed, plural
from retention.common.notes import tell
from retention.common.options import complete


def likeness(name: str) -> str:
    """Return what two spellings of a name share: without blanks, case, Unicode form and invisible characters."""
    plain = unicodedata.normalize("NFKC", name)
    kept = (c for c in plain if not (c.isspace() or _invisible(c)))
    return unicodedata.normalize("NFKC", "".join(kept).casefold())


def _invisible(character: str) -> bool:
    """Return whether a character only formats its neighbours: joiners, marks of direction, selectors of a variant."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


def missing_among(names: Iterable[str], definition: Mapping) -> list[str]:
    """Return the names that are empty or one of the definition's `missing_groups`, sorted."""
    known = {"", *map(likeness, complete("dataset", definition)["missing_groups"])}
    return sorted(name for name in set(names) if likeness(name) in known)


def require_distinct(names: pd.Series, definition: Mapping, what: str, place: str | Path) -> None:
    """Raise `UserError` where names differ only in blanks, case or Unicode form, unless the definition allows it.

    names: one per image; what: what they are, such as "label"; place: where they are written.
    """
    if complete("dataset", definition)["on_similar_names"] == "keep":
        return
    counts = names.value_counts()
    alike: dict[str, list[str]] = {}
    for name in sorted(counts.index):
        alike.setdefault(likeness(name), []).append(name)
    found = [_quoted(several, counts) for several in alike.values() if len(several) > 1]
    if found:
        raise UserError(
            f"{place}: {what}s that differ only in blanks, case or Unicode form: {listed(found, '; ')}; write them "
            "alike, or set on_similar_names: keep"
        )


def own_groups(groups: pd.Series, ids: pd.Series, definition: Mapping) -> pd.Series:
    """Give every image whose group is missing one of its own, with a name that no group in use begins with.

    What is a missing group says `missing_groups`, and an empty cell is one; they are noted.
    """
    missing = missing_among(groups, definition)
    alone = "ungrouped: "
    while groups.str.startswith(alone).any():
        alone = "_" + alone
    if missing:
        number = int(groups.isin(missing).sum())
        tell(
            f"{plural(number, 'image')} whose group is missing ({_listed(missing)}): each is a group of its own; "
            "missing_groups lists what counts as none"
        )
    return groups.where(~groups.isin(missing), alone + ids)


def missing_labels(names: pd.Series, definition: Mapping) -> Iterable[str]:
    """Yield a sentence per class that is called as missing values are."""
    counts = names.value_counts()
    for name in missing_among(counts.index, definition):
        yield f"class {name!r} has {plural(counts[name], 'image')}: is their label missing?"


def _listed(names: list[str]) -> str:
    return listed([repr(name) for name in names])


def _quoted(names: list[str], counts: pd.Series) -> str:
    """Return names so that they look different, with how many images each has."""
    visible = ("".join(c for c in name if not _invisible(c)) for name in names)
    looks = {unicodedata.normalize("NFC", name) for name in visible}
    quote = repr if len(looks) == len(names) else ascii
    return ", ".join(f"{quote(name)} ({counts[name]})" for name in names)
