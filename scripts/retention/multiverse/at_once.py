"""All reported numbers at once: which definitions give them, with which errors, and how many would by chance."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from retention.common.randomness import generator
from retention.multiverse.combinations import FAULT
from retention.multiverse.grids import Grid
from retention.multiverse.jointly import Joint, definitions_of
from retention.multiverse.targets import MATCH, RULED_OUT, Assignment, Number, assignments
from retention.multiverse.verdicts import (
    AT_ONCE,
    NOT_EVALUATED,
    OF_FAULT,
    STATUS,
    Paper,
    nothing_left,
    summed,
)
from retention.statistics.resampling import MINIMUM_SEEDS

MOST_ASSIGNMENTS = 100


def at_once(grids: Sequence[Grid], paper: Paper, draws: int) -> tuple[pd.DataFrame, dict]:
    """Return the definitions that all numbers do not rule out, and their row of the summary."""
    row = {"reported": AT_ONCE, "verdict": NOT_EVALUATED, "here": NOT_EVALUATED, "classes": 0}
    every = [cell for grid in grids for cell in grid.cells]
    assigned = list(assignments(paper.numbers, paper.architectures, every)) if grids else []
    if not grids:
        return pd.DataFrame(), row | {"reason": "the multiverse has none of the numbers' estimates"}
    if len(assigned) > MOST_ASSIGNMENTS:
        reason = (
            f"there are {len(assigned)} ways in which these data sets and networks can stand for the paper's, more than "
            f"{MOST_ASSIGNMENTS}; give fewer tables"
        )
        return pd.DataFrame(), row | {"reason": reason}
    joint = _joint(grids, paper, assigned, [~grid.fault for grid in grids])
    if not len(joint.first):
        return pd.DataFrame(), row | {"reason": nothing_left(paper.known)}
    status = joint.status()
    reason = _reason_at_once(joint, paper)
    base, study = _joint_base_rate(joint, draws), grids[0].study
    row |= summed(status.max(axis=0)[joint.first], reason, base, paper, study)
    row["left_out"] = ", ".join(one.about for one in joint.left_out)
    of_faults = list(_with_faults(grids, paper, assigned))
    row["faults"] = ", ".join(fault for fault, one in of_faults if (one.status() == MATCH).any())
    parts = [_definitions_listed(joint, status, row, "")]
    parts += [_definitions_listed(one, one.status(), row, fault) for fault, one in of_faults]
    return pd.concat(parts), row


def _joint(
    grids: Sequence[Grid], paper: Paper, assigned: Sequence[Assignment], those: Sequence[np.ndarray]
) -> Joint:
    counted = [grid.having(paper.known) & one for grid, one in zip(grids, those, strict=True)]
    return Joint(grids, paper.numbers, assigned, definitions_of(grids, counted))


def _with_faults(
    grids: Sequence[Grid], paper: Paper, assigned: Sequence[Assignment]
) -> Iterator[tuple[str, Joint]]:
    """Yield each error with the definitions under which every finding has it that can."""
    for fault in dict.fromkeys(word for grid in grids for word in grid.errors if word):
        those = [grid.errors == fault if fault in grid.errors else ~grid.fault for grid in grids]
        yield fault, _joint(grids, paper, assigned, those)


def _joint_base_rate(joint: Joint, draws: int) -> float:
    """Return how many classes match, on average, what a new study by one of them would report; that one counts, too."""
    if joint.grids[0].study.ours < MINIMUM_SEEDS:
        return float("nan")
    random, found = generator("match_reported", AT_ONCE), 0
    for _ in range(draws):
        _, values = joint.drawn(random)
        found += int((joint.status(values).max(axis=0)[joint.first] == MATCH).sum())
    return found / draws


def _reason_at_once(joint: Joint, paper: Paper) -> str:
    """Return why our data and networks are not the paper's, "" where they are."""
    assignment = joint.assigned[0]
    everywhere = Number("", "", "", "", "", {}, 0.0, 0.0)
    return paper.reason(
        list(assignment.datasets.values()), list(assignment.architectures.values()), everywhere
    )


def _definitions_listed(joint: Joint, status: np.ndarray, row: Mapping, fault: str) -> pd.DataFrame:
    """Return the definitions that are not ruled out, a row each; fault: the error that they have, or ""."""
    definitions, best = joint.definitions, status.max(axis=0)
    rows = np.flatnonzero(best != RULED_OUT)
    words = OF_FAULT if fault else STATUS
    found = definitions.levels.iloc[rows].copy()
    for name in ("reported", "verdict", "here", "reason"):
        found[name] = row[name]
    found["status"] = [words[one] for one in best[rows]]
    found["same_as"] = definitions.classes[rows] + 1
    found["kind"] = FAULT if fault else ""
    found["own"] = [_own(joint, int(one)) for one in rows]
    found["named"] = [_named(joint, int(one)) for one in rows]
    found["assignment"] = [joint.assigned[place].text for place in status[:, rows].argmax(axis=0)]
    if fault:
        name, level = fault.split(" ", 1)
        found[name] = level
    return found


def _members(joint: Joint, row: int) -> Iterator[pd.DataFrame]:
    """Yield the marks of a definition's combinations in each grid."""
    definitions = joint.definitions
    for f, grid in enumerate(joint.grids):
        yield grid.marks[definitions.groups[f] == definitions.members[row, f]]


def _own(joint: Joint, row: int) -> bool:
    return all(marks["own"].any() for marks in _members(joint, row))


def _named(joint: Joint, row: int) -> str:
    """Return the name that combinations of a definition have in all grids, "" without one."""
    names = [set(marks["named"]) - {""} for marks in _members(joint, row)]
    return next(iter(sorted(set.intersection(*names))), "")
