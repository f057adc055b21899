"""Studies of runs that were trained elsewhere: what the configuration may say, and one study from traces to report."""

import zipfile

import pandas as pd
import pytest
import yaml
from own_studies import EPOCHS, NAMES, record_run, write_own_images
from sources import Workflow

from retention import describe, measure
from retention.commands import configure_traces
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, read_parquet, write_parquet
from retention.workflow.own_epochs import other_epochs
from retention.workflow.own_runs import (
    lacking_files,
    left_out_for,
    own_faults,
    runs_of,
    told_own,
    trained_architectures,
    trained_datasets,
    trained_runs,
)

DEFAULTS = ("--configfile", "config.yaml")
SEEDS, ARCHITECTURES = (0, 1), ("narrow", "wide")


@pytest.fixture
def recorded(tmp_path):
    """Return a folder with the traces of two networks, two seeds each, and the index of their samples."""
    folder = tmp_path / "traces"
    for architecture in ARCHITECTURES:
        for seed in SEEDS:
            record_run(folder, architecture, seed)
    return folder


def configured(recorded, *words) -> dict:
    """Return what configure_traces writes of all traces."""
    output = recorded.parent / "mine.yaml"
    files = [str(path) for path in sorted(recorded.glob("*_?.parquet"))]
    told = ["--index", str(recorded / "index.parquet"), "--study", "mine", "--output", str(output)]
    configure_traces.main([*files, *told, *words])
    return yaml.safe_load(output.read_text())


def test_the_configuration_lists_every_run_and_says_how_to_go_on(recorded, capsys):
    found = configured(recorded)
    assert [found[key] for key in ("study", "datasets", "architectures", "seeds", "treatments")] == [
        "mine", ["shots"], ["narrow", "wide"], [0, 1], ["random"],
    ]  # fmt: skip
    assert found["own_runs"] == [
        {"dataset": "shots", "architecture": name, "seed": seed}
        | {"traces": str(recorded / f"{name}_{seed}.parquet")}
        for name in ARCHITECTURES
        for seed in SEEDS
    ]
    assert found["dataset_definitions"]["shots"]["adapter"] == "index"
    printed = capsys.readouterr().out
    assert "4 runs, no images (--folder)" in printed
    assert "next: snakemake --configfile config.yaml" in printed


def test_a_run_that_is_lacking_is_told(recorded, capsys):
    (recorded / "wide_1.parquet").unlink()
    configured(recorded)
    assert "note: no traces are of wide, random, seed 1" in capsys.readouterr().out


def test_a_treatment_of_ones_own_is_defined(recorded):
    record_run(recorded, "narrow", 2, treatment="curriculum")
    found = configured(recorded)
    assert found["treatments"] == ["random", "curriculum"]
    assert found["treatment_definitions"] == {"curriculum": {"sampler": "elsewhere"}}
    assert found["own_runs"][2]["treatment"] == "curriculum"


def say(path, **names):
    """Have traces say other names of their run."""
    write_parquet(path, read_parquet(path), read_metadata(path) | names)


def test_names_of_a_hub_become_names_of_folders(recorded, capsys):
    for seed in SEEDS:
        say(recorded / f"wide_{seed}.parquet", architecture="google/vit{b}", treatment="a\nb")
    found = configured(recorded)
    assert found["architectures"] == ["narrow", "google_vit_b_"]
    assert found["treatments"] == ["random", "a_b"]
    assert {run["architecture"] for run in found["own_runs"]} == set(found["architectures"])
    printed = capsys.readouterr().out
    assert "the study calls google/vit{b} google_vit_b_, a\\nb a_b; change them there" in printed
    # The workflow takes them, and says under which names they were recorded.
    told = " ".join(told_own(study(recorded)))
    assert (
        "traces were recorded under other names: architecture google_vit_b_ as google/vit{b}"
        in told
    )


def without(path, name):
    metadata = {key: text for key, text in read_metadata(path).items() if key != name}
    write_parquet(path, read_parquet(path), metadata)


