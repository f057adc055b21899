"""What is written once all was checked: run.yaml, states of half-trained runs, small files."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from retention.common.files import atomic_path
from retention.common.yaml_files import write_yaml
from retention.training.state_file import read_state, write_state
from retention.workflow.adoption.candidates import Candidate
from retention.workflow.adoption.standing import standing_version


def put_in_place(job, places: Mapping[str, Path]) -> int:
    """Put the small files of a job beside the others, as old as these; returns how many."""
    beside = next(Path(path) for path in job.output if str(path) not in places)
    waiting = [str(path) for path in job.output if str(path) in places]
    for name in waiting:
        with atomic_path(name) as temporary:
            shutil.copyfile(places[name], temporary)
        _as_old_as(Path(name), os.stat(beside))
    return len(waiting)


def adopt_run(candidate: Candidate, commit: str, checked: str, date: str) -> None:
    """Append to run.yaml to which code the run was taken; its time stays.

    commit: that of the old version, where run.yaml does not say it. checked: what both versions
    trained.
    """
    path, facts = Path(candidate.job.output.run), dict(candidate.facts)
    adopted = list(facts.get("adopted") or [])
    known = commit if adopted else facts.get("commit") or commit
    entry = {
        "from": {"code_version": standing_version(facts), **({"commit": known} if known else {})},
        "to": candidate.code,
        "date": date,
        "checked": checked,
        "digests": {**candidate.now, "code version": candidate.code},
    }
    before = os.stat(path)
    write_yaml(path, {**facts, "adopted": [*adopted, entry]})
    _as_old_as(path, before)


def adopt_state(candidate: Candidate) -> None:
    """Let the whole states of a half-trained run say that they are of this version."""
    for path in sorted(candidate.state.glob("epoch_*.json")):
        try:
            content = read_state(path)
        except (OSError, ValueError):  # the run itself passes over what is damaged
            continue
        if content["identity"] == candidate.facts["digests"]:
            write_state(path, {**content, "identity": candidate.now})


def _as_old_as(path: Path, other: os.stat_result) -> None:
    os.utime(path, ns=(other.st_atime_ns, other.st_mtime_ns))
