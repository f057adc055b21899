"""The project's sources: where they are, copies of them, and what Snakemake prints of these."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("Snakefile", "config.yaml", "requirements.txt")
FOLDERS = ("rules", "scripts", "resources", "envs", "profiles", "slurm", "examples")
TINY = """
study: tiny
seeds: [0, 1]
control_architectures: []
treatments: [random]
recipes: {default: {epochs: 8}, pretraining: {default: {epochs: 1}}}
store: {probabilities: all, weights: final}
statistics: {resamples: 99, tie_breaks: 20}
"""
TINY_STUDY = (
    "--configfile",
    "examples/digits/config.yaml",
    "examples/digits/short.yaml",
    "tiny.yaml",
)


class Workflow:
    """The workflow's sources in a folder of their own, and the Snakemake that runs them."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in SOURCES:
            shutil.copy(ROOT / name, folder)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, folder / name, ignore=unfinished)
        (folder / "tiny.yaml").write_text(TINY)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]

    def snakemake(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run Snakemake; return its exit code and all it printed."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**os.environ, **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return done.returncode, done.stdout

    def dry_run(self, *arguments: str, **environment: str) -> str:
        """Return what a dry run prints."""
        code, output = self.snakemake("--dry-run", *arguments, **environment)
        assert code == 0, output
        assert "Nothing to be done" in output or "job " in output, output
        return output

    def planned(self, *arguments: str, **environment: str) -> dict[str, int]:
        """Return how many jobs of each rule a dry run announces."""
        return jobs_in(self.dry_run(*arguments, **environment))

    def planned_values(self, wildcard: str, *arguments: str) -> dict[str, set[str]]:
        """Return, by rule, the values of a wildcard in the jobs that a dry run announces."""
        return values_in(self.dry_run(*arguments), wildcard)


def unfinished(folder: str, names: list[str]) -> set[str]:
    """Return what of a folder is not copied: files that Python or numba is compiling into at this moment.

    What they compiled before goes along: it counts for sources of that time and size, as the copies are.
    """
    compiled = (".pyc", ".nbi", ".nbc")
    if Path(folder).name != "__pycache__":
        return set()
    return {name for name in names if not name.endswith(compiled)}


def jobs_in(output: str) -> dict[str, int]:
    """Return how many jobs of each rule the output of a dry run announces."""
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE)}


def values_in(output: str, wildcard: str) -> dict[str, set[str]]:
    """Return, by rule, the values of a wildcard in the jobs that the output of a dry run announces."""
    values: dict[str, set[str]] = {}
    job = rf"^(?:local)?rule (\w+):$(?:(?!^(?:local)?rule ).)*?^    wildcards: .*?{wildcard}=([\w.-]+)"
    for rule, value in re.findall(job, output, re.MULTILINE | re.DOTALL):
        values.setdefault(rule, set()).add(value)
    return values


@contextmanager
def edits_of(folder: Path):
    """Give a function that replaces text in a file of a folder, or adds one, until the end."""
    before: dict[Path, str | None] = {}

    def edit(name: str, old: str, new: str) -> None:
        path = folder / name
        text = path.read_text() if path.exists() else ""
        assert old in text, f"{name} has no {old!r}"
        before.setdefault(path, text if path.exists() else None)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace(old, new, 1) if text else new)

    yield edit
    for path, text in before.items():
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
    for folder in {path.parent for path, text in before.items() if text is None}:
        if {entry.name for entry in folder.iterdir()} <= {"__pycache__"}:
            shutil.rmtree(folder)
