"""All reported numbers at once: which definitions give them, with which errors, and how many would by chance."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from retention.common.multiverse_tables import AT_ONCE, FAULT
from retention.common.randomness import generator
from retention.multiverse.grids import Grid
from retention.multiverse.jointly import Joint, definitions_of
from retention.multiverse.targets import MATCH, RULED_OUT, Assignment, Number, assignments
from retention.multiverse.verdicts import (
    OF_FAULT,
    STATUS,
    BaseRate,
    Paper,
    not_evaluated,
    nothing_left,
    summed,
)
from retention.statistics.resampling import MINIMUM_SEEDS

MOST_ASSIGNMENTS = 100


def at_once(grids: Sequence[Grid], paper: Paper, draws: int) -> tuple[pd.DataFrame, dict]:
    """Return the definitions that all numbers do not rule out, and their row of the summary."""
    row = {"reported": AT_ONCE}
    every = [cell for grid in grids for cell in grid.cells]
    assigned = list(assignments(paper.numbers, paper.architectures, every)) if grids else []
    if not grids:
        return pd.DataFrame(), row | not_evaluated(
            "the multiverse has none of the numbers' estimates", paper
        )
    if len(assigned) > MOST_ASSIGNMENTS:
        reason = (
            f"there are {len(assigned)} ways in which these data sets and networks can stand for the paper's, more than "
            f"{MOST_ASSIGNMENTS}; give fewer tables"
        )
        return pd.DataFrame(), row | not_evaluated(reason, paper)
    joint = _joint(grids, paper, assigned, [~grid.fault for grid in grids])
    if not len(joint.first):
        return pd.DataFrame(), row | not_evaluated(nothing_left(grids, paper.known), paper)
    status = joint.status()
    reason = _reason_at_once(joint, paper)
    base, study = _joint_base_rate(joint, draws), grids[0].study
    row |= summed(status.max(axis=0)[joint.first], reason, base, paper, study)
    row["asked"] = ", ".join(one.about for one in joint.held_against)
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
    """Yield each error that changes some number, with the definitions under which every finding has it that can."""
    harmful = [word for grid in grids for word in grid.errors[~grid.harmless.all(axis=1)]]
    for fault in dict.fromkeys(filter(None, harmful)):
        those = [grid.errors == fault if fault in grid.errors else ~grid.fault for grid in grids]
        yield fault, _joint(grids, paper, assigned, those)


def _joint_base_rate(joint: Joint, draws: int) -> BaseRate:
    """Return what new studies, each by one of the classes, would leave of them."""
    if joint.grids[0].study.ours < MINIMUM_SEEDS:
        return BaseRate()
    random, found, kept = generator("match_reported", AT_ONCE), 0, 0
    for _ in range(draws):
        truth, values = joint.drawn(random)
        left = joint.status(values).max(axis=0) != RULED_OUT
        found, kept = found + int(left[joint.first].sum()), kept + bool(left[truth])
    return BaseRate(found / draws, kept / draws)


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
