"""What reruns after which change: dry runs beside the results of a study that really ran."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from urllib.parse import unquote

import pytest
import yaml
from sources import ROOT, TINY_STUDY, Workflow, edits_of

from retention.data.caching import digests_of

pytestmark = pytest.mark.slow
TRAINING = {"finetune", "pretrain_backbone"}
EARLY_LOSS = "scripts/retention/findings/early_loss"
MULTIVERSE = {
    "measure_multiverse": 1,
    "match_reported": 1,
    **{f"draw_multiverse_{name}": 1 for name in ("fit_quality", "seed_stability", "early_loss")},
}
OF_EARLY_LOSS = ("early_loss", "early_loss_against_decay")
DRAWN = {f"draw_{figure}": 1 for figure in OF_EARLY_LOSS}
AUDITS = {"audit_coherence": 1, "compare_with_paper": 1, "write_summary": 1}
BELOW_A_FIGURE = {"build_report": 1, "all": 1, "total": 3}


def planned(workflow, *more, **environment):
    return workflow.planned(*TINY_STUDY, *more, **environment)


def test_the_study_leaves_its_results_and_no_state(finished):
    results = finished.folder / "results" / "tiny"
    for name in ("summary.md", "report.zip", "digits/figures/early_loss.png"):
        assert (results / name).stat().st_size > 500
    assert not list((results / "state").rglob("*.safetensors"))


def test_the_report_begins_with_its_page_and_ends_with_snakemakes(finished):
    with zipfile.ZipFile(finished.folder / "results/tiny/report.zip") as report:
        names = set(report.namelist())
        first, page = (
            report.read(f"tiny/{name}").decode() for name in ("index.html", "workflow/report.html")
        )
    assert {name.partition("/")[0] for name in names} == {"tiny"}
    links = {
        "tiny/" + unquote(link)
        for link in re.findall(r'(?:src|href)="([^"#]+)"', first)
        if not link.startswith("data:")
    }
    assert links <= names and len(links) > 30
    assert {"tiny/digits/gallery/index.html", "tiny/digits/explorer.html"} <= links
    assert "F3. Is it the same samples in the next run? (digits)" in first
    (told,) = re.findall(r"var categories = ({.*});", page)
    categories = json.loads(told)
    assert categories["Summary"] == {"tiny": ["results/tiny/summary.md"]}
    title = "F5. Does the early loss tell?"
    shown = {f"results/tiny/digits/figures/{figure}.png" for figure in OF_EARLY_LOSS}
    assert {*categories[title]["digits"]} == shown
    assert not (finished.folder / "results/tiny/report.unfinished").exists()


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
    assert planned(copy_of(finished, tmp_path)) == {}


def test_another_clone_run_in_the_old_folder_reruns_nothing(finished, tmp_path):
    Workflow(tmp_path)
    assert planned(finished, "--snakefile", str(tmp_path / "Snakefile")) == {}


def test_an_edited_figure_reruns_that_figure(finished, edited):
    edited(f"{EARLY_LOSS}/draw_early_loss.py", "def ", "X = 1\n\n\ndef ")
    assert planned(finished) == {"draw_early_loss": 1, **BELOW_A_FIGURE}


def test_a_new_title_draws_figures_again_and_trains_and_measures_nothing(finished, edited):
    edited("examples/digits/config.yaml", "title: ViT\n", "title: Vision transformer\n")
    rules = {*planned(finished)} - {"total", "all", "build_report", "record_configuration"}
    told = {"build_gallery", "build_explorer", "write_summary", "write_tables"}
    assert {rule for rule in rules if not rule.startswith("draw_")} == told < rules


def test_an_edited_specification_curve_redraws_those_of_all_findings(finished, edited):
    edited("scripts/retention/reporting/estimate_panels.py", "def ", "X = 1\n\n\ndef ")
    drawn = {name: 1 for name in MULTIVERSE if name.startswith("draw_")}
    assert planned(finished) == {**drawn, **BELOW_A_FIGURE, "total": 5}


def test_an_edited_template_builds_the_gallery_anew_from_what_is_stored(finished, edited):
    assert finished.planned("gallery", *TINY_STUDY) == {}
    edited("scripts/retention/pages/templates/gallery.css", ".cards {", ".cards  {")
    alone = {"build_gallery": 1, "gallery": 1, "total": 2}
    assert finished.planned("gallery", *TINY_STUDY) == alone
    jobs = {*planned(finished)} - {*BELOW_A_FIGURE}
    assert "build_gallery" in jobs and all(name.startswith("build_") for name in jobs)


def test_an_edited_measure_reruns_its_finding_and_what_reads_it(finished, edited):
    edited(f"{EARLY_LOSS}/measure.py", "def ", "X = 1\n\n\ndef ")
    reads_it = {"measure_early_loss": 1, **DRAWN, **MULTIVERSE, **AUDITS}
    reads_it |= {"write_tables": 1}
    assert planned(finished) == {**reads_it, **BELOW_A_FIGURE, "total": 14}


def test_edited_sentences_rerun_the_summary_alone(finished, edited):
    edited(f"{EARLY_LOSS}/sentences.py", "def ", "X = 1\n\n\ndef ")
    assert planned(finished) == {"write_summary": 1, **BELOW_A_FIGURE}


def test_an_edited_declaration_reruns_what_its_finding_is_made_told_and_drawn_by(finished, edited):
    edited(f"{EARLY_LOSS}/__init__.py", "FINDING = ", "X = 1\nFINDING = ")
    follows_it = {"measure_early_loss": 1, **DRAWN, **MULTIVERSE, **AUDITS}
    follows_it |= {"write_tables": 1}
    assert planned(finished) == {**follows_it, **BELOW_A_FIGURE, "total": 14}


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


ADDED = {
    "data/adapters/toy.py": "def read_index(definition, raw_folder): ...\n",
    "samplers/toy.py": "from retention.sampling.declaration import Sampler\n\nSAMPLER = Sampler('1')\n",
    "dynamics/retention/toy.py": "def points(correct): ...\n",
    "dynamics/curves/toy.py": "CURVE = None\n",
    "common/unused.py": "X = 1\n",
    "training/unused.py": "X = 1\n",
    "findings/toy/__init__.py": """from retention.measuring.declaration import Figure, Finding, RunFiles

