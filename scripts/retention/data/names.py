"""Labels and groups as people type them: spellings of one name, and spellings of none."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.common.lists import listed, plural
from retention.common.notes import tell
from retention.common.options import complete
from retention.data.spellings import alike, seen, spellings

ALONE = "ungrouped: "  # what the group of an image whose group is missing begins with
FAR_MORE = 10  # times the median group


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
    alone = ALONE
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


def large_groups(images: pd.DataFrame, definition: Mapping) -> Iterator[str]:
    """Yield a sentence on groups that hold far more images than the others: such a name may stand for none.

    images: columns sample_id and group. Far more is half of all images, or ten times the median group and a twentieth.
    """
    counts = images["group"].value_counts()
    if len(images) > 2 and counts.iloc[0] > len(images) / 2:
        yield f"group {counts.index[0]!r} holds {counts.iloc[0]} of all {len(images)} images"
        return
    pairs = zip(images["group"], images["sample_id"], strict=True)
    alone = {group for group, name in pairs if group.endswith(f"{ALONE}{name}")}
    given = counts[~counts.index.isin(alone)]
    large = given[(given >= FAR_MORE * given.median()) & (given > len(images) / 20)]
    if len(large):
        names = listed([f"{name!r} ({number})" for name, number in large.items()])
        remedy = (
            "; missing_groups lists what counts as none" if definition["adapter"] == "csv" else ""
        )
        yield (
            f"the {'group' if len(large) == 1 else 'groups'} {names} of all {len(images)} images: the median group holds "
            f"{given.median():g}; is their group missing?{remedy}"
        )


def _listed(names: list[str]) -> str:
    return listed([repr(name) for name in names])


def _quoted(names: Sequence[str], counts: pd.Series) -> str:
    """Return names so that they look different, with how many images each has."""
    quote = repr if len({*map(seen, names)}) == len(names) else ascii
    return ", ".join(f"{quote(name)} ({counts[name]})" for name in names)
