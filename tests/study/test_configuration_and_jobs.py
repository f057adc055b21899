"""The configuration and the DAG as a user meets them."""

import re
import shutil
import subprocess

import pytest
import yaml
from sources import ROOT, Workflow

from retention.common.errors import UserError
from retention.workflow.code_version import significant_text
from retention.workflow.configuration import load_study
from retention.workflow.listing import listing_of


@pytest.mark.parametrize(
    "arguments",
    [("--use-conda",), ("--profile", "slurm")],
    ids=["one machine", "cluster"],
)
def test_the_papers_study_plans_every_run(clone: Workflow, conda, arguments):
    planned = clone.planned(*arguments, PATH=conda)
    treatments = yaml.safe_load((clone.folder / "config.yaml").read_text())["treatments"]
    assert planned["finetune"] == planned["describe_samples"] == 2 * 2 * 8 * len(treatments)
    assert planned["build_report"] == 1


def test_one_figure_plans_only_what_it_needs(clone: Workflow):
    planned = clone.planned("results/paper/octdl/figures/early_loss.pdf")
    assert planned["draw_early_loss"] == 1
    assert planned["finetune"] == 2 * 8
    assert not {"measure_fit_quality", "build_report"} & set(planned)


def test_figures_of_classes_are_given_images_and_families(clone: Workflow):
    figures = [
        "octdl/figures/class_hazards_with_images.pdf",
        "cub200/figures/confusions_at_forgetting.pdf",
    ]
    code, output = clone.snakemake("-n", "-p", *(f"results/paper/{name}" for name in figures))
    assert code == 0, output[-2000:]
    commands = [line for line in output.splitlines() if "exec python" in line]
    (drawn,) = (line for line in commands if "draw_figure.py" in line and "octdl" in line)
    assert re.search(r"--cache data/cache/octdl/\d+/pixels\.npy data/cache/octdl/\d+/layout", drawn)
    (measured,) = (line for line in commands if "measure_series.py" in line and "cub200" in line)
    assert """--families '"last_word"'""" in measured


def test_the_tables_plan_what_they_are_made_of_and_no_figure(clone: Workflow):
    planned = clone.planned("tables")
    assert planned["write_tables"] == 1
    assert planned["compare_with_paper"] == 1
    assert not {"write_summary", "write_report", "draw_early_loss"} & set(planned)


def test_a_thousand_runs_fit_into_the_commands_of_the_findings(clone: Workflow):
    """The system allows 128 KB for one argument, and a rule's command is one."""
    study = clone.folder / "thousand.yaml"
    study.write_text(
        f"study: many\nseeds: {list(range(500))}\ndatasets: [octdl]\ntreatments: [random]\n"
    )
    code, output = clone.snakemake("-n", "-p", "--configfile", str(study), "-R", "write_summary")
    assert code == 0, output[-2000:]
    commands = [line for line in output.splitlines() if "exec python" in line]
    assert len(commands) > 2000
    assert max(map(len, commands)) < 20_000
    (summary,) = (line for line in commands if "write_summary.py" in line)
    word = re.search(r"--runs (\S+)", summary).group(1)
    listed = subprocess.run(
        ["bash", "-c", f"echo {word}"], capture_output=True, text=True
    ).stdout.split()
    assert len(listed) == len(set(listed)) == 1000
    assert listed[0] == "results/many/octdl/runs/resnet18/random/seed0/run.yaml"


def test_every_fault_of_a_configuration_is_named_at_once(clone: Workflow):
    (clone.folder / "bad.yaml").write_text(
        "datasets: [nowhere]\nseeds: [1, 1]\nfindings: [no_such]\ntypo: 3\nstatistics: {top_fraction: 1.5}\n"
        "architectures: []\nstore: {weights: always}\n"
    )
    code, output = clone.snakemake("--dry-run", "--configfile", "bad.yaml")
    assert code != 0
    for fault in (
        "datasets: nothing defines 'nowhere'",
        "seeds: names 1 more than once",
        "findings.0: is 'no_such'",
        "unknown key(s) typo",
        "statistics.top_fraction: is 1.5, expected less than 1",
        "architectures: has 0 entries",
        "store.weights: is 'always', expected one of final, none",
    ):
        assert fault in output, output
    assert "Traceback" not in output


def test_options_may_be_absent_and_lists_given_on_the_command_line(clone: Workflow):
    """What config.yaml does not say has the schema's default in every rule, too."""
    study = yaml.safe_load((clone.folder / "config.yaml").read_text())
    study |= {"study": "bare", "store": {}, "dynamics": {}, "statistics": {}}
    study |= {"treatments": ["random"], "paper": {"assumed_seeds": 3, "comparable": {}}}
    (clone.folder / "config.yaml").write_text(yaml.safe_dump(study))
    planned = clone.planned("--config", "seeds=[0, 1, 2]", "datasets=[octdl]")
    assert planned["finetune"] == planned["describe_samples"] == 2 * 3
    assert "measure_ensemble_coverage" not in planned  # no probabilities are stored


