"""Labels and groups as people type them: spellings of one name, and spellings of none."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.common.lists import listed, plural
from retention.common.notes import tell
from retention.common.options import complete
from retention.data.spellings import alike, seen, spellings


def missing_among(names: Iterable[str], definition: Mapping) -> list[str]:
    """Return the names that are empty or one of the definition's `missing_groups`, sorted."""
    listed_ones = complete("dataset", definition)["missing_groups"]
    known = {""}.union(*map(spellings, listed_ones))
    return sorted(name for name in set(names) if not known.isdisjoint(spellings(name)))


def require_distinct(names: pd.Series, definition: Mapping, what: str, place: str | Path) -> None:
    """Raise `UserError` where names differ only in their spelling (`spellings`), unless the definition allows it.

    names: one per image; what: what they are, such as "label"; place: where they are written.
    """
    if complete("dataset", definition)["on_similar_names"] == "keep":
        return
    counts = names.value_counts()
    if found := [_quoted(several, counts) for several in alike(counts.index)]:
        raise UserError(
            f"{place}: {what}s that differ only in their spelling: {listed(found, '; ')}; write them alike, or set "
            "on_similar_names: keep"
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


def _quoted(names: Sequence[str], counts: pd.Series) -> str:
    """Return names so that they look different, with how many images each has."""
    quote = repr if len({*map(seen, names)}) == len(names) else ascii
    return ", ".join(f"{quote(name)} ({counts[name]})" for name in names)
