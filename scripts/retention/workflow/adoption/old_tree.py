"""The sources of the version that made the results: a folder, or a commit of this repository."""

import io
import re
import subprocess
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from retention.common.errors import UserError
from retention.workflow.adoption.command import last_line, run_python
from retention.workflow.commit import commit_of


@dataclass(frozen=True)
class Tree:
    """Sources of one version. name: what messages call it. commit: "" where it is not known."""

    folder: Path
    name: str
    commit: str


@cache
def options_of(tree: Tree, script: str) -> frozenset[str]:
    """Return the options that a script of a version takes, as its own `--help` says."""
    done = run_python([tree.folder / "scripts" / f"{script}.py", "--help"])
    if done.returncode:
        raise UserError(
            f"{tree.name}: its scripts/{script}.py does not start here ({last_line(done)}); adopt where "
            "the packages of both versions are installed"
        )
    return frozenset(re.findall(r"--([a-z][a-z-]+)", done.stdout))


def old_tree(wanted: str, root: Path, scratch: Path) -> Tree:
    """Return the sources of a clone's folder, or those of a commit of `root`, put into `scratch`.

    Raises `UserError` where `wanted` is neither.
    """
    folder = Path(wanted)
    if (folder / "scripts/finetune.py").is_file():
        folder = folder.resolve()
        return Tree(folder, f"the old version ({wanted})", commit_of(folder))
    if folder.is_dir():
        raise UserError(
            f"--from {wanted}: is no clone of this project, it lacks scripts/finetune.py"
        )
    found = _git(root, "rev-parse", "--verify", "--quiet", f"{wanted}^{{commit}}")
    if found is None:
        raise UserError(
            f"--from {wanted}: is neither a folder nor a commit of the repository in {root}; name a clone of "
            "the version that made the results, or fetch its history (git fetch --unshallow)"
        )
    commit = found.decode().strip()
    archive = _git(root, "archive", commit)
    if archive is None:
        raise UserError(f"--from {wanted}: git does not give out the files of commit {commit}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(scratch, filter="data")
    if not (scratch / "scripts/finetune.py").is_file():
        raise UserError(f"--from {wanted}: commit {commit} lacks scripts/finetune.py")
    return Tree(scratch, f"the old version (commit {commit[:12]})", commit)


def _git(root: Path, *words: str) -> bytes | None:
    """Return what git prints, `None` where it fails."""
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, timeout=600)
    except (OSError, subprocess.SubprocessError):
        return None
    return None if done.returncode else done.stdout