FINDING = Finding(
    9, "Toy?", {"samples": RunFiles("samples.parquet")}, (Figure("toy", "Toy", "A toy."),)
)
""",
    "findings/toy/measure.py": "def read(samples): ...\n",
    "findings/toy/sentences.py": "def sentences(table): ...\n",
    "findings/toy/draw_toy.py": "def draw(finding): ...\n",
    "figures/plaything/__init__.py": """from retention.measuring.declaration import DatasetFile, Figure

FIGURE = Figure("plaything", "Toy", "A toy.", {"toy": DatasetFile("findings/toy.csv")})
""",
    "figures/plaything/draw_plaything.py": "def draw(toy): ...\n",
}
OPTIONS = {
    "recipe_layer": {"toy_clipping": {"type": ["number", "null"], "default": None}},
    "statistics": {"toy": {"type": "integer", "default": 3}},
}


def test_additions_and_edits_to_what_the_study_does_not_use_rerun_nothing(finished, edited):
    for name, text in ADDED.items():
        edited(f"scripts/retention/{name}", "", text)
    for name in ("data/adapters/imagefolder", "data/adapters/octdl", "samplers/class_balanced"):
        edited(f"scripts/retention/{name}.py", "def ", "X = 1\n\n\ndef ")
    schema = "scripts/retention/schemas/config.schema.json"
    text = (finished.folder / schema).read_text()
    changed = json.loads(text)
    for section, options in OPTIONS.items():
        (changed["$defs"].get(section) or changed["properties"][section])["properties"] |= options
    edited(schema, text, json.dumps(changed))
    assert planned(finished) == {}
    said = "recipes: {default: {toy_clipping: null}}\nstatistics: {toy: 3}\n"
    edited("said.yaml", "", said)
    assert planned(finished, "said.yaml") == {}


def copy_of(study: Workflow, folder) -> Workflow:
    """Return a copy of a study with all its results, in a folder of its own."""
    copy = Workflow(folder)
    for name in ("results", "data", ".snakemake"):
        shutil.copytree(study.folder / name, folder / name, copy_function=shutil.copy2)
    return copy


def test_images_made_again_with_the_same_bytes_rerun_nothing_and_one_pixel_retrains(
    finished, tmp_path
):
    """The pixel is one of the study's own images: the backbones were pretrained on others."""
    study = copy_of(finished, tmp_path)
    cache, results = tmp_path / "data/cache/digits/32", tmp_path / "results/tiny"
    before = (cache / "pixels.npy").stat().st_mtime_ns
    code, output = study.snakemake(*TINY_STUDY, "--forcerun", "index_dataset", "--", "data")
    assert code == 0, output
    assert (cache / "pixels.npy").stat().st_mtime_ns > before
    made_again = [results / "digits/index.parquet", *(tmp_path / "data/cache").rglob("*.*")]
    for path in (*made_again, *results.glob("pretrained/*/*")):
        path.write_bytes(path.read_bytes())
    assert planned(study) == {}
    pixels = bytearray((cache / "pixels.npy").read_bytes())
    pixels[-1] ^= 1
    (cache / "pixels.npy").write_bytes(pixels)
    digests = digests_of(cache / "pixels.npy", cache / "layout.parquet")
    (cache / "pixels.yaml").write_text(yaml.safe_dump(digests))
    jobs = planned(study)
    assert jobs["finetune"] == 4
    assert "pretrain_backbone" not in jobs


