"""Other versions of the sources, asked and run by adoption: hand-made ones, and 0.1.0 where git has it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from adoption import CODE_VERSION, NAMES, RESULTS, TRAINER, WORDS, finetune_job, job, tree
from safetensors.numpy import save_file
from small_run import CPU, DEFINITION, RECIPE, write_images
from sources import ROOT

from retention.commands import finetune
from retention.common.digests import digest_file, digest_of, digest_sparsely
from retention.common.errors import UserError
from retention.common.options import as_listed
from retention.common.yaml_files import write_yaml
from retention.data.caching import digests_of
from retention.data.split_digest import digest_of_split
from retention.training.machine import versions
from retention.training.recipe import complete_recipe
from retention.workflow.adoption import trainers
from retention.workflow.adoption.candidates import Candidate, as_trained
from retention.workflow.adoption.graph import command_of
from retention.workflow.adoption.old_tree import old_tree, options_of
from retention.workflow.adoption.questions import code_versions, identities
from retention.workflow.adoption.trainers import check_backbone, check_run


def asked(folder: Path, version, **options: str):
    """Return what a version says of a run with its results in `folder`."""
    command = command_of(finetune_job(folder, **options))
    (told,) = identities(version.folder, [command], folder / "asked")
    return told


def test_the_first_layout_tells_what_a_run_depends_on_and_trains_nothing(tmp_path):
    told = asked(tmp_path, tree(tmp_path / "old"))
    assert told["code version"] == "today"
    assert json.loads(told["recipe"]) == {"epochs": 8, "learning_rate": 0.001}
    assert not list(tmp_path.glob("seed0/*"))


def test_why_a_version_refuses_a_run_is_its_first_line(tmp_path):
    assert asked(tmp_path, tree(tmp_path / "old"), seed="13") == "seed 13 is refused"


def test_a_version_that_trains_when_asked_overwrites_no_result(tmp_path):
    """Its trainer opens the folder of the unfinished run elsewhere than the question expects."""
    elsewhere = TRAINER.replace("    RunState(options", "    (lambda *_: None)(options")
    results = tmp_path / "seed0"
    results.mkdir()
    for name in ("run.yaml", "traces.parquet", "epochs.csv", "class_centroids.npy"):
        (results / name).write_text("finished")
    (tmp_path / "asked").mkdir()
    told = asked(tmp_path, tree(tmp_path / "old", elsewhere))
    assert told == "it does not tell what a run depends on"
    assert (tmp_path / "asked/traces.parquet").read_text() == "the same"  # it did train
    assert {path.read_text() for path in results.iterdir()} == {"finished"}


def test_a_version_with_nothing_to_ask_is_refused_in_one_line(tmp_path):
    other = tree(tmp_path / "old", "def main(argv=None): ...\n")
    with pytest.raises(UserError, match="neither identity nor RunState") as error:
        asked(tmp_path, other)
    assert "\n" not in str(error.value)


def test_a_version_that_tells_by_itself_is_not_run(tmp_path):
    version = tree(tmp_path / "new", "raise SystemExit('the old layout')\n")
    commands = tmp_path / "new/scripts/retention/commands"
    commands.mkdir()
    (commands / "__init__.py").touch()
    own = "def identity(argv): return {'asked': argv[argv.index('--seed') + 1]}\n"
    (commands / "finetune.py").write_text(own)
    assert asked(tmp_path, version, seed="3") == {"asked": "3"}


def test_code_versions_are_asked_as_each_layout_takes_the_question(tmp_path):
    scripts = [("finetune", {"retention.samplers": ["random"]}), ("pretrain_backbone", {})]
    first = tree(tmp_path / "first")
    expected = ["version of finetune", "version of pretrain_backbone"]
    assert code_versions(first.folder, scripts) == expected
    parts = CODE_VERSION.replace("(script)", "(script, parts=None)").replace(
        ".stem", ".stem + str(parts)"
    )
    named = tree(tmp_path / "named", code_version=parts)
    told = code_versions(named.folder, scripts)
    assert told[0] == "version of finetune{'retention.samplers': ['random']}"


def test_options_are_those_of_the_help(tmp_path):
    version = tree(tmp_path / "old")
    assert {"recipe", "final-weights"} <= options_of(version, "finetune")
    assert "images" not in options_of(version, "finetune")


def trained(tmp_path: Path, change: str) -> list[str]:
    """Hold a hand-made trainer against itself with its table of epochs written otherwise."""
    rows = '[["epoch", "loss"], ["0", "0.5"], ["1", "0.25"]]'
    assert rows in TRAINER
    new = tree(tmp_path / "new", TRAINER.replace(rows, change or rows))
    facts = {
        "recipe": {"epochs": 8, "learning_rate": 0.001},
        "architecture_definition": {"timm": "test_vit"},
        "treatment_definition": {"sampler": "random"},
        "code_version": "old",
    }
    candidate = Candidate(finetune_job(tmp_path), facts)
    old = tree(tmp_path / "old")
    return check_run(candidate, old, new.folder, {}, tmp_path / "scratch")


def test_trainers_that_write_the_same_pass_and_leave_nothing(tmp_path):
    assert trained(tmp_path, "") == []
    assert not (tmp_path / "scratch").exists()
    assert not (tmp_path / "seed0").exists()


def test_a_trainer_that_writes_a_value_otherwise_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"epochs\.csv differs, first in column loss, epoch 1"):
        trained(tmp_path, '[["epoch", "loss"], ["0", "0.5"], ["1", "0.26"]]')


def test_a_column_that_a_trainer_writes_beside_is_told(tmp_path):
    more = '[["epoch", "loss", "more"], ["0", "0.5", "1"], ["1", "0.25", "1"]]'
    assert trained(tmp_path, more) == ["more of epochs.csv"]


PRETRAINER = """
import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--recipe"), parser.add_argument("--definition")
parser.add_argument("--output"), parser.add_argument("--log-table"), parser.add_argument("--state")
given = parser.parse_args()
pathlib.Path(given.output).write_text(given.definition)
pathlib.Path(given.log_table).write_text(f"recipe\\n{len(given.recipe)}\\n")
"""


def test_pretraining_is_held_against_itself_likewise(tmp_path):
    old, new = tree(tmp_path / "old"), tree(tmp_path / "new")
    for version in (old, new):
        (version.folder / "scripts/pretrain_backbone.py").write_text(PRETRAINER)
    weights = tmp_path / "vit.safetensors"
    notes = {"recipe": json.dumps({"epochs": 30}), "definition": '{"timm": "a"}'}
    save_file({"head": np.ones(2)}, weights, {"run": json.dumps(notes)})
    options = {"recipe": "{}", "definition": '{"timm": "a"}', "output": weights, "digest": "x"}
    command = command_of(job("pretrain_backbone", "pretrain_backbone", options))
    assert check_backbone(command, old, new.folder, {}, tmp_path / "scratch") == []
    changed = PRETRAINER.replace("len(given.recipe)", "given.recipe[-2:-1]")
    (old.folder / "scripts/pretrain_backbone.py").write_text(changed)
    with pytest.raises(UserError, match=r"epochs\.csv differs, first in column recipe"):
        check_backbone(command, old, new.folder, {}, tmp_path / "again")


FIRST = "6953e51"  # 0.1.0
# What its trainer takes. Asking its --help would take as long as training.
TAKEN = {*NAMES, *WORDS, *RESULTS, "index", "pixels", "layout", "weights", "reviews"}


@pytest.fixture(scope="module")
def first_version(tmp_path_factory):
    """The sources of 0.1.0, where this clone has its history."""
    folder = tmp_path_factory.mktemp("first")
    try:
        return old_tree(FIRST, ROOT, folder)
    except UserError as error:
        pytest.skip(f"0.1.0 is not in this clone: {error}")


def run_on_noise(folder: Path) -> Candidate:
    """Return a run of 0.1.0 on small noisy images, as today's rule would train it."""
    write_images(folder)
    index, pixels, layout = (
        folder / name for name in ("index.parquet", "pixels.npy", "layout.parquet")
    )
    write_yaml(folder / "pixels.yaml", digests_of(pixels, layout))
    write_yaml(folder / "split.yaml", digest_of_split(pd.read_parquet(index)))
    files = {"index": index, "pixels": pixels, "layout": layout}
    small = {"images": folder / "pixels.yaml", "split": folder / "split.yaml"}
    shortest = {"recipe": json.dumps(RECIPE), "definition": json.dumps(DEFINITION)}
    facts = {
        "recipe": as_listed("recipe", complete_recipe(RECIPE, CPU)),
        "architecture_definition": {**DEFINITION, "stored_size": 32},
        "treatment_definition": {"sampler": "random"},
        "code_version": "old",
    }
    return Candidate(finetune_job(folder, **shortest, **files, **small), facts)


