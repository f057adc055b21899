"""Published runs are whole, agree with each other, can be taken into a study, and are what the pages say of them."""

import re

import numpy as np
import pytest
import yaml
from own_studies import index_samples, options
from sources import ROOT

from retention.commands import take_probabilities, take_traces
from retention.common.parquet_tables import read_metadata, read_parquet
from retention.dynamics.trace_table import read_traces

PUBLISHED = ROOT / "published"
FILES = {"traces.parquet", "epochs.csv", "run.yaml", "probabilities.npy", "class_centroids.npy"}
BESIDE = {"index.parquet", "classes.csv", "duplicates.csv", "split.yaml"}
MOST_MEGABYTES = 80
ALIKE = 0.999  # float16 may swap two classes
RUNS = sorted(path.parent for path in PUBLISHED.rglob("run.yaml"))
STUDIES = sorted(PUBLISHED.glob("*.yaml"))


def name(path):
    return path.relative_to(PUBLISHED).as_posix()


def test_nothing_but_runs_is_published():
    files = [path for path in PUBLISHED.rglob("*") if path.is_file()]
    of_runs = {path for run in RUNS for path in run.iterdir()}
    assert {path.name for path in of_runs} == FILES
    rest = {path for path in files if path not in of_runs} - {PUBLISHED / "README.md", *STUDIES}
    assert {path.name for path in rest} == BESIDE
    assert sum(path.stat().st_size for path in files) < MOST_MEGABYTES * 1_000_000


@pytest.mark.parametrize("run", RUNS, ids=name)
def test_a_run_is_whole_and_says_which_it_is(run):
    said = yaml.safe_load((run / "run.yaml").read_text(encoding="utf-8"))
    *_, dataset, _, architecture, treatment, seed = run.parts
    named = [said[name] for name in ("dataset", "architecture", "treatment")]
    assert named == [dataset, architecture, treatment]
    assert f"seed{said['seed']}" == seed and re.fullmatch("[0-9a-f]{40}", said["commit"])
    traces = read_traces(run / "traces.parquet")
    metadata = read_metadata(run / "traces.parquet")
    assert metadata["architecture"] == architecture and metadata["seed"] == str(said["seed"])
    assert list(traces.epochs) == list(range(said["recipe"]["epochs"] + 1))
    index = read_parquet(run.parents[3] / "index.parquet").set_index(["split", "sample_index"])
    keys = list(zip(traces.keys["split"], traces.keys["sample_index"], strict=True))
    labels = index.loc[keys, "label"].to_numpy()
    assert len(index) == len(keys)
    assert np.array_equal(traces.predicted == labels[:, None], traces.correct)


@pytest.mark.parametrize("study", STUDIES, ids=name)
def test_a_study_of_published_runs_names_all_of_them(study):
    config = yaml.safe_load(study.read_text(encoding="utf-8"))
    named = {(ROOT / one["traces"]).parent for one in config["own_runs"]}
    folder = PUBLISHED / study.stem
    assert named == {run for run in RUNS if folder in run.parents}
    assert {one["seed"] for one in config["own_runs"]} == {*config["seeds"]}


@pytest.mark.parametrize("study", STUDIES, ids=name)
def test_a_published_run_is_taken_with_its_probabilities(study, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = yaml.safe_load(study.read_text(encoding="utf-8"))
    (dataset,), run = config["datasets"], config["own_runs"][0]
    definition = config["dataset_definitions"][dataset]
    index_samples(tmp_path, dataset, definition)
    common = {"traces": run["traces"], "index": tmp_path / "study_output"}
    common["own_index"] = definition["table"]
    made = {name: tmp_path / name for name in ("output", "epochs", "run")}
    named = {name: run[name] for name in ("dataset", "architecture", "seed")}
    take_traces.main(options(study="s", treatment="random", **named, **common, **made))
    taken = tmp_path / "probabilities.npy"
    take_probabilities.main(options(**common, probabilities=run["probabilities"], output=taken))
    table = read_parquet(made["output"]).sort_values(["split", "sample_index"])
    at_the_end = table[table["epoch"] == table["epoch"].max()]["predicted"].to_numpy()
    assert (np.load(taken)[0].argmax(axis=1) == at_the_end).mean() > ALIKE


def test_the_first_page_says_what_is_published():
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    index = read_parquet(PUBLISHED / "clothing/clothing/index.parquet")
    assert f"*{(index['split'] == 'train').sum():,} phone photographs of clothing" in text
    counts = {1: "one seed", 2: "two seeds", 3: "three seeds"}
    runs = [run for run in RUNS if PUBLISHED / "clothing" in run.parents]
    assert f"fine-tuned with {counts[len(runs)]}" in text
