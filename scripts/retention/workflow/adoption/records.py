"""What is written once all was checked: run.yaml, states of half-trained runs, small files."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from retention.common.files import atomic_path
from retention.common.yaml_files import write_yaml
from retention.training.state_file import read_state, write_state
from retention.workflow.adoption.candidates import Candidate
from retention.workflow.adoption.graph import Job
from retention.workflow.adoption.standing import standing_version


def put_in_place(job: Job, places: Mapping[str, Path]) -> None:
    """Put the files of a job that wait where they belong, as old as what they replace or lie beside."""
    there = [str(path) for path in job.output if Path(path).exists()]
    for name in map(str, job.output):
        if name in places:
            before = os.stat(name if name in there else there[0])
            with atomic_path(name) as temporary:
                shutil.copyfile(places[name], temporary)
            _as_old_as(Path(name), before)


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


def adopt_state(folder: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Let the whole states of a half-trained run say that they are of this version.

    before, now: what the old and this version call what the run depends on. The newest state is written last:
    whenever the process dies, the same is found again.
    """
    for path in sorted(folder.glob("epoch_*.json")):
        try:
            content = read_state(path)
        except (OSError, ValueError):  # the run itself passes over what is damaged
            continue
        if content["identity"] == before:
            write_state(path, {**content, "identity": dict(now)})


def _as_old_as(path: Path, other: os.stat_result) -> None:
    os.utime(path, ns=(other.st_atime_ns, other.st_mtime_ns))