def test_this_version_tells_what_a_run_depends_on_and_writes_nothing(tmp_path):
    arguments = run_on_noise(tmp_path).command.arguments()
    before = set(tmp_path.iterdir())
    told = finetune.identity(arguments)
    assert (told["code version"], told["device"]) == ("today", "cpu")
    assert told["index"] == digest_file(tmp_path / "split.yaml")
    assert told["images"] == digest_file(tmp_path / "pixels.yaml")
    assert set(tmp_path.iterdir()) == before
    (tmp_path / "split.yaml").write_text("samples: 3\n")
    with pytest.raises(UserError, match="is not the split"):
        finetune.identity(arguments)


def test_the_code_of_0_1_0_is_known_by_its_own_digest(first_version):
    scripts = [("finetune", {"retention.samplers": ["random"]}), ("pretrain_backbone", {})]
    told = code_versions(first_version.folder, scripts)
    assert told == ["1aa8db23cbf1ca10", "fee0c7742486a9f0"]


@pytest.mark.slow
def test_0_1_0_tells_what_a_run_depends_on_and_trains_the_same_bytes(
    first_version, tmp_path, monkeypatch
):
    run = run_on_noise(tmp_path)
    command = as_trained(run).known(TAKEN)
    (told,) = identities(first_version.folder, [command], tmp_path / "asked")
    pixels = digest_sparsely(tmp_path / "pixels.npy")
    assert told == {
        "run": digest_of(dict(zip(NAMES, ("s", "digits", "vit", "random", 0), strict=True))),
        "recipe": digest_of(run.facts["recipe"]),
        "architecture definition": digest_of(run.facts["architecture_definition"]),
        "treatment definition": digest_of({"sampler": "random"}),
        "store": digest_of({}),
        "code version": "today",
        "package versions": digest_of(versions()),
        "index": digest_file(tmp_path / "index.parquet"),
        "images": digest_file(tmp_path / "layout.parquet") + pixels,
        "weights": "",
        "reviews": "",
        "device": "cpu",
    }
    monkeypatch.setattr(trainers, "options_of", lambda *_: TAKEN)
    newer = check_run(run, first_version, ROOT, {}, tmp_path / "scratch")
    assert newer == ["close_calls of epochs.csv"]
