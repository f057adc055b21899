"""Fixtures that tests of all folders share: a copy of the sources, and one small study that really ran."""

import os

import pytest
from loopback import Server
from sources import TINY_STUDY, Workflow, edits_of

STUB_CONDA = """#!/bin/sh
case "$*" in
  *info*) echo '{"conda_version": "25.1.0", "conda_prefix": "/nowhere", "platform": "linux-64"}' ;;
  *channel_priority*) echo '{"get": {"channel_priority": "strict"}}' ;;
  *--version*) echo "conda 25.1.0" ;;
  *) echo "a dry run must not call: conda $*" >&2; exit 1 ;;
esac
"""


# The files with the longest tests, of the slow ones and of the rest: `pytest --durations=60` shows them.
LONGEST = ("gpu_script", "benchmarks", "calibration", "decay_fits", "resume")
LONGEST += ("planted_workflow", "paper_slots", "recorder_processes", "pretraining")
LONGEST += ("old_versions", "configuration_and_jobs", "time_limits", "null_variance")
LONGEST += ("gpus", "split_half", "treatment_definitions", "index_and_cache")
LONGEST += ("fine_tuning", "software", "augmentation")


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


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Return a function that plans a study of one run, which takes 997 s an epoch, and returns what it wrote."""
    from planned_study import planner  # with it comes torch, which few tests need

    return planner(tmp_path, monkeypatch)


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