def resplit(path):
    table = read_parquet(path)
    write_parquet(
        path, table.assign(split=table["split"].replace("train", "fit").sort_values().to_numpy())
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: without(folder / "wide_0.parquet", "seed"), r"does not say seed of its run; tell TraceRecorder or import_traces.py$"),
        (lambda folder: without(folder / "wide_0.parquet", "dataset"), "does not say dataset .*or give --dataset"),
        (lambda folder: (folder / "wide_5.parquet").write_bytes((folder / "wide_0.parquet").read_bytes()), "say that they are of one run"),
        (lambda folder: record_run(folder, "wide", 7, dataset="others"), "are of several data sets"),
        (lambda folder: (folder / "wide_0.parquet").write_bytes(b"x"), "is not a Parquet file"),
        (lambda folder: resplit(folder / "index.parquet"), "index.parquet: no sample is of the split train, it has fit, val;"),
        (lambda folder: say(folder / "wide_0.parquet", architecture="x" * 81), "its architecture is .*, expected a name of at most 80"),
        (lambda folder: [say(folder / f"wide_{n}.parquet", architecture=f"a{'/_'[n]}b") for n in SEEDS], "a/b and a_b would both be a_b"),
        (lambda folder: (folder / "index.parquet").rename(folder / "index_9.parquet"), "does not say dataset, architecture, seed"),
    ],
    ids=["seed", "data set", "twice", "two sets", "no table", "nothing trained on", "a long name", "one name for two", "the index"],
)  # fmt: skip
def test_files_that_make_no_study_are_refused(recorded, spoil, said):
    spoil(recorded)
    with pytest.raises(UserError, match=said):
        configured(recorded)
    assert not (recorded.parent / "mine.yaml").exists()


def study(recorded, **other) -> dict:
    """Return a configuration with what is asked of it beside the names."""
    definitions = {"random": {"sampler": "random"}, "paced": {"sampler": "elsewhere"}}
    usual = {
        "control_architectures": [],
        "architecture_definitions": {},
        "findings": ["early_loss"],
    }
    return configured(recorded) | usual | {"treatment_definitions": definitions} | other


def changed(run: int, **other):
    def change(config):
        config["own_runs"][run] |= {key: value for key, value in other.items() if value is not None}
        return config

    return change


def swapped(config):
    first, second = config["own_runs"][:2]
    first["traces"], second["traces"] = second["traces"], first["traces"]
    return config


def dropped(config):
    config["own_runs"] = config["own_runs"][:-1]
    return config


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c, ""),
        (changed(0, dataset="shot"), "'shot' is not in datasets, which has shots; did you mean shots?"),
        (changed(0, architecture="narow"), "'narow' is not in architectures, which has narrow, wide; did you mean narrow?"),
        (changed(0, seed=4), "seed 4 is not in seeds, which has 0, 1"),
        (changed(0, treatment="paced"), "'paced' is not in treatments, which has random"),
        (changed(0, seed=1), "narrow on shots, random, seed 1 stands 2 times"),
        (changed(0, traces="no.parquet"), "traces: no.parquet does not exist; correct its path"),
        (changed(0, probabilities="."), "probabilities: . is a folder; name a file"),
        (changed(0, traces="{x}.parquet"), "has braces or begins with -"),
        (lambda c: changed(0, traces=c["own_runs"][1]["traces"])(c), "stands for narrow on shots, random, seed 0, narrow on shots, random, seed 1"),
        (swapped, "narrow_0.parquet says that it is of seed 0; name the file of this run"),
        (dropped, "lacks 1 run of the study, and architecture_definitions has no wide to train: wide on shots, random, seed 1"),
        (lambda c: dropped(c) | {"architecture_definitions": {"wide": {}}}, "lacks 1 run of the study, and shots has no images to train on"),
        (lambda c: c | {"treatments": ["random", "paced"]}, "lacks 4 runs of the study, and paced is of runs that were trained elsewhere"),
        (lambda c: c | {"planted": {"datasets": ["shots"]}}, "planted.datasets: shots has no images to train on, and copies are trained"),
        (lambda c: c | {"planted": {"datasets": ["shots"]}}, "every architecture, and architecture_definitions lacks narrow, wide"),
    ],
)  # fmt: skip
def test_each_fault_of_own_runs_is_one_line(recorded, change, said):
    config = change(study(recorded))
    faults = list(own_faults(config, config["dataset_definitions"]))
    assert any(said in fault for fault in faults) if said else not faults, faults
    assert all(
        fault.startswith(("own_runs: ", "planted.datasets: ")) and "\n" not in fault
        for fault in faults
    )


