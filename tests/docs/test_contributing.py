"""What CONTRIBUTING.md tells to add works as it stands there, and reruns nothing that is there."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml
from additions import SECTIONS, add, checklists_of, files_of
from image_sets import jpeg
from sources import FOLDERS, ROOT, SOURCES, TINY_STUDY, Workflow

FINDING, DATA_SET, SAMPLER = "A finding", "A data set", "A sampler"
OTHERS = "A decay curve, a retention trace, a figure of no finding"
MOST_FILES = 8
PAGE_OF_THE_FINDING = "docs/findings/f9_never_learned.md"
READING_FINDINGS = {
    "audit_coherence": 1,
    "compare_with_paper": 1,
    "write_summary": 1,
    "write_tables": 1,
}
REPORT = {"record_configuration": 1, "build_report": 1, "all": 1}
USE = """
from pathlib import Path

import numpy as np

from retention.data.catalogue import index_images
from retention.dynamics.decay import fit, half_life
from retention.dynamics.points import points_of
from retention.sampling.declaration import Known
from retention.training.sampling import make_sampler


def test_the_adapter_is_used_like_any_other():
    definition = {"adapter": "flat_folder", "folder": "pictures"}
    table, bad = index_images("mine", definition, Path("nowhere"))
    assert table["class_name"].tolist() == ["cat", "cat", "dog"]
    assert bad.empty


def test_the_sampler_presents_as_many_samples_as_there_are():
    known = Known({"sampler": "with_replacement"}, np.zeros(50, dtype=int), ("toy",), None)
    orders = make_sampler(known)
    first, second = orders.order(1), orders.order(2)
    assert len(first) == len(second) == 50
    assert first.tolist() != second.tolist()
    assert first.tolist() == make_sampler(known).order(1).tolist()


def test_the_curve_is_fitted():
    times = np.arange(12.0)
    values = np.exp(-0.3 * np.sqrt(times))[None]
    fitted = fit(times, values, np.ones((1, 12)), "square_root")
    assert abs(fitted["decay_constant"][0] - 0.3) < 1e-6
    assert abs(half_life(np.array([0.3]), "square_root")[0] - (np.log(2) / 0.3) ** 2) < 1e-9


def test_the_trace_has_its_points():
    times, values, weights = points_of("from_second")(np.array([[True, False, True]]))
    assert (times.tolist(), values.tolist(), weights.tolist()) == ([0, 1], [[0, 1]], [[1, 1]])
