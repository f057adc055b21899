"""What lies around the runs, made again by this version and held against what is there."""

import filecmp
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from retention.common.digests import digest_tensors
from retention.common.errors import UserError
from retention.common.yaml_files import write_yaml
from retention.workflow.adoption.comparison import difference
from retention.workflow.adoption.graph import command_of

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


def require_files(jobs: Sequence) -> None:
    """Raise `UserError` where a file that jobs were made from, or made, is gone.

    Small files that the old version did not write are no such files.
    """
    new = set().union(*map(new_files, jobs))
    for job in jobs:
        for path in map(str, [*job.input, *job.output]):
            if path not in new and not Path(path).exists():
                raise UserError(
                    f"{path}: is not there, and {job.rule.name} of a finished run needs it; make it with the "
                    "version that made the run, then adopt"
                )


def new_files(job) -> set[str]:
    """Return which outputs of a job are written: `TOLD`, and a digest where there is none, as of the first versions."""
    told = {str(job.output.get(name)) for name in TOLD if job.output.get(name)}
    digest = job.output.get("digest")
    return told | ({str(digest)} if digest and not Path(digest).exists() else set())


def remake_all(
    jobs: Sequence, root: Path, scratch: Path, cores: int, said: Callable[[str], None]
) -> dict[str, Path]:
    """Make the outputs of jobs again, `cores` at a time, and hold them against those that are there.

    Returns where the new small files wait, by where they belong. Raises `UserError` naming the first
    file and column that differ.
    """
    places: dict[str, Path] = {}
    with ThreadPoolExecutor(cores) as pool:
        results = [
            pool.submit(remake, job, root, scratch / "made" / str(number), scratch / "new")
            for number, job in enumerate(jobs)
        ]
        try:
            for result in results:
                places |= result.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for rule in dict.fromkeys(job.rule.name for job in jobs):
        count = sum(job.rule.name == rule for job in jobs)
        said(f"checked {rule}: {count} made again, the same")
    return places


def remake(job, root: Path, folder: Path, kept: Path) -> dict[str, Path]:
    """Make one job's outputs again in a folder, compare and delete them; keep what was not there."""
    made = {str(path): folder / path for path in job.output}
    for path in made.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    command_of(job).moved(made).run(root, f"{job.output[0]} made again")
    places, new = {}, new_files(job)
    for name, path in made.items():
        if name in new:
            places[name] = kept / name
            places[name].parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, places[name])
        elif found := _difference(job, Path(name), path):
            raise UserError(
                f"{name}: this version makes it otherwise, first in {found}; nothing was adopted"
            )
    shutil.rmtree(folder)
    return places


def _difference(job, before: Path, now: Path) -> str:
    found = difference(before, now)
    if not found and job.rule.name in WHOLE and not filecmp.cmp(before, now, shallow=False):
        return "its bytes, the values being the same"
    return found


def digests_of_weights(jobs: Sequence, scratch: Path) -> dict[str, Path]:
    """Write what the weights there are hold; returns where that waits, by where it belongs."""
    places = {}
    for job in jobs:
        for name in new_files(job):
            places[name] = scratch / "new" / name
            write_yaml(places[name], {"sha256": digest_tensors(job.output.weights)})
    return places
