"""Which classes fill the top of a ranking, beside how common they are: a rare class is hard, and fills it unseen."""

from collections.abc import Iterator

import pandas as pd

from retention.common.escapes import escaped
from retention.common.lists import plural

SHOWN, WIDTH = 10, 32  # classes that are printed, and letters of their names


def composition(ranked: pd.DataFrame, first: int) -> pd.DataFrame:
    """Return one row per class of a ranking: label, class_name, samples, share, in_first, share_of_first.

    first: how many samples from the top are looked at; all where there are fewer. The class with most of them comes first,
    of equals the rarest, then the lowest label.
    """
    top = ranked.head(first)
    found = ranked.groupby("label").agg(
        class_name=("class_name", "first"), samples=("label", "size")
    )
    found["share"] = found["samples"] / max(len(ranked), 1)
    found["in_first"] = top.groupby("label").size().reindex(found.index, fill_value=0)
    found["share_of_first"] = found["in_first"] / max(len(top), 1)
    found["first"] = len(top)
    found = found.reset_index()
    return found.sort_values(
        ["in_first", "samples", "label"], ascending=[False, True, True], ignore_index=True
    )


def told_composition(ranked: pd.DataFrame, first: int, what: str) -> Iterator[str]:
    """Yield lines that say it: a head, a line for each class of the top, and what is left out.

    what: which samples these are, such as "training".
    """
    found = composition(ranked, first)
    if found.empty:
        return
    yield (
        f"the first {found['first'].iloc[0]} of {len(ranked):,} {what} samples{_of_groups(ranked.head(first))}, by class, "
        "beside the class's share of all:"
    )
    top = found[found["in_first"] > 0]
    names = [_short(escaped(str(name)) or "(no name)") for name in top["class_name"].head(SHOWN)]
    width = max(map(len, names))
    for row, name in zip(top.head(SHOWN).itertuples(), names, strict=True):
        share, of_all = f"{100 * row.share_of_first:3.0f} %", f"{100 * row.share:.1f} %"
        yield f"  {row.in_first:>4} ({share})  {name:{width}}  {row.samples:,} of all ({of_all})"
    if len(top) > SHOWN:
        rest = int(top["in_first"].iloc[SHOWN:].sum())
        yield f"  {rest:>4}          {plural(len(top) - SHOWN, 'further class', 'further classes')}"


def _of_groups(top: pd.DataFrame) -> str:
    """Return of how many groups the samples are, where some share one."""
    groups = top["group"]
    if (groups == "").any() or groups.nunique() == len(top):
        return ""
    return f" (of {plural(groups.nunique(), 'group')})"


def _short(name: str) -> str:
    """Return a name that is cut in its middle: names of classes often begin alike, and end so."""
    half = WIDTH // 2
    return name if len(name) <= WIDTH else f"{name[: half - 1]}…{name[-half:]}"