"""


@pytest.fixture
def study(finished, tmp_path):
    """A copy of the finished study, to add to."""
    copy = Workflow(tmp_path)
    # with the sources come the kernels that the study compiled
    for name in ("results", "data", ".snakemake", "scripts"):
        shutil.copytree(finished.folder / name, tmp_path / name, dirs_exist_ok=True)
    return copy


def run(folder: Path, *words: str | Path) -> str:
    """Run a command on the sources in a folder; return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "scripts")}
    done = subprocess.run(words, cwd=folder, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def list_finding(folder: Path, name: str) -> None:
    """Add a finding to those of config.yaml."""
    file = folder / "config.yaml"
    *others, last = yaml.safe_load(file.read_text())["findings"]
    text = file.read_text()
    assert text.count(f"{last}]") == 1
    file.write_text(text.replace(f"{last}]", f"{last}, {name}]"))
    assert yaml.safe_load(file.read_text())["findings"] == [*others, last, name]


def changed_files(folder: Path) -> set[str]:
    """Return which sources in a folder are other than ours."""
    tops = [folder / name for name in (*SOURCES, *FOLDERS, "tests")]
    files = [file for top in tops for file in (top.rglob("*") if top.is_dir() else [top])]
    written = (file for file in files if file.is_file() and "__pycache__" not in file.parts)
    names = {file.relative_to(folder) for file in written}
    return {
        name.as_posix()
        for name in names
        if not (ROOT / name).is_file() or (ROOT / name).read_bytes() != (folder / name).read_bytes()
    }


@pytest.mark.slow
def test_a_ninth_finding_is_built_from_its_files_alone(study):
    add(study.folder, FINDING)
    list_finding(study.folder, "never_learned")
    (checklist,) = checklists_of(FINDING)
    assert len(checklist) <= MOST_FILES
    assert changed_files(study.folder) <= {*checklist}
    own = {"measure_never_learned": 1, "draw_never_learned": 1}
    expected = {**own, **READING_FINDINGS, **REPORT}
    assert study.planned(*TINY_STUDY) == {**expected, "total": len(expected)}

    results = study.folder / "results/tiny"
    code, output = study.snakemake("never_learned", "results/tiny/summary.md", *TINY_STUDY)
    assert code == 0, output
    table = pd.read_csv(results / "digits/findings/never_learned.csv")
    assert set(table["architecture"]) == {"resnet", "vit"}
    assert table["estimate"].between(0, 1).all()
    for suffix in ("pdf", "svg", "png"):
        assert (results / f"digits/figures/never_learned.{suffix}").stat().st_size > 500
    summary = (results / "summary.md").read_text()
    (section,) = [part for part in summary.split("\n## ") if part.startswith("F9.")]
    assert section.startswith("F9. How many samples are never learned? (digits)\n")
    assert "training samples is never learned, mean over 2 runs." in section
    numbers = [int(number) for number in re.findall(r"^## F(\d)\.", summary, re.MULTILINE)]
    assert numbers == [1, 2, 3, 4, 5, 6, 9, 7, 8]  # those that are left out stand last


@pytest.mark.slow
def test_files_that_no_study_names_rerun_nothing(study):
    """A finding, an adapter, a curve, a trace, a sampler; the figure of no finding is drawn at once."""
    for section in (FINDING, DATA_SET, OTHERS):
        add(study.folder, section)
    for name, text in files_of(SAMPLER).items():
        (study.folder / name).write_text(text)
    drawn = {"draw_class_sizes": 1, "build_report": 1, "all": 1}
    assert study.planned(*TINY_STUDY) == {**drawn, "total": len(drawn)}


@pytest.mark.slow
def test_a_new_sampler_trains_the_runs_of_its_treatment_alone(study):
    add(study.folder, SAMPLER)
    tiny = study.folder / "tiny.yaml"
    tiny.write_text(tiny.read_text().replace("[random]", "[random, with_replacement]"))
    code, output = study.snakemake("--dry-run", *TINY_STUDY)
    assert code == 0, output
    jobs = Counter(re.findall(r"^ *(?:local)?rule (\w+):", output, re.MULTILINE))
    assert jobs["finetune"] == jobs["describe_samples"] == 4  # 2 architectures, 2 seeds
    assert output.count("treatment=with_replacement") >= 8
    assert "treatment=random" not in output
    measured = {name for name in jobs if name.startswith("measure_")}
    assert measured == {"measure_treatment_comparison"}


def test_checklists_name_each_file_of_their_templates():
    for section in (FINDING, DATA_SET, SAMPLER):
        *_, checklist = checklists_of(section)
        assert {*files_of(section)} <= {*checklist}
        for name in {*checklist} - {*files_of(section)} - {PAGE_OF_THE_FINDING}:
            assert (ROOT / name).is_file() or name.startswith("tests/"), name
    declared = files_of(FINDING)["scripts/retention/findings/never_learned/__init__.py"]
    number = re.search(r"number=(\d+)", declared)[1]
    assert f"docs/findings/f{number}_never_learned.md" == PAGE_OF_THE_FINDING  # as test_links asks
    assert PAGE_OF_THE_FINDING in checklists_of(FINDING)[0]


def test_templates_are_in_our_style_and_keep_within_the_walls(clone):
    folder, settings = clone.folder, ("--config", ROOT / "pyproject.toml")
    for section in SECTIONS:
        add(folder, section)
    names = [name for section in SECTIONS for name in files_of(section)]
    run(folder, sys.executable, "-m", "ruff", "check", *settings, *names)
    run(folder, sys.executable, "-m", "ruff", "format", "--check", *settings, *names)
    lint = Path(sys.executable).with_name("lint-imports")
    assert "0 broken" in run(folder, lint, *settings, "--no-cache")


@pytest.mark.slow
def test_the_templates_work_by_hand(study):
    folder = study.folder
    for section in SECTIONS:
        add(folder, section)
    pictures = folder / "pictures"
    pictures.mkdir()
    for number, name in enumerate(("cat_1.jpg", "cat_2.jpg", "dog_1.jpg")):
        (pictures / name).write_bytes(jpeg(number))
    (folder / "tests/test_use.py").write_text(USE)
    names = ("tests/findings/test_never_learned.py", "tests/test_use.py")
    assert "5 passed" in run(folder, sys.executable, "-m", "pytest", *names)
