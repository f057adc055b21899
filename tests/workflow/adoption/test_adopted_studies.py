"""A finished study is taken to another version where both give the same bytes, and nowhere else."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.numpy import save_file
from small_run import make_run, write_images
from sources import ROOT, TINY_STUDY, Workflow

from retention.commands import adopt as command
from retention.commands.adopt import main
from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.common.parquet_tables import write_parquet
from retention.training.state_file import read_state
from retention.workflow.adoption.adopting import Checked
from retention.workflow.adoption.candidates import Candidate, changed_inputs, changed_settings
from retention.workflow.adoption.command import Command
from retention.workflow.adoption.comparison import difference
from retention.workflow.adoption.old_tree import old_tree
from retention.workflow.adoption.records import adopt_run, adopt_state
from retention.workflow.adoption.standing import standing_digests, standing_version
from retention.workflow.adoption.trainers import cut_schedule

RECIPE = {"epochs": 8, "learning_rate": 0.001, "precision": "auto"}
SHELL = (
    'exec python "$WORKFLOW/scripts/finetune.py" --study s --dataset digits --architecture vit'
    ' --treatment random --seed 1 --definition \'{"timm": "test_vit"}\''
    f" --recipe '{json.dumps(RECIPE)}' --treatment-definition '{{}}' --store '{{}}'"
    " --code-version new --device auto --state state --run run/run.yaml --reviews 'a b.parquet'"
    " > log 2>&1"
)


def candidate(folder: Path | None = None, **facts) -> Candidate:
    """Return a run that was finished by the code `old`."""
    recipe = {**RECIPE, "precision": "fp32", "head_learning_rate": 0.001}
    known = {
        "recipe": recipe,
        "architecture_definition": {"timm": "test_vit", "model_kwargs": {}},
        "treatment_definition": {"sampler": "random"},
        "versions": {"torch": "2.14.1+cpu"},
        "code_version": "old",
        "digests": {"code version": "old", "index": "a", "device": "cpu"},
    }
    output = SimpleNamespace(run=str((folder or Path("run")) / "run.yaml"))
    params = SimpleNamespace(pins=["torch==2.14.1"])
    return Candidate(SimpleNamespace(shellcmd=SHELL, output=output, params=params), known | facts)


def pair(folder: Path, name: str, write, before, now) -> tuple[Path, Path]:
    paths = folder / f"before_{name}", folder / f"now_{name}"
    for path, content in zip(paths, (before, now), strict=True):
        write(path, content)
    return paths


TABLE = pd.DataFrame({"epoch": [0, 1], "sample_index": [7, 9], "loss": [0.0, np.nan]})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"more": [1, 2]}, ""),
        ({"loss": [-0.0, np.nan]}, "column loss, epoch 0, sample_index 7"),
        ({"loss": [0.0, 1.0]}, "column loss, epoch 1, sample_index 9"),
        ({"loss": np.float32([0.0, np.nan])}, "column loss, double before and float now"),
    ],
)
def test_a_table_differs_where_a_value_of_its_columns_does(tmp_path, change, said):
    now = TABLE.assign(**change)
    assert difference(*pair(tmp_path, "t.parquet", write_parquet, TABLE, now)) == said


def test_a_table_that_lost_a_column_or_a_row_differs(tmp_path):
    lacking = pair(tmp_path, "t.parquet", write_parquet, TABLE, TABLE.drop(columns="loss"))
    assert difference(*lacking) == "column loss, which the new version does not write"
    shorter = pair(tmp_path, "t.parquet", write_parquet, TABLE, TABLE[:1])
    assert difference(*shorter) == "the number of rows, 2 before and 1 now"


def test_times_of_epochs_are_not_compared(tmp_path):
    epochs = pd.DataFrame({"epoch": [0, 1], "train_loss": [1.0, 0.5], "seconds": [3.0, 3.0]})
    assert not difference(*pair(tmp_path, "e.csv", write_csv, epochs, epochs.assign(seconds=9.0)))
    changed = pair(tmp_path, "e.csv", write_csv, epochs, epochs.assign(train_loss=[1.0, 0.6]))
    assert difference(*changed) == "column train_loss, epoch 1"


def test_arrays_and_tensors_differ_where_a_byte_does(tmp_path):
    before, now = np.zeros((3, 4, 2), np.float16), np.zeros((3, 4, 2), np.float16)
    now[1, 2] = -0.0
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder, array in zip(folders, (before, now), strict=True):
        folder.mkdir()
        np.save(folder / "probabilities.npy", array)
    paths = [folder / "probabilities.npy" for folder in folders]
    assert difference(*paths) == "epoch 1, row 2"

    def write(path, content):
        values, note = content
        save_file({"head": np.float32(values), "body": np.ones(2)}, path, {"run": note})

    same = pair(tmp_path, "w.safetensors", write, ([1, 2], "old"), ([1, 2], "new"))
    assert difference(*same) == ""
    other = pair(tmp_path, "w.safetensors", write, ([1, 2], "old"), ([1, 3], "old"))
    assert difference(*other) == "tensor head"


def test_a_command_is_read_from_its_rule_and_changed():
    command = Command.of(SHELL)
    assert (command.script, command["reviews"]) == ("finetune", "a b.parquet")
    assert json.loads(command["recipe"]) == RECIPE
    changed = command.given(code_version="x", reviews=None).moved({"state": "elsewhere"})
    assert (changed["code-version"], changed["state"]) == ("x", "elsewhere")
    assert changed.known({"seed", "state"}).arguments() == ["--seed", "1", "--state", "elsewhere"]
    assert "reviews" not in changed.options


def test_the_old_version_is_a_folder_or_a_commit(tmp_path):
    repository = tmp_path / "repository"
    (repository / "scripts").mkdir(parents=True)
    (repository / "scripts/finetune.py").write_text("")
    git = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    assert old_tree(str(repository), ROOT, tmp_path).folder == repository
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = old_tree("HEAD", repository, scratch)
    assert (scratch / "scripts/finetune.py").is_file()
    assert found.commit == old_tree(str(repository), ROOT, tmp_path).commit != ""
    with pytest.raises(UserError, match="neither a folder nor a commit") as error:
        old_tree("v9.9", repository, scratch)
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=r"lacks scripts/finetune\.py"):
        old_tree(str(scratch / "scripts"), repository, scratch)


def test_a_run_of_the_same_settings_may_be_taken_over():
    assert changed_settings(candidate()) == []
    assert candidate().combination == "digits, vit, random, fp32 evaluated in auto, cpu"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"recipe": {**RECIPE, "epochs": 9}}, ["recipe.epochs"]),
        ({"architecture_definition": {"timm": "test_resnet"}}, ["architecture_definition"]),
        ({"treatment_definition": {"sampler": "class_balanced"}}, ["treatment_definition"]),
        ({"versions": {"torch": "2.13.0"}}, ["torch 2.13.0, where 2.14.1 is pinned"]),
    ],
)
def test_a_run_of_other_settings_may_not(facts, said):
    assert changed_settings(candidate(**facts))[-1:] == said


def test_a_run_of_other_files_or_other_code_may_not():
    store = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}
    run = candidate(digests={"code version": "old", "index": "a", "store": store})
    told = {"code version": "old", "index": "a", "store": "of another form"}
    assert changed_inputs(run, told) == []
    assert changed_inputs(run, told | {"index": "b"}) == ["index"]
    assert changed_inputs(run, told | {"code version": "older"}) == ["code version"]
    assert "refuses" in changed_inputs(run, "--pixels: no such file")[0]
    run.facts["digests"]["store"] = "of other probabilities"
    assert changed_inputs(run, told) == ["store"]


def test_adopting_a_run_appends_and_keeps_its_time(tmp_path):
    run = candidate(tmp_path)
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(dict(run.facts), sort_keys=False))
    os.utime(path, ns=(1_000, 2_000_000_123))
    run = replace(run, now={"code version": "new", "index": "c"})
    adopt_run(run, "abc", "two epochs", "2026-01-01")
    facts = yaml.safe_load(path.read_text())
    assert path.stat().st_mtime_ns == 2_000_000_123
    assert facts["code_version"] == "old"
    assert (standing_version(facts), standing_digests(facts)) == ("new", run.now)
    assert facts["adopted"][0]["from"] == {"code_version": "old", "commit": "abc"}
    again = candidate(tmp_path, **facts)
    assert again.is_of_today
    adopt_run(again, "", "two epochs", "2026-02-02")
    assert len(yaml.safe_load(path.read_text())["adopted"]) == 2


def test_a_schedule_is_cut_to_its_first_epochs(tmp_path):
    table = pd.DataFrame(
        {"sample_index": [0], "rate": [1.0]} | {f"epoch_{n}": [n] for n in (1, 2, 3)}
    )
    write_parquet(tmp_path / "reviews.parquet", table, {"seed": "1"})
    cut_schedule(tmp_path / "reviews.parquet", tmp_path / "cut.parquet", 2)
    cut = pd.read_parquet(tmp_path / "cut.parquet")
    assert list(cut) == ["sample_index", "rate", "epoch_1", "epoch_2"]


def test_a_folder_where_snakemake_is_at_work_is_refused(tmp_path, monkeypatch):
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.output.lock").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["adopt.py"])
    with pytest.raises(UserError, match="recover_lock"):
        main(["--from", "6953e51"])


@pytest.mark.parametrize(
    ("more", "said"),
    [(["--configfile", "no.yaml"], "no such file"), (["--cores", "0"], "expected at least 1")],
)
def test_what_is_mistyped_is_told(more, said):
    with pytest.raises(UserError, match=said):
        main(["--from", "6953e51", *more])


@pytest.fixture
def commanded(tmp_path, monkeypatch):
    """A function that runs the command in an empty folder on a faked study; returns what it wrote."""
    written: list[object] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["adopt.py"])
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    study = SimpleNamespace(locked=nullcontext, planned=dict)
    monkeypatch.setattr(command, "study_graph", lambda *_: nullcontext(study))
    monkeypatch.setattr(command, "write", lambda *given: written.append(given))

    def run(check, *words: str) -> list[object]:
        monkeypatch.setattr(command, "check", check)
        main(["--from", str(ROOT), *words])
        return written

    run.written = written
    return run


def test_nothing_is_written_where_a_byte_differs(commanded, tmp_path):
    def check(upgrade):
        (upgrade.scratch / "made").touch()
        raise UserError("a byte differs")

    with pytest.raises(UserError, match="a byte differs"):
        commanded(check)
    assert commanded.written == []
    assert not list((tmp_path / ".snakemake").iterdir())


def test_checking_only_writes_nothing_and_counts_as_writing_does(commanded, capsys):
    checked = Checked([candidate()], [], {}, {})
    assert commanded(lambda upgrade: checked, "--check-only") == []
    said = capsys.readouterr().out
    assert len(commanded(lambda upgrade: checked)) == 1
    written = capsys.readouterr().out.splitlines()
    assert said.splitlines() == [written[0].replace("adopted 1", "would adopt 1")]
    assert written[1] == "snakemake would now train: nothing"


@pytest.mark.slow
def test_an_adopted_state_goes_on(tmp_path):
    write_images(tmp_path)
    run = make_run(tmp_path, tmp_path / "state")
    epochs = run.epochs()
    for _ in range(3):
        next(epochs)
    identity = run.state.identity
    now = {**identity, "code version": "new"}
    adopt_state(tmp_path / "state", identity, now)
    newest = sorted((tmp_path / "state").glob("epoch_*.json"))[-1]
    assert read_state(newest)["identity"] == now
    again = make_run(tmp_path, tmp_path / "state")
    again.state.identity = now
    assert again.state.load().epoch == 2


@pytest.fixture
def upgraded(finished, tmp_path):
    """A clone with the finished study's files, one statement of its training code being another."""
    clone = Workflow(tmp_path)
    for name in ("results", "data", ".snakemake"):
        shutil.copytree(finished.folder / name, tmp_path / name, copy_function=shutil.copy2)
    (tmp_path / "one.yaml").write_text("architectures: [resnet]\n")
    return clone


