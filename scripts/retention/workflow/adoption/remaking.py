"""What lies around the runs, made again by this version and held against what is there."""

import filecmp
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from retention.common.digests import digest_tensors
from retention.common.errors import UserError
from retention.common.yaml_files import write_yaml
from retention.workflow.adoption.comparison import difference, gained
from retention.workflow.adoption.graph import Job, command_of

REMADE = (
    "index_dataset",
    "split_dataset",
    "cache_images",
    "describe_samples",
    "schedule_reviews",
)
# Their outputs are held byte for byte: small files state digests of these.
WHOLE = ("cache_images",)
# Outputs that tell people of the others, from which nothing is made: written anew, not compared.
TOLD = ("notes", "quarantine")
WEIGHTS = ("fetch_weights", "pretrain_backbone")


def require_files(jobs: Sequence[Job]) -> None:
    """Raise `UserError` where a file that jobs were made from, or made, is gone.

    Small files that the old version did not write are no such files.
    """
    new = set[str]().union(*map(new_files, jobs))
    for job in jobs:
        for path in map(str, [*job.input, *job.output]):
            if path not in new and not Path(path).exists():
                raise UserError(
                    f"{path}: is not there, and {job.rule.name} of a finished run needs it; make it with the "
                    "version that made the run, then adopt"
                )


def new_files(job: Job) -> set[str]:
    """Return which outputs of a job are written: `TOLD`, and a digest where there is none, as of the first versions."""
    told = {str(job.output.get(name)) for name in TOLD if job.output.get(name)}
    digest = job.output.get("digest")
    return told | ({str(digest)} if digest and not Path(digest).exists() else set())


def remake_all(
    jobs: Sequence[Job], root: Path, scratch: Path, cores: int, said: Callable[[str], None]
) -> dict[str, Path]:
    """Make the outputs of jobs again, `cores` at a time, and hold them against those that are there.

    Returns where the files wait that were not there or gained columns, by where they belong: what is made
    later is made from these. Raises `UserError` naming the first file and column that differ.
    """
    places: dict[str, Path] = {}
    for rule in REMADE:
        of_rule = [job for job in jobs if job.rule.name == rule]
        waiting: dict[str, Path] = {}
        with ThreadPoolExecutor(cores) as pool:
            results = [
                pool.submit(remake, job, root, scratch / "made" / rule / str(number), places)
                for number, job in enumerate(of_rule)
            ]
            try:
                for result in results:
                    waiting |= result.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        places |= waiting
        if of_rule:
            said(f"checked {rule}: {len(of_rule)} made again, the same{_gained(waiting)}")
    return places


def remake(job: Job, root: Path, folder: Path, places: Mapping[str, Path]) -> dict[str, Path]:
    """Make one job's outputs again in a folder and compare them; keep those that are new or gained columns.

    places: where inputs wait that are new themselves.
    """
    made = {str(path): folder / path for path in job.output}
    for path in made.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    command_of(job).moved({**places, **made}).run(root, f"{job.output[0]} made again")
    kept, new = {}, new_files(job)
    for name, path in made.items():
        if name not in new and (found := _difference(job, Path(name), path)):
            raise UserError(
                f"{name}: this version makes it otherwise, first in {found}; nothing was adopted"
            )
        if name in new or gained(Path(name), path):
            kept[name] = path
        else:
            path.unlink()
    return kept


def _gained(waiting: Mapping[str, Path]) -> str:
    """Say how many tables gain columns, and which, "" where none does."""
    more = {name: gained(Path(name), path) for name, path in waiting.items() if Path(name).exists()}
    columns = dict.fromkeys(column for found in more.values() for column in found)
    return f"; {len(more)} table(s) gain {', '.join(columns)}" if columns else ""


def _difference(job: Job, before: Path, now: Path) -> str:
    found = difference(before, now)
    if not found and job.rule.name in WHOLE and not filecmp.cmp(before, now, shallow=False):
        return "its bytes, the values being the same"
    return found


def digests_of_weights(jobs: Sequence[Job], scratch: Path) -> dict[str, Path]:
    """Write what the weights there are hold; returns where that waits, by where it belongs."""
    places = {}
    for job in jobs:
        for name in new_files(job):
            places[name] = scratch / "new" / name
            write_yaml(places[name], {"sha256": digest_tensors(job.output.weights)})
    return places
