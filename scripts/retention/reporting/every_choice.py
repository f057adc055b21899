"""What survives under every analytic choice, in two sentences for each finding."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from retention.common.errors import UserError
from retention.common.multiverse_tables import FAULT
from retention.common.parts import load_part
from retention.reporting.choices import dimension_in_words, statistic_in_words
from retention.reporting.words import as_text, number, p_equals, p_number, signed

TABLE, SHARES, JOINT = "multiverse.csv", "multiverse_shares.csv", "multiverse_joint.csv"
KNOWN = "multiverse_shares_known.csv"
# Columns that a table has and those after it have not.
HAS = {TABLE: {"combination"}, KNOWN: {"share", "known"}, SHARES: {"share"}, JOINT: {"version"}}
TESTED, ENDS = "same_sign_significant", ("least", "greatest")
WHY_NOT = "not testable: "  # how the note of a test that could not be made begins
NAMED = 3  # comparisons that a sentence names
LARGE = 1000  # numbers beyond are told without decimals

INTRODUCTION = (
    "Each finding was measured again on the same traces under every listed combination of analytic choices. What is counted "
    "are combinations of that list, so no count is a probability. Combinations that give the same numbers count once, as one "
    "distinguishable combination. The sign is that of the estimate less its value by chance; where that is not known there is none. "
    "The total share of the variance is what a choice moves alone or together with others."
)
BESIDE_THE_PAPER = (
    "Each estimate is that of this study's own choices, and most of the paper's are not known. \"Every analytic choice\" above says "
    "what the same traces give under others."
)


def every_choice(tables: Sequence[pd.DataFrame]) -> list[str]:
    """Return the sections of the summary, a heading and a text for each data set; none for no tables.

    tables: multiverse.csv, multiverse_shares.csv and multiverse_joint.csv of any data sets, and multiverse_shares_known.csv,
    told apart by their columns. Raises `UserError` where one is none of these, or where there are no shares.
    """
    if not tables:
        return []
    by_kind: dict[str, list[pd.DataFrame]] = {name: [] for name in HAS}
    for one in tables:
        by_kind[_kind_of(one)].append(one)
    if not by_kind[SHARES]:
        raise UserError(
            f"--multiverse: names no {SHARES}, of which the sentences are; name it, too"
        )
    whole = {name: pd.concat(found) if found else None for name, found in by_kind.items()}
    shares = whole[SHARES]
    assert shares is not None
    sections = []
    for dataset, of_it in shares.groupby("dataset", sort=False):
        lines = [
            _told(
                str(finding),
                one,
                _of(whole[TABLE], dataset, finding),
                _of(whole[JOINT], dataset, finding),
                _of(whole[KNOWN], dataset, finding),
            )
            for finding, one in of_it.groupby("finding", sort=False)
        ]
        text = "\n".join([f"{INTRODUCTION}{_known_of(whole[KNOWN])}", "", *lines])
        sections += [f"## Every analytic choice ({as_text(str(dataset))})", text]
    return sections


def _known_of(known: pd.DataFrame | None) -> str:
    """Return what is known of the paper, as a sentence; "" where that is not told."""
    if known is None or not len(known):
        return ""
    return f" The paper tells of these choices: {as_text(_text(known['known'].iloc[0]).replace('_', ' '))}."


def _kind_of(table: pd.DataFrame) -> str:
    """Return which of the tables it is; raise `UserError` of another one."""
    for name, columns in HAS.items():
        if columns <= set(table):
            return name
    raise UserError(
        f"--multiverse: takes {TABLE}, {SHARES}, {JOINT} and {KNOWN} alone; leave others out"
    )


def _of(table: pd.DataFrame | None, dataset: object, finding: object) -> pd.DataFrame | None:
    """Return the rows of a finding of a data set, None where there is no table."""
    if table is None:
        return None
    return table[(table["dataset"] == dataset) & (table["finding"] == finding)]


def _told(
    finding: str,
    shares: pd.DataFrame,
    table: pd.DataFrame | None,
    joint: pd.DataFrame | None,
    known: pd.DataFrame | None,
) -> str:
    """Return a finding's line: what survives, what moves the number, the joint test, and what is known leaves of it."""
    statistic = statistic_in_words(shares["statistic"].iloc[0])
    title = f"F{load_part('retention.findings', finding).FINDING.number}, {statistic}"
    second = [*_moving(shares), *_jointly(joint)]
    told = "; ".join(second)
    moved = f" {told[0].upper()}{told[1:]}." if told else ""
    left = "".join(_known(shares, known))
    return f"- **{title}**: {_surviving(shares, table)}.{moved}{left}"


def _known(shares: pd.DataFrame, known: pd.DataFrame | None) -> Iterator[str]:
    """Yield what holds of the combinations that are left by what is known of the paper, where these are fewer."""
    if known is None or not len(known) or _most(known) == _most(shares):
        return
    left = _surviving(known, None) if _most(known) else "none of its combinations is left"
    yield f" By what is known of the paper, {left}."


def _most(shares: pd.DataFrame) -> float:
    """Return how many combinations there are, of the comparison that has most."""
    return shares.loc[shares["share"] == "combinations", "value"].max()