def adopt(clone: Workflow, old: Path, *more: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "scripts/adopt.py", "--from", old, *TINY_STUDY, "one.yaml", *more],
        cwd=clone.folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode, done.stdout


@pytest.mark.slow
def test_code_that_trains_the_same_is_adopted(finished, upgraded):
    """Snakemake's insides are called for it: this holds them, for the pinned version.

    The code of pretraining stays as it is: the backbones' own records are found to be in order.
    """
    training = upgraded.folder / "scripts/retention/training/results.py"
    training.write_text(training.read_text() + "\nUNUSED = 1\n")
    run = upgraded.folder / "results/tiny/digits/runs/resnet/random/seed0/run.yaml"
    time = run.stat().st_mtime_ns
    code, said = adopt(upgraded, finished.folder, "--cores", "2")
    assert code == 0, said
    assert "adopted 2 runs" in said
    assert "snakemake would now train: nothing" in said
    planned = upgraded.planned(*TINY_STUDY, "one.yaml")
    assert not {"finetune", "pretrain_backbone", "cache_images"} & set(planned)
    facts = yaml.safe_load(run.read_text())
    assert facts["adopted"][-1]["to"] != facts["code_version"]
    assert run.stat().st_mtime_ns == time
    assert not list((upgraded.folder / ".snakemake").glob("adopt-*"))
