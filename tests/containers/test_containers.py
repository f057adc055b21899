"""The project's own image, built from containers/Containerfile and used by `--sdm apptainer`."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from debian import reason_to_skip
from PIL import Image
from software import STUDY, assert_same_values, cut_study, plain_runs
from sources import Workflow

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())


@pytest.fixture(scope="module")
def apptainer(tmp_path_factory):
    """Environment variables under which Apptainer runs, and no Python of the host does."""
    from apptainer import apptainer_environment

    environment = apptainer_environment()
    host = tmp_path_factory.mktemp("host")
    for name in ("python", "snakemake"):
        (host / name).write_text("#!/bin/sh\necho 'the host was used' >&2\nexit 1\n")
        (host / name).chmod(0o755)
    path = environment.get("PATH", os.environ["PATH"])
    return {**environment, "PATH": f"{host}{os.pathsep}{path}"}


@pytest.fixture(scope="module")
def image(apptainer, tmp_path_factory):
    """The .sif of the project's definition, and the configuration of the image it was made of."""
    from images import Builder, write_sif

    folder = tmp_path_factory.mktemp("image")
    builder = Builder(folder / "build")
    try:
        builder.bootstrap_base()
        configuration = builder.build(folder / "layout")
        builder.close()  # three copies of 7 GB would lie side by side otherwise
        write_sif(f"oci:{folder / 'layout'}", folder / "retention.sif", apptainer)
        shutil.rmtree(folder / "layout")
        yield folder / "retention.sif", configuration
    finally:
        builder.close()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def study(image, apptainer, tmp_path_factory):
    """The cut study, run inside the image to its report."""
    workflow = cut_study(tmp_path_factory.mktemp("study"))
    code, output = in_image(workflow, image, apptainer)
    assert code == 0, output
    return workflow


def in_image(workflow: Workflow, image, apptainer, *arguments: str) -> tuple[int, str]:
    use = ("--sdm", "apptainer", "--config", f"container={image[0]}")
    return workflow.snakemake(*arguments, *STUDY, *use, **apptainer)


def test_the_image_is_labelled_and_not_roots(image):
    _, configuration = image
    assert configuration["User"] == "1000:1000"
    assert configuration["Labels"]["org.opencontainers.image.title"] == "retention"


def test_the_study_runs_to_its_report_inside(study):
    results = study.folder / "results/cut"
    assert (results / "report.zip").stat().st_size > 10_000
    assert "architecture" in (results / "summary.md").read_text()


def test_its_traces_are_those_of_the_plain_environment(study, tmp_path):
    assert_same_values(study.folder, plain_runs(tmp_path))


def test_going_from_containers_to_pip_and_conda_reruns_nothing(study, image, conda):
    chosen = ("--config", f"container={image[0]}")
    assert study.planned(*STUDY, *chosen) == {}
    assert study.planned(*STUDY, *chosen, "--use-conda", PATH=conda) == {}


def test_nothing_but_results_is_left_in_the_clone(study):
    hidden = {path.name for path in study.folder.iterdir() if path.name.startswith(".")}
    assert hidden == {".snakemake"}


def test_an_image_whose_pins_are_not_the_projects_is_refused_before_any_job(
    image, apptainer, tmp_path
):
    workflow = cut_study(tmp_path)
    pins = tmp_path / "requirements.txt"
    pins.write_text(pins.read_text().replace("timm==1.0.31", "timm==1.0.99"))
    code, output = in_image(workflow, image, apptainer, "results/cut/config.yaml")
    assert code != 0
    assert "timm is 1.0.31 (pinned: 1.0.99); build it anew (docs/software.md)" in output
    assert "Traceback" not in output
    assert not (tmp_path / "results").exists()


def test_an_image_of_something_else_is_refused_before_any_job(apptainer, tmp_path):
    from images import write_sif

    other = tmp_path / "other"
    (other / "bin").mkdir(parents=True)
    shutil.copy("/bin/true", other / "bin/sh")
    write_sif(str(other), tmp_path / "other.sif", apptainer)
    workflow = cut_study(tmp_path)
    found = (tmp_path / "other.sif", {})
    code, output = in_image(workflow, found, apptainer, "results/cut/config.yaml")
    assert code != 0
    assert "other.sif: it has no python, so it is no image of this project" in output
    assert "Traceback" not in output


def test_a_job_sees_the_folders_that_the_configuration_names(image, apptainer, tmp_path):
    """Apptainer shows /tmp and the working directory alone; the images lie elsewhere."""
    elsewhere = Path(tempfile.mkdtemp(dir="/srv"))
    try:
        for name in ("cat", "dog"):
            (elsewhere / name).mkdir()
            Image.new("RGB", (8, 8), (name == "cat" and "red") or "blue").save(
                elsewhere / name / "1.png"
            )
        workflow = cut_study(tmp_path)
        (tmp_path / "cut.yaml").write_text(
            f"dataset_definitions: {{mine: {{adapter: imagefolder, folder: {elsewhere}}}}}\n"
        )
        code, output = in_image(workflow, image, apptainer, "data/index/mine/images.parquet")
    finally:
        shutil.rmtree(elsewhere)
    assert code == 0, output