LAID = """
study: laid
datasets: [digits, photos]
dataset_definitions:
  photos: {adapter: imagefolder, folder: images, title: Photos, split: {strategy: official}}
treatments:
  - random
  - class_balanced
  - adaptive_spaced_repetition
  - spaced_repetition
  - spaced_repetition_shuffled
  - keep_50_random
  - keep_50_next_seed
seeds: [0, 1]
control_architectures: []
paper: {comparable: {photos: another data set than the paper's}}
"""
LAID_STUDY = ("--configfile", "examples/digits/config.yaml", "laid.yaml")


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    """A study of every sampler and of two adapters, its files laid out empty: it would train for minutes."""
    workflow = Workflow(tmp_path_factory.mktemp("laid"))
    (workflow.folder / "images/a").mkdir(parents=True)
    (workflow.folder / "laid.yaml").write_text(LAID)
    command = [sys.executable, ROOT / "benchmarks/layout.py", "Snakefile", *LAID_STUDY[1:]]
    done = subprocess.run(command, cwd=workflow.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return workflow


def edited_in(study: Workflow, name: str, wildcard: str) -> dict[str, set[str]]:
    """Return what a dry run plans by rule, as the values of a wildcard, when a module is edited."""
    with edits_of(study.folder) as edit:
        edit(f"scripts/retention/{name}.py", "def ", "X = 1\n\n\ndef ")
        return study.planned_values(wildcard, *LAID_STUDY)


def test_a_study_laid_out_has_nothing_to_do(laid):
    assert laid.planned(*LAID_STUDY) == {}


def test_another_time_limit_reruns_nothing(laid):
    with edits_of(laid.folder) as edit:
        edit("results/laid/plan.yaml", "", "{device: cuda, device_name: a GPU, runs: {}}")
        assert laid.planned(*LAID_STUDY) == {}
        edit("slurm/site.yaml", "time_factor: 1.0", "time_factor: 3.0")
        assert laid.planned(*LAID_STUDY) == {}


def test_an_edited_sampler_retrains_the_runs_of_its_treatments_alone(laid):
    planned = edited_in(laid, "samplers/class_balanced", "treatment")
    assert planned.pop("finetune") == {"class_balanced"}
    assert planned == {}
    planned = edited_in(laid, "samplers/spaced_repetition", "treatment")
    scheduled = {"spaced_repetition", "spaced_repetition_shuffled"}
    assert planned == {"schedule_reviews": scheduled, "finetune": scheduled}


def data_sets_of(planned):
    """Return whose jobs are planned; specification curves show what all data sets say of the paper's numbers."""
    jobs = {rule: found for rule, found in planned.items() if "draw_multiverse" not in rule}
    return set().union(*jobs.values())


def test_an_edited_adapter_indexes_and_retrains_its_data_sets_alone(laid):
    planned = edited_in(laid, "data/adapters/imagefolder", "dataset")
    assert {"fetch_dataset", "index_dataset", "cache_images", "finetune"} <= set(planned)
    assert data_sets_of(planned) == {"photos"}
    edited = edited_in(laid, "data/adapters/cub200", "dataset")
    assert edited == {}


def test_another_cache_of_one_data_set_retrains_its_runs_alone(laid):
    with edits_of(laid.folder) as edit:
        edit("data/cache/photos/32/pixels.yaml", "", "another: cache\n")
        planned = laid.planned_values("dataset", *LAID_STUDY)
    assert planned["finetune"] == {"photos"}
    assert data_sets_of(planned) == {"photos"}


def test_another_source_under_a_data_set_s_name_is_refused(finished):
    other = finished.folder / "other.yaml"
    definition = "{adapter: package, loader: mnist}"
    other.write_text(f"study: other\ndataset_definitions: {{digits: {definition}}}\n")
    code, output = finished.snakemake("-n", *TINY_STUDY, "other.yaml")
    other.unlink()
    assert code != 0
    assert "dataset_definitions.digits: data/ has something else under this name" in output
    assert "loader digits, here loader mnist" in output
