"""What reruns after which change: dry runs beside the results of a study that really ran."""

import os
import shutil

import pytest
from conftest import TINY_STUDY, Workflow

pytestmark = pytest.mark.slow
TRAINING = {"finetune", "pretrain_backbone"}
BELOW_A_FIGURE = {"write_report": 1, "all": 1, "total": 3}


def planned(workflow, *more, **environment):
    return workflow.planned(*TINY_STUDY, *more, **environment)


def test_the_study_leaves_its_results_and_no_state(finished):
    results = finished.folder / "results" / "tiny"
    for name in ("summary.md", "report.zip", "digits/figures/early_loss.png"):
        assert (results / name).stat().st_size > 500
    assert not list((results / "state").rglob("*.safetensors"))


def test_the_study_is_run_by_one_process_alone(finished, request):
    """Without the group, which some versions of pytest lose, each process trains a study."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert request.node.nodeid.endswith("@finished")


def test_a_second_run_does_nothing(finished):
    assert planned(finished) == {}


def test_touching_every_source_reruns_nothing(finished):
    for source in finished.folder.rglob("*.py"):
        source.touch()
    for source in (finished.folder / "rules").iterdir():
        source.touch()
    assert planned(finished) == {}


def test_comments_and_docstrings_rerun_nothing(finished, edited):
    name = "scripts/retention/training/finetuning.py"
    edited(name, '"""One run: head warm-up', '"""A run: head warm-up')
    edited(name, "import time\n", "import time  # seconds\n")
    assert planned(finished) == {}


def test_a_clone_elsewhere_with_the_same_results_reruns_nothing(finished, tmp_path):
    clone = Workflow(tmp_path)
    for name in ("results", "data", ".snakemake"):
        shutil.copytree(finished.folder / name, tmp_path / name, copy_function=shutil.copy2)
    assert planned(clone) == {}


def test_another_clone_run_in_the_old_folder_reruns_nothing(finished, tmp_path):
    Workflow(tmp_path)
    assert planned(finished, "--snakefile", str(tmp_path / "Snakefile")) == {}


def test_an_edited_figure_reruns_that_figure(finished, edited):
    edited("scripts/retention/findings/early_loss/figure.py", "def ", "X = 1\n\n\ndef ")
    assert planned(finished) == {"draw_early_loss": 1, **BELOW_A_FIGURE}


def test_an_edited_decay_fit_reruns_descriptions_and_no_training(finished, edited):
    edited("scripts/retention/dynamics/decay_kernel.py", "REFINEMENTS = 60", "REFINEMENTS = 61")
    jobs = planned(finished)
    assert jobs["describe_samples"] == 4
    assert jobs["measure_fit_quality"] == 1
    assert not TRAINING & set(jobs)


def test_a_changed_learning_rate_of_one_architecture_retrains_that_one(finished, tmp_path):
    change = tmp_path / "change.yaml"
    change.write_text("recipes: {architectures: {vit: {learning_rate: 2.0e-3}}}\n")
    code, output = finished.snakemake("--dry-run", *TINY_STUDY, str(change))
    assert code == 0, output
    assert planned(finished, str(change))["finetune"] == 2
    assert "architecture=vit" in output
    assert "architecture=resnet" not in output


def test_a_replaced_seed_trains_that_seeds_runs_and_no_others(finished, tmp_path):
    change = tmp_path / "change.yaml"
    change.write_text("seeds: [0, 5]\n")
    code, output = finished.snakemake("--dry-run", *TINY_STUDY, str(change))
    assert code == 0, output
    jobs = planned(finished, str(change))
    assert (jobs["finetune"], jobs["describe_samples"]) == (2, 2)
    assert "seed=5" in output
    assert "seed=0," not in output and "seed=1," not in output


def test_an_edited_training_module_retrains(finished, edited):
    edited("scripts/retention/training/tracking.py", "-torch.inf", "-2 * torch.inf")
    assert planned(finished)["finetune"] == 4


def test_conda_with_the_same_pins_retrains_nothing(finished, conda):
    assert planned(finished, "--use-conda", PATH=conda) == {}


def test_containers_with_the_same_pins_retrain_nothing(finished, apptainer):
    image = finished.folder / "containers/retention.sif"
    image.parent.mkdir()
    image.touch()
    assert planned(finished, "--sdm", "apptainer", PATH=apptainer) == {}
