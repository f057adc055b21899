"""What a study found and what it left open, in a few plain sentences from the tables of its findings."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from retention.common.few import TOO_FEW
from retention.common.parts import load_part
from retention.reporting.collapsed import collapsed, read_by
from retention.reporting.declared import by_number, declared
from retention.reporting.trained import trained
from retention.reporting.verdicts import NOT_TOLD, TOLD, is_found, verdict_of
from retention.reporting.words import as_text, series_of

MOST = 5  # findings that have a sentence each
NAMED = 4  # comparisons that a sentence names
WENT_WRONG = "on runs that went wrong"
# What each outcome takes, of one comparison and of several.
VERBS = {TOO_FEW: ("has", "have"), WENT_WRONG: ("rests", "rest")}
IS = ("is", "are")
FOUND = "Found with confidence, by p corrected for all tests of a finding:"
NOTHING_FOUND = "Nothing was distinguishable from chance."
OPEN = "Still open; a test that finds nothing does not show that there is nothing:"


@dataclass(frozen=True)
class Claim:
    """A comparison that answers a finding's question: its row, and in words what came of it."""

    row: pd.Series
    outcome: str

    @property
    def found(self) -> bool:
        """Return whether something was found."""
        return is_found(self.outcome)


def in_short(
    findings: pd.DataFrame,
    runs: Sequence[Mapping],
    left_out: Iterable[str] = (),
    controls: Sequence[str] = (),
) -> list[str]:
    """Return the section, a heading and its paragraphs.

    findings: rows of all findings, their names as Markdown may hold them. runs: run.yaml of those that findings read;
    what rests on one that went wrong is never told as found. left_out: findings that the study can not make.
    controls: architectures that are in no finding.
    """
    compared = [run for run in runs if run["architecture"] not in controls]
    claims = {
        name: claims_of(name, rows, compared)
        for name, rows in findings.groupby("finding", sort=False)
    }
    ordered = {name: claims[name] for name in by_number(claims)}
    several = findings["dataset"].nunique() > 1
    return [
        "## In short",
        trained(findings, runs, controls),
        *_never_forgotten(findings, several),
        *_found(ordered, several),
        *_open(ordered, left_out),
    ]


def claims_of(name: str, rows: pd.DataFrame, runs: Sequence[Mapping]) -> list[Claim]:
    """Return the claims of a finding: of the rows that it names, or of all that are tested where it names none."""
    sentences = load_part("retention.findings", name, "sentences")
    chosen = sentences.claims(rows) if hasattr(sentences, "claims") else rows[rows["p"].notna()]
    read = read_by(declared(name).treatments, runs)
    wrong = {as_text(run["dataset"]) for run in collapsed(read)}
    return [
        Claim(row, WENT_WRONG if row["dataset"] in wrong else verdict_of(row))
        for _, row in chosen.iterrows()
    ]


def _never_forgotten(findings: pd.DataFrame, several: bool) -> Iterator[str]:
    """Yield which architectures forgot nothing at all, as the hazards of their classes say."""
    hazards = findings[(findings["statistic"] == "class_hazard") & findings["estimate"].notna()]
    held = [
        f"**{name}**{_place(dataset, several)}"
        for (dataset, name), rows in hazards.groupby(["dataset", "architecture"], sort=False)
        if not rows["estimate"].any()
    ]
    if held:
        yield f"No run of {series_of(held)} forgot any sample that it had learned."


def _place(dataset: object, several: bool) -> str:
    return f" on {dataset}" if several else ""


def _found(claims: Mapping[str, Sequence[Claim]], several: bool) -> Iterator[str]:
    """Yield what was found: a line each for the first findings, the numbers of the others."""
    found = {name: told for name, ours in claims.items() if (told := [c for c in ours if c.found])}
    if not found:
        yield NOTHING_FOUND
        return
    lines = [f"- {_sentence(name, told, several)}" for name, told in list(found.items())[:MOST]]
    if more := [f"F{declared(name).number}" for name in list(found)[MOST:]]:
        lines.append(f"- More is told below: {series_of(more)}.")
    yield "\n".join([FOUND, "", *lines])


def _sentence(name: str, found: Sequence[Claim], several: bool) -> str:
    sentences = load_part("retention.findings", name, "sentences")
    said: dict[str, list[str]] = {}
    for claim in found:
        what, of_whom = (getattr(sentences, "in_brief", None) or _in_brief)(claim.row)
        said.setdefault(what, []).append(of_whom + _place(claim.row["dataset"], several))
    parts = [f"{what} {series_of(_cut(names))}" for what, names in said.items()]
    return f"**F{declared(name).number}**: {'. '.join(parts)}."


def _in_brief(row: pd.Series) -> tuple[str, str]:
    """Return what a row says of a finding without words of its own."""
    return f"{row['statistic'].replace('_', ' ')} is distinguishable from chance:", str(
        row["comparison"]
    )


def _cut(names: list[str]) -> list[str]:
    return names if len(names) <= NAMED else [*names[:NAMED], f"{len(names) - NAMED} more"]


def _open(claims: Mapping[str, Sequence[Claim]], left_out: Iterable[str]) -> Iterator[str]:
    """Yield what stayed open: a line per finding, how many of its comparisons and why."""
    lines = []
    for name, ours in claims.items():
        reasons = Counter(claim.outcome for claim in ours if not claim.found)
        if reasons or not ours:
            lines.append(f"- {_question(name)} {_why(reasons, len(ours))}.")
    lines += [
        f"- {_question(name)} Not made; the reason stands below." for name in by_number(left_out)
    ]
    if lines:
        yield "\n".join([OPEN, "", *lines])


def _question(name: str) -> str:
    return f"**F{declared(name).number}**: {declared(name).question}"


def _why(reasons: Counter[str], number: int) -> str:
    """Return of how many comparisons nothing can be told, and why."""
    if not number:
        return "Nothing was tested; what there is stands below"
    if reasons.total() == number and len(reasons) == 1:
        (reason,) = reasons
        one, several = VERBS.get(reason, IS)
        if number == 1:
            return f"The one comparison {one} {reason}"
        none = f"None of {number} comparisons is {TOLD}"
        return none if reason == NOT_TOLD else f"All {number} comparisons {several} {reason}"
    told = [
        f"{count} {VERBS.get(reason, IS)[count > 1]} {reason}" for reason, count in reasons.items()
    ]
    return f"Of {number} comparisons {series_of(told)}"