def _surviving(shares: pd.DataFrame, table: pd.DataFrame | None) -> str:
    """Return in how many combinations sign and significance are as the study's own, and of which that can not be told."""
    counted = [
        (str(comparison), _counts(one), _range(table, comparison) or _ends_of(one))
        for comparison, one in shares.groupby("comparison", sort=False)
    ]
    known = [one for one in counted if "same_sign" in one[1]]
    alone = [one for one in counted if "same_sign" not in one[1] and "with_chance" in one[1]]
    lost = [
        as_text(name) for name, counts, _ in counted if not {"with_chance", "same_sign"} & {*counts}
    ]
    if not known and not alone:
        return "the study's own number could not be estimated"
    parts = [_same_signs(known)] if known else []
    if alone:
        names = [f"{as_text(name)}{_without_sign(counts, reach)}" for name, counts, reach in alone]
        parts.append(f"{_and(names)} {'has' if len(names) == 1 else 'have'} no sign to compare")
    return "; ".join([*parts, *([f"no own estimate for {_and(lost)}"] if lost else [])])


def _same_signs(known: Sequence[tuple[str, dict[str, int], str]]) -> str:
    """Return in how many combinations the sign is the study's own; known: comparisons, their counts and ranges."""
    of = _ends([counts["distinguishable"] for _, counts, _ in known])
    text = f"of {of} distinguishable combinations the study's own sign holds in "
    if len(known) <= NAMED:
        return text + _and(
            [
                f"{counts['same_sign']}{_of_those(counts)} for {as_text(name)}{_in_brackets(counts, reach)}"
                for name, counts, reach in known
            ]
        )
    text += (
        f"{_ends([counts['same_sign'] for _, counts, _ in known])}, over {len(known)} comparisons"
    )
    tested = [counts[TESTED] for _, counts, _ in known if TESTED in counts]
    return text + (f", with p < 0.05 in {_ends(tested)}" if tested else "")


def _without_sign(counts: Mapping[str, int], reach: str) -> str:
    """Return in brackets why a comparison has no sign to compare, and from where to where it reaches."""
    known = f"chance known of {counts['with_chance']} of {counts['distinguishable']}"
    return f" ({known}{f'; {reach}' if reach else ''})"


def _of_those(counts: Mapping[str, int]) -> str:
    """Return of how many combinations a sign could be told, "" where it could of all."""
    told = counts.get("with_chance", counts["distinguishable"])
    return "" if told == counts["distinguishable"] else f" of {told} whose chance is known"


def _counts(shares: pd.DataFrame) -> dict[str, int]:
    """Return how many combinations there are of each kind; shares of combinations as counts."""
    found = {}
    counts = (shares["dimension"].fillna("") == "") & ~shares["share"].isin(ENDS)
    for _, row in shares[counts].iterrows():
        if row["share"].startswith("same_sign"):
            if pd.notna(row["value"]):
                found[row["share"]] = round(row["value"] * row["of"])
        else:
            found[row["share"]] = round(row["value"])
    return found


def _in_brackets(counts: Mapping[str, int], reach: str) -> str:
    parts = [f"p < 0.05 in {counts[TESTED]}"] if TESTED in counts else []
    parts += [reach] if reach else []
    return f" ({'; '.join(parts)})" if parts else ""


def _range(table: pd.DataFrame | None, comparison: object) -> str:
    """Return from where to where a comparison's estimates reach, faults apart; "" where that is not known."""
    if table is None:
        return ""
    found = table[(table["comparison"] == comparison) & (table["kind"] != FAULT)]["estimate"]
    if found.notna().sum() == 0:
        return ""
    return f"{_number(found.min())} to {_number(found.max())}"


def _ends_of(shares: pd.DataFrame) -> str:
    """Return the range that the shares themselves tell, "" where they tell none."""
    told = shares.set_index("share")["value"]
    if "least" not in told:
        return ""
    return f"{_number(told['least'])} to {_number(told['greatest'])}"


def _number(value: float) -> str:
    return number(value) if abs(value) < LARGE else signed(f"{value:,.0f}")


def _moving(shares: pd.DataFrame) -> Iterator[str]:
    """Yield which choice has the largest total share of the variance, by comparison."""
    totals = shares[(shares["share"] == "total") & shares["value"].notna()]
    if totals.empty:
        return
    largest = totals.loc[totals.groupby("comparison", sort=False)["value"].idxmax()]
    parts: list[str] = []
    for dimension, one in largest.groupby("dimension", sort=False):
        names = [as_text(str(name)) for name in one["comparison"]]
        of = (
            ""
            if len(one) == len(largest)
            else f" for {_and(names) if len(names) <= NAMED else len(names)}"
        )
        low, high = number(one["value"].min()), number(one["value"].max())
        what = "" if parts else "total share of its variance "
        parts.append(
            f"{dimension_in_words(str(dimension))}{of} ({what}{low if low == high else f'{low} to {high}'})"
        )
    yield f"what moves the number most is {_and(parts)}"


def _jointly(joint: pd.DataFrame | None) -> Iterator[str]:
    """Yield the p of the finding's joint tests, or why there is none."""
    if joint is None:
        return
    whole = joint[joint["comparison"].fillna("") == ""]
    tested = whole[whole["p_corrected"].notna()]
    if len(tested):
        first, *others = zip(tested["version"].map(_text), tested["p_corrected"], strict=True)
        beside = ", ".join(f"{version} {p_number(p)}" for version, p in others)
        of_first = f" ({first[0]})" if first[0] else ""
        also = f" ({beside})" if beside else ""
        yield f"joint test{of_first}: {p_equals(first[1])}{also}, corrected over the findings"
    elif len(whole) and _text(whole["note"].iloc[0]):
        yield f"no joint test: {as_text(_text(whole['note'].iloc[0]).removeprefix(WHY_NOT))}"


def _text(cell: object) -> str:
    return "" if pd.isna(cell) else str(cell)


def _ends(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _and(parts: Sequence[str]) -> str:
    """Return `a, b and c`."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
