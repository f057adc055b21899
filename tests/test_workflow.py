"""The configuration and the DAG as a user meets them."""

import shutil

import pytest
from conftest import Workflow

from retention.workflow.code_version import significant_text
from retention.workflow.listing import listing_of


@pytest.mark.parametrize(
    "arguments",
    [("--use-conda",), ("--profile", "slurm")],
    ids=["one machine", "cluster"],
)
def test_the_papers_study_plans_every_run(clone: Workflow, conda, arguments):
    planned = clone.planned(*arguments, PATH=conda)
    assert planned["finetune"] == 2 * 2 * 8
    assert planned["write_report"] == 1


def test_one_figure_plans_only_what_it_needs(clone: Workflow):
    planned = clone.planned("results/paper/octdl/figures/early_loss.pdf")
    assert planned["draw_early_loss"] == 1
    assert planned["finetune"] == 2 * 8
    assert not {"measure_fit_quality", "write_report"} & set(planned)


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


def test_a_number_given_as_text_on_the_command_line_is_a_fault(clone: Workflow):
    code, output = clone.snakemake("--dry-run", "--config", "statistics={resamples: '99'}")
    assert code != 0
    assert "statistics.resamples: is '99' (str), expected integer" in output


def test_a_name_that_nothing_defines_is_a_fault(clone: Workflow):
    (clone.folder / "bad.yaml").write_text("datasets: [nowhere]\nseeds: [0]\n")
    code, output = clone.snakemake("--dry-run", "--configfile", "bad.yaml")
    assert code != 0
    assert "datasets: nothing defines 'nowhere'" in output
    assert "seeds: seed_stability compares pairs of seeds" in output
    assert "study: 'paper' is the paper's own study, and nowhere is not of it" in output


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
