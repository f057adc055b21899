"""What would stand word for word under several findings: once, before them, and named from there."""

from collections.abc import Sequence
from dataclasses import dataclass

from retention.reporting.words import series_of

HEADING = "Before the findings"
POINT = "- "  # how a line begins


@dataclass(frozen=True)
class Told:
    """What is told of a finding on a data set.

    label: such as F3; dataset: as the summary writes it; lines: points of a list.
    """

    label: str
    dataset: str
    lines: Sequence[str]


def said_once(sections: Sequence[Told]) -> tuple[list[str], list[list[str]]]:
    """Return sections that stand before the findings, and the lines that are left to each, in their order.

    Each data set with a line that several of its findings have gets a section, a heading and its notes. The findings name
    the notes by number; numbers are those of the whole summary.
    """
    holders: dict[tuple[str, str], list[str]] = {}
    for one in sections:
        for line in dict.fromkeys(one.lines):
            holders.setdefault((one.dataset, line), []).append(one.label)
    shared = [key for key, labels in holders.items() if len(labels) > 1]
    shared.sort(key=lambda key: list(dict.fromkeys(one.dataset for one in sections)).index(key[0]))
    numbers = {key: number for number, key in enumerate(shared, 1)}
    before: list[str] = []
    for dataset in dict.fromkeys(dataset for dataset, _ in shared):
        notes = [
            f"{POINT}**Note {numbers[key]}**, for {series_of(holders[key])}: {key[1].removeprefix(POINT)}"
            for key in shared
            if key[0] == dataset
        ]
        before += [f"## {HEADING} ({dataset})", "\n".join(notes)]
    return before, [_left(one, numbers) for one in sections]


def _left(one: Told, numbers: dict[tuple[str, str], int]) -> list[str]:
    """Return a finding's own lines, and one that names the notes which it shares with others."""
    own = [line for line in one.lines if (one.dataset, line) not in numbers]
    notes = sorted({numbers[one.dataset, line] for line in one.lines if line not in own})
    if not notes:
        return own
    named = series_of([str(number) for number in notes])
    which = f"Note {named} holds" if len(notes) == 1 else f"Notes {named} hold"
    return [*own, f'{POINT}{which} here, too (see "{HEADING}").']