def test_a_folder_without_config_yaml_is_told_in_one_line(clone: Workflow, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "mine.yaml").write_text("study: mine\ndatasets: [octdl]\n")
    command = clone.command(
        "-n", "-s", str(clone.folder / "Snakefile"), "--configfile", "mine.yaml"
    )
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    (line,) = (line for line in output.splitlines() if line.startswith("config: lacks"))
    assert "architectures, control_architectures, treatments" in line
    assert f"{elsewhere} holds no config.yaml" in line
    assert f"--configfile {clone.folder / 'config.yaml'} mine.yaml" in line
    assert "required property" not in output


@pytest.mark.parametrize(
    ("number", "written"), [("1e-3", "1.0e-3"), ("1.0e30", "1.0e+30"), ("2E5", "2.0e+5")]
)
def test_an_exponent_that_yaml_takes_for_text_is_explained(number, written):
    study = yaml.safe_load((ROOT / "config.yaml").read_text())
    study["recipes"]["default"] |= yaml.safe_load(f"learning_rate: {number}")
    with pytest.raises(UserError) as error:
        load_study(study, ROOT)
    assert str(error.value) == (
        f"recipes.default.learning_rate: is '{number}' (str), expected number; YAML takes it for a "
        f"text, write {written}"
    )


def test_a_weights_file_that_is_not_there_is_named_before_any_job():
    study = yaml.safe_load((ROOT / "config.yaml").read_text())
    for name in ("resnet18", "unused"):
        study["architecture_definitions"][name] = {
            **study["architecture_definitions"]["resnet18"],
            "weights": {"file": f"nowhere/{name}.pth"},
        }
    with pytest.raises(UserError) as error:
        load_study(study, ROOT)
    assert str(error.value) == (
        "architecture_definitions.resnet18.weights.file: nowhere/resnet18.pth does not exist; fetch "
        "it or correct its path"
    )


def test_a_name_that_nothing_defines_is_a_fault(clone: Workflow):
    (clone.folder / "bad.yaml").write_text(
        "datasets: [nowhere]\nseeds: [0]\narchitectures: [resnet18]\n"
    )
    code, output = clone.snakemake("--dry-run", "--configfile", "bad.yaml")
    assert code != 0
    assert "datasets: nothing defines 'nowhere'" in output
    assert "study: 'paper' is the paper's own study, and nowhere is not of it" in output


def test_images_that_are_not_there_are_named_before_any_job(clone: Workflow):
    (clone.folder / "mine.yaml").write_text(
        "study: mine\ndatasets: [a, b]\ndataset_definitions:\n"
        "  a: {adapter: imagefolder, folder: nowhere/images}\n"
        "  b: {adapter: csv, table: nowhere.csv}\n"
    )
    code, output = clone.snakemake("--dry-run", "--configfile", "mine.yaml")
    assert code != 0
    assert "dataset_definitions.a.folder: nowhere/images is not a folder" in output
    assert "dataset_definitions.b.table: nowhere.csv does not exist" in output
    assert "Traceback" not in output and "finetune" not in output


def test_the_data_part_is_planned_alone(clone: Workflow):
    planned = clone.planned("data", "--configfile", "examples/digits/config.yaml")
    assert planned.pop("total") == sum(planned.values())
    once = ("fetch_dataset", "index_dataset", "split_dataset", "cache_images", "data")
    assert planned == dict.fromkeys(once, 1)


def test_comments_and_docstrings_are_no_code():
    source = '"""Doc."""\nx = 1  # why\n\n\ndef f():\n    """Doc."""\n    return """a\n\nb"""\n'
    assert significant_text(source) == 'x = 1\ndef f():\n    return """a\n\nb"""'


def test_added_images_make_another_listing_and_a_copy_does_not(tmp_path):
    folder = tmp_path / "images"
    (folder / "a").mkdir(parents=True)
    (folder / "a/1.png").write_bytes(b"one")
    definition = {"folder": str(folder)}
    before = listing_of(definition)
    (folder / "a/1.png").touch()
    assert listing_of(definition) == before
    shutil.copytree(folder, tmp_path / "copy")
    assert listing_of({"folder": str(tmp_path / "copy")}) == before
    (folder / "a/2.png").write_bytes(b"two")
    assert listing_of(definition) != before
    assert listing_of({"adapter": "package"}) == ""
