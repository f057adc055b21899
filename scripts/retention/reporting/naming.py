"""Names of architectures and treatments as people read them: by the title that the configuration gives, if any."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

import pandas as pd

# Between the names in a comparison, as findings write them: "vit: reviews minus random", "cnn + vit", "cnn vs vit".
BETWEEN = re.compile(r"( minus | vs | \+ |: )")
NAMES = ("architecture", "treatment", "baseline")
OF_CLASSES = "class_hazard"  # whose comparison ends with a class, which has no title


def distinct(titles: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return a title for each of the names that has one; one that two names would share is followed by the name."""
    every = {name: titles.get(name, name) for name in names}
    shared = {title for title, number in Counter(every.values()).items() if number > 1}
    return {
        name: f"{title} ({name})" if title in shared else title
        for name, title in every.items()
        if title != name
    }


def names_in(rows: pd.DataFrame, runs: Iterable[Mapping] = ()) -> list[str]:
    """Return the architectures and treatments that rows of findings and runs (run.yaml) are of."""
    found = [name for column in NAMES if column in rows for name in rows[column].dropna().unique()]
    return list(dict.fromkeys([*found, *(run[key] for run in runs for key in NAMES[:2])]))


def titled(name: str, titles: Mapping[str, str]) -> str:
    """Return a name's title, the name where it has none."""
    return titles.get(name, name)


def in_titles(comparison: str, titles: Mapping[str, str]) -> str:
    """Return a comparison with the title of each name in it that has one."""
    return "".join(titled(part, titles) for part in BETWEEN.split(comparison))


def with_titles(rows: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return rows of findings with titles in place of names, their order and all else as they are."""
    told = {
        name: rows[name].map(lambda one: titled(one, titles), na_action="ignore")
        for name in NAMES
        if name in rows
    }
    if "comparison" in rows:
        told["comparison"] = [_comparison(row, titles) for row in rows.to_dict("records")]
    if "note" in rows:
        notes = rows["note"].map(lambda one: _counted(one, titles), na_action="ignore")
        told["note"] = notes.astype(rows["note"].dtype)  # though it holds nothing
    return rows.assign(**told)


def in_audit(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return the table of an audit, whose architectures may be two, with titles in place of names."""
    if "architecture" not in table:
        return table
    told = {
        name: table[name].map(lambda one: in_titles(one, titles), na_action="ignore")
        for name in ("architecture", "explanation")
        if name in table
    }
    return table.assign(**told)


def _counted(note: object, titles: Mapping[str, str]) -> object:
    """Return a note with titles in its counts of runs, such as `3 of a and 3 of b` in brackets."""
    if not isinstance(note, str) or not titles:
        return note
    names = "|".join(re.escape(name) for name in sorted(titles, key=len, reverse=True))
    of_name = rf"(?<=\d of )(?:{names})(?=\)| and \d+ of )"
    return re.sub(of_name, lambda found: titles[found[0]], note)


def _comparison(row: Mapping, titles: Mapping[str, str]) -> object:
    comparison, name = row["comparison"], row.get("architecture")
    if not isinstance(comparison, str):
        return comparison
    if row.get("statistic") == OF_CLASSES and isinstance(name, str):
        return titled(name, titles) + comparison.removeprefix(name)
    return in_titles(comparison, titles)
