"""What a study found and what it left open, in a few plain sentences from the tables of its findings."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from retention.common.parts import load_part
from retention.reporting.collapsed import collapsed, read_by
from retention.reporting.controls import is_control
from retention.reporting.declared import by_number, declared
from retention.reporting.first_step import Counts, first_step_in_brief
from retention.reporting.forgotten import DEFINED, Described, forgotten
from retention.reporting.trained import any_elsewhere, trained
from retention.reporting.verdicts import NOT_TOLD, TOLD, UNDECIDED, is_found, verdict_of
from retention.reporting.words import as_text, series_of

MOST = 5  # findings that have a sentence each
NAMED = 4  # comparisons that a sentence names
WENT_WRONG = "on runs that went wrong"
FOUND = "Found with confidence (F and a number name a question of the study, which has a section below):"
NOTHING_FOUND = "Nothing was distinguishable from chance."
ONLY_CONTROLS = "Nothing is decided of the treatments themselves"
SCALES = (
    "How to read these numbers: a correlation is 0 where there is none and ±1 where it is perfect. An overlap or agreement "
    "is 1 where it is complete. Goodness of fit is 1 where a curve passes through every point, and 0 or less where it tells "
    "nothing."
)
MEASURED = ("correlation", "overlap", "agreement", "goodness of fit")  # which that explains
OPEN = "Still open, with how many of a question's comparisons:"
FURTHER = "Other tests of the same questions, such as those within classes, found something:"
NO_PROOF = "A test that finds nothing does not show that there is nothing."
NOTHING_SEEN = (NOT_TOLD, UNDECIDED)  # what tests say that were made and found nothing


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
    described: Sequence[Described] = (),
    counts: Sequence[Counts] = (),
) -> list[str]:
    """Return the section, a heading and its paragraphs.

    findings: rows of all findings, their names as Markdown may hold them. runs: run.yaml of those that findings read;
    what rests on one that went wrong is never told as found. left_out: findings that the study can not make.
    controls: architectures that are in no finding. described: samples of runs of `random`, to count the forgotten ones;
    counts: epoch_counts.csv of such runs, to tell what came with the first epoch.
    """
    findings = findings.reset_index(drop=True)  # rows are told apart by it
    compared = [run for run in runs if run["architecture"] not in controls]
    claims = {
        name: claims_of(name, rows, compared)
        for name, rows in findings.groupby("finding", sort=False)
    }
    ordered = {name: claims[name] for name in by_number(claims)}
    several = findings["dataset"].nunique() > 1
    return [
        "## In short",
        " ".join(
            [
                trained(findings, runs, controls),
                DEFINED,
                *_losses(described, counts, any_elsewhere(runs)),
            ]
        ),
        *_never_forgotten(findings, several),
        *_found(ordered, several),
        *_open(ordered, left_out),
        *_further(findings, claims),
    ]


def _losses(
    described: Sequence[Described], counts: Sequence[Counts], elsewhere: bool
) -> Iterator[str]:
    """Yield how many images each network forgot, and how much of that came with the first epoch."""
    if told := list(forgotten(described)):
        yield from [*told, *first_step_in_brief(counts, elsewhere)]


def _further(findings: pd.DataFrame, claims: Mapping[str, Sequence[Claim]]) -> Iterator[str]:
    """Yield which findings have tests beside those of their question that found something."""
    told = []
    for name in by_number(claims):
        rows = findings[findings["finding"] == name]
        asked = {claim.row.name for claim in claims[name]}
        wrong = {c.row["dataset"] for c in claims[name] if c.outcome == WENT_WRONG}
        others = rows[~rows.index.isin(asked) & ~rows["dataset"].isin(wrong)]
        if any(verdict_of(row) == TOLD for _, row in others.iterrows()):
            told.append(_numbered(name))
    if told:
        yield f"{FURTHER} {series_of(told)}."


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
    ordered = sorted(found, key=lambda name: _says_little(name, found[name]))
    lines = [f"- {_sentence(name, found[name], several)}" for name in ordered[:MOST]]
    if more := [_numbered(name) for name in by_number(ordered[MOST:])]:
        lines.append(f"- More is told below: {series_of(more)}.")
    yield "\n".join([FOUND, "", *lines])
    if any(word in line for word in MEASURED for line in lines):
        yield SCALES


def _says_little(name: str, found: Sequence[Claim]) -> int:
    """Return the place in the order of what a reader gets: 0 what answers a question, 1 controls, 2 what only rules out."""
    sentences = load_part("retention.findings", name, "sentences")
    if hasattr(sentences, "only_rules_out"):
        return 2 * all(sentences.only_rules_out(claim.row) for claim in found)
    return int(all(is_control(claim.row) for claim in found))


def _sentence(name: str, found: Sequence[Claim], several: bool) -> str:
    sentences = load_part("retention.findings", name, "sentences")
    said: dict[str, list[str]] = {}
    for claim in found:
        what, of_whom = (getattr(sentences, "in_brief", None) or _in_brief)(claim.row)
        said.setdefault(what, []).append(of_whom + _place(claim.row["dataset"], several))
    parts = [f"{what} {series_of(_cut(names))}" for what, names in said.items()]
    alone = [ONLY_CONTROLS] if all(is_control(claim.row) for claim in found) else []
    return f"{_numbered(name)}: {'. '.join([*alone, *parts])}."


def _in_brief(row: pd.Series) -> tuple[str, str]:
    """Return what a row says of a finding without words of its own."""
    return f"{row['statistic'].replace('_', ' ')} is distinguishable from chance:", str(
        row["comparison"]
    )


def _cut(names: list[str]) -> list[str]:
    return names if len(names) <= NAMED else [*names[:NAMED], f"{len(names) - NAMED} more"]


def _open(claims: Mapping[str, Sequence[Claim]], left_out: Iterable[str]) -> Iterator[str]:
    """Yield what stayed open in one line: of each finding how many of its comparisons, and why where it is not by chance."""
    parts = []
    for name, ours in claims.items():
        reasons = Counter(claim.outcome for claim in ours if not claim.found)
        if reasons or not ours:
            parts.append(f"{_numbered(name)} ({_why(reasons, len(ours))})")
    parts += [f"{_numbered(name)} (not made)" for name in by_number(left_out)]
    if parts:
        yield f"{OPEN} {series_of(parts)}. {NO_PROOF}"


def _numbered(name: str) -> str:
    return f"**F{declared(name).number}**"


def _why(reasons: Counter[str], number: int) -> str:
    """Return of how many comparisons nothing can be told; and why, but for tests that found nothing."""
    if not number:
        return "nothing tested"
    told = {reason: count for reason, count in reasons.items() if reason not in NOTHING_SEEN}
    alone = len(reasons) == 1
    why = [reason if alone else f"{count} {reason}" for reason, count in told.items()]
    return ", ".join([f"{reasons.total()} of {number}", *why])