def test_runs_of_a_data_set_have_the_same_epochs(recorded):
    config = study(recorded, recipes={"default": {"epochs": EPOCHS - 1}})
    assert not list(other_epochs(config))
    config["architectures"].append("tiny")
    assert not list(other_epochs(config))
    config["recipes"]["default"]["epochs"] = 3
    (fault,) = other_epochs(config)
    assert (
        "runs of shots have other epochs: 0 to 5 (narrow on shots, random, seed 0), 0 to 3 (tiny on shots"
        in fault
    )
    path = recorded / "narrow_1.parquet"
    rows = read_parquet(path)
    write_parquet(path, rows[rows["epoch"] > 0], read_metadata(path))
    (fault,) = other_epochs(study(recorded))
    assert "1 to 5 (narrow on shots, random, seed 1)" in fault
    assert (
        "it is about the loss at epoch 0, and the traces of 1 run of own_runs begin later"
        in left_out_for(study(recorded))["early_loss"]
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"epoch,correct", "is no Parquet file, or was cut off"), (None, "lacks the column correct")],
)
def test_a_file_that_holds_no_traces_is_named_before_any_job(recorded, content, said):
    config = study(recorded)
    path = recorded / "narrow_0.parquet"
    if content is None:
        write_parquet(path, read_parquet(path).drop(columns="correct"))
    else:
        path.write_bytes(content)
    (fault,) = own_faults(config, config["dataset_definitions"])
    assert said in fault


def test_another_name_in_the_traces_is_told(recorded):
    config = study(recorded)
    for run in config["own_runs"]:
        run["architecture"] = f"{run['architecture']}-net"
    config["architectures"] = ["narrow-net", "wide-net"]
    assert not list(own_faults(config, config["dataset_definitions"]))
    told = list(told_own(config))
    names = "architecture narrow-net as narrow, architecture wide-net as wide"
    assert f"own_runs: traces were recorded under other names: {names}" in told


def test_a_recording_that_is_not_closed_is_told(recorded):
    config = study(recorded)
    path = recorded / "narrow_0.parquet"
    (recorded / "narrow_0.parquet.parts").mkdir()
    path.unlink()
    (fault,) = own_faults(config, config["dataset_definitions"])
    assert (
        f"{path} is still being recorded, or was never closed; close it, or run import_traces.py"
        in fault
    )


def test_what_is_trained_is_what_is_not_own(recorded):
    config = study(recorded, architectures=["narrow", "wide", "tiny"])
    assert len(runs_of(config)) == 6
    assert trained_runs(config) == [("shots", "tiny", "random", seed) for seed in SEEDS]
    assert (trained_architectures(config), trained_datasets(config)) == (["tiny"], ["shots"])
    config = study(recorded)
    assert (trained_architectures(config), trained_datasets(config)) == ([], [])
    assert trained_architectures(config | {"own_runs": []}) == ["narrow", "wide"]


def test_findings_are_left_out_for_what_traces_do_not_tell(recorded):
    config = study(recorded)
    assert list(left_out_for(config)) == [
        "ensemble_coverage",
        "treatment_comparison",
        "pruning_transfer",
    ]
    for run in config["own_runs"]:
        run["probabilities"] = run["traces"].replace(".parquet", ".npy")
    assert list(left_out_for(config)) == ["treatment_comparison", "pruning_transfer"]
    assert lacking_files(config, "shots") == {"class_centroids.npy", "weights.safetensors"}
    path = config["own_runs"][0]["traces"]
    write_parquet(path, read_parquet(path).drop(columns=["loss", "predicted"]))
    assert "the traces of 1 run of own_runs have none" in left_out_for(config)["early_loss"]
    assert "confusions.csv" in lacking_files(config, "shots")


