"""What the tests share: a copy of the sources, and one small study that really ran."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from loopback import Server

ROOT = Path(__file__).parents[1]
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

STUB_CONDA = """#!/bin/sh
case "$*" in
  *info*) echo '{"conda_version": "25.1.0", "conda_prefix": "/nowhere", "platform": "linux-64"}' ;;
  *channel_priority*) echo '{"get": {"channel_priority": "strict"}}' ;;
  *--version*) echo "conda 25.1.0" ;;
  *) echo "a dry run must not call: conda $*" >&2; exit 1 ;;
esac
"""


# The files with the longest tests, of the slow ones and of the rest: `pytest --durations=60` shows them.
LONGEST = ("gpu_script", "benchmarks", "calibration", "decay", "resume", "planted_workflow")
LONGEST += ("paper", "recorder_processes", "pretraining", "old_versions")
LONGEST += ("workflow", "time_limits", "null_variance", "gpus", "split_half", "treatments")
LONGEST += ("data", "training", "software", "augmentation")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items):
    """Keep the tests of the finished study in one process: it runs for minutes. Begin with what takes longest.

    A long test that begins last lets the other processes wait for its end.
    """
    for item in items:
        if "finished" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("finished"))
    rank = {f"test_{name}": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


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


@pytest.fixture
def images(tmp_path):
    """A folder with an index and an image cache of noisy images, as `small_run` trains on."""
    from small_run import write_images  # with it comes torch, which few tests need

    folder = tmp_path / "images"
    folder.mkdir()
    write_images(folder)
    return folder


@pytest.fixture
def conda(tmp_path_factory):
    """A PATH on which a conda answers what Snakemake asks, and does nothing else."""
    folder = tmp_path_factory.mktemp("stub")
    stub = folder / "conda"
    stub.write_text(STUB_CONDA)
    stub.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def apptainer(tmp_path_factory):
    """A PATH on which an apptainer tells its version, and does nothing else."""
    folder = tmp_path_factory.mktemp("stub")
    stub = folder / "apptainer"
    stub.write_text("#!/bin/sh\necho apptainer version 1.4.5\n")
    stub.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def server():
    served = Server()
    yield served
    served.shutdown()
    served.server_close()


@pytest.fixture
def clone(tmp_path):
    """The sources alone."""
    return Workflow(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A small study with all its results; tests leave it as they found it."""
    workflow = Workflow(tmp_path_factory.mktemp("finished"))
    code, output = workflow.snakemake(*TINY_STUDY)
    assert code == 0, output
    return workflow


@pytest.fixture
def edited(finished):
    """Return a function that replaces text in a source file until the test ends."""
    with edits_of(finished.folder) as edit:
        yield edit


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
