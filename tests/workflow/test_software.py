"""One clear line for each fault of conda, of containers and of their images, before any job runs."""

import os
import sys
from pathlib import Path

import pytest
from sources import ROOT, Workflow

from retention.commands.check_software import departures
from retention.workflow import software

CONFIG = {"dataset_definitions": {}, "architecture_definitions": {}, "device": "auto"}
STUB_APPTAINER = f"""#!/bin/sh
case "$1" in
  --version) echo "apptainer version $STUB_VERSION" ;;
  *) while [ "$1" != python ]; do shift; done; shift; exec "{sys.executable}" "$@" ;;
esac
"""


@pytest.fixture
def bare():
    """The PATH without conda and Apptainer."""
    commands = ("conda", "apptainer", "singularity")
    return os.pathsep.join(
        folder
        for folder in os.environ["PATH"].split(os.pathsep)
        if not any((Path(folder) / command).exists() for command in commands)
    )


@pytest.fixture
def stub(tmp_path_factory, bare):
    """Return a function that puts a command on an otherwise bare PATH and returns that PATH."""

    def put(name: str, script: str) -> str:
        folder = tmp_path_factory.mktemp(name)
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
        return f"{folder}{os.pathsep}{bare}"

    return put


def fault(clone: Workflow, *arguments: str, **environment: str) -> str:
    """Return the one line that says what is wrong; there is no other, and no traceback."""
    code, output = clone.snakemake(*arguments, **environment)
    assert code != 0
    assert "Traceback" not in output
    lines = [line for line in output.splitlines() if "docs/software.md" in line]
    assert len(lines) == 1, output
    return lines[0]


def test_no_conda(clone, bare):
    line = fault(clone, "--dry-run", "--use-conda", PATH=bare)
    assert line.startswith("--use-conda: there is no command 'conda'; activate or install it")


def test_a_module_may_give_conda_as_a_function(clone, bare):
    function = {"BASH_FUNC_conda%%": "() { echo conda 23.11.0; }"}
    line = fault(clone, "--dry-run", "--use-conda", PATH=bare, **function)
    assert line.startswith("--use-conda: conda is 23.11.0")


def test_conda_too_old(clone, stub):
    path = stub("conda", "#!/bin/sh\necho conda 23.11.0\n")
    line = fault(clone, "--dry-run", "--use-conda", PATH=path)
    assert line.startswith("--use-conda: conda is 23.11.0, at least 24.7.1 is needed; update it")


def test_no_apptainer(clone, bare):
    line = fault(clone, "--dry-run", "--sdm", "apptainer", PATH=bare)
    assert line.startswith("--sdm apptainer: there is no command 'apptainer'; load its module")


def test_no_image(clone, stub):
    path = stub("apptainer", STUB_APPTAINER)
    line = fault(clone, "--dry-run", "--sdm", "apptainer", PATH=path, STUB_VERSION="1.4.5")
    assert line.startswith("container: there is no image containers/retention.sif; build it")


def test_conda_and_containers_at_once(clone, stub):
    code, output = clone.snakemake("--dry-run", "--sdm", "conda", "apptainer")
    assert code != 0
    assert "choose one of the two" in output


def test_an_image_with_other_pins(clone, stub):
    path = stub("apptainer", STUB_APPTAINER)
    (clone.folder / "containers").mkdir()
    (clone.folder / "containers/retention.sif").touch()
    pins = clone.folder / "requirements.txt"
    pins.write_text(pins.read_text().replace("scipy==", "no-such-package==1\nscipy==0."))
    target = "results/paper/config.yaml"
    line = fault(clone, target, "--sdm", "apptainer", PATH=path, STUB_VERSION="1.4.5")
    assert "container containers/retention.sif: no-such-package is missing (pinned: 1); " in line
    assert "(pinned: 0.1.17.1); build it anew" in line
    assert not (clone.folder / "results").exists()


@pytest.mark.parametrize("image", ["two words.sif", "retention.tar", "docker:retention"])
def test_a_container_that_is_no_image_is_a_fault_of_the_configuration(clone, image):
    (clone.folder / "mine.yaml").write_text(f"container: '{image}'\n")
    code, output = clone.snakemake("--dry-run", "--configfile", "mine.yaml")
    assert code != 0
    assert f"container: is '{image}', expected an image file (.sif) or a reference" in output


def test_the_pinned_environment_has_no_departures(clone):
    assert list(departures((ROOT / "requirements.txt").read_text().split())) == []


def test_a_container_sees_the_gpu_and_the_folders_the_study_names(tmp_path, monkeypatch):
    monkeypatch.setattr(software.shutil, "which", lambda name: name == "apptainer")
    monkeypatch.setattr(software, "GPU_DRIVER", Path("/dev/null"))
    monkeypatch.setenv("APPTAINER_BIND", "/own")
    outside = ROOT / "tests"
    (tmp_path / "study/inside").mkdir(parents=True)
    (tmp_path / "beside").mkdir()
    monkeypatch.chdir(tmp_path / "study")
    Path("results").symlink_to(outside.parent)
    datasets = {
        "one": {"folder": str(outside)},
        "two": {"table": f"{outside}/conftest.py"},
        "three": {"folder": "inside"},
        "five": {"folder": "inside/../../beside"},
        "four": {"folder": "/nowhere"},
    }
    config = {**CONFIG, "dataset_definitions": datasets}
    variables = software.container_environment(config, tmp_path / "study")
    assert variables["APPTAINER_NV"] == "1"
    assert variables["APPTAINER_BIND"] == ",".join(
        ["/own", *sorted(map(str, (tmp_path / "beside", outside.parent, outside)))]
    )
    monkeypatch.setenv("APPTAINER_BIND", variables["APPTAINER_BIND"])  # as a job inherits it
    assert software.container_environment(config, tmp_path / "study") == variables
    cpu = software.container_environment({**config, "device": "cpu"}, tmp_path / "study")
    assert "APPTAINER_NV" not in cpu