def test_a_study_of_own_runs_plans_no_training_and_no_images(clone: Workflow, recorded):
    configured(recorded)
    jobs = clone.planned(*DEFAULTS, str(recorded.parent / "mine.yaml"))
    assert jobs["take_traces"] == jobs["describe_samples"] == 4
    assert not {"finetune", "cache_images", "plan_study", "fetch_weights"} & set(jobs)
    code, output = clone.snakemake(
        "plan", "--dry-run", *DEFAULTS, str(recorded.parent / "mine.yaml")
    )
    assert (
        code
        and "plan: every run of this study is one of own_runs: nothing is to be trained" in output
    )


@pytest.mark.slow
def test_from_traces_and_a_run_trained_here_to_the_report(clone: Workflow, recorded):
    """Two networks trained elsewhere, with probabilities and images, beside one that is trained."""
    write_own_images(recorded.parent / "shots")
    config = configured(recorded, "--folder", str(recorded.parent / "shots"))
    for run in config["own_runs"]:
        run["probabilities"] = run["traces"].replace(".parquet", ".npy")
    config["architectures"].append("tiny")
    own = {"timm": "test_resnet", "weights": "none", "image_size": 32, "stored_size": 32}
    config["architecture_definitions"] = {"tiny": own}
    recipe = {"epochs": EPOCHS - 1, "threads": 1, "head_warmup": {"epochs": 1}}
    config["recipes"] = {"default": recipe}
    config["multiverse"] = {"findings": []}
    config["statistics"] = {"resamples": 99, "tie_breaks": 10}
    (recorded.parent / "mine.yaml").write_text(yaml.safe_dump(config))
    code, output = clone.snakemake(*DEFAULTS, str(recorded.parent / "mine.yaml"))
    assert code == 0, output
    assert "own_runs: 4 runs were trained elsewhere, 2 others are trained here" in output
    assert "Error" not in output  # nor a rule that Snakemake tried in vain
    results = clone.folder / "results/mine"
    with zipfile.ZipFile(results / "report.zip") as report:
        names = set(report.namelist())
    assert {"mine/index.html", "mine/shots/explorer.html", "mine/shots/gallery/index.html"} <= names
    assert any(
        name.startswith("mine/shots/gallery/") and name.endswith(".jpg") for name in names
    ) or ("data:image" in (results / "shots/explorer.html").read_text())
    assert (
        "trained, some runs elsewhere and some by this workflow"
        in (results / "summary.md").read_text()
    )
    _require_as_in_a_notebook(results, recorded, config)
    assert set(
        pd.read_csv(results / "shots/findings/ensemble_coverage.csv")["architecture"].dropna()
    )
    assert clone.planned(*DEFAULTS, str(recorded.parent / "mine.yaml")) in (
        {},
        {"all": 1, "total": 1},
    )


def _require_as_in_a_notebook(results, recorded, config):
    """Hold samples of own runs against what `describe` says of the traces where they were recorded."""
    runs = [
        describe(
            run["traces"], index=recorded / "index.parquet", dynamics=config.get("dynamics", {})
        )
        for run in config["own_runs"]
    ]
    for run, expected in zip(config["own_runs"], runs, strict=True):
        folder = results / f"shots/runs/{run['architecture']}/random/seed{run['seed']}"
        found = read_parquet(folder / "samples.parquet").set_index("sample_id").sort_index()
        assert sorted(found.index) == sorted(NAMES)
        for name in ("forgetting_events", "hazard", "decay_constant", "error_norm", "label"):
            expected_column = expected.set_index("sample_id").sort_index()[name]
            pd.testing.assert_series_equal(found[name], expected_column, check_dtype=False)
    table = pd.read_csv(results / "shots/findings/class_forgetting.csv")
    own = measure("class_forgetting", runs, statistics=config["statistics"])
    for architecture in ARCHITECTURES:
        for one, other in ((table, own), (own, table)):
            of_one, of_other = (
                found[
                    (found["statistic"] == "class_hazard") & (found["architecture"] == architecture)
                ]
                .set_index("comparison")["estimate"]
                .sort_index()
                for found in (one, other)
            )
            pd.testing.assert_series_equal(of_one, of_other)
